/**
 * Judges a store after a crash and a recovery: is the key in one of the two states that it may be in, has anything been
 * left behind, and can the slot be used? Every finding is a sentence; no finding is the only good result.
 */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerProcess } from '../../support/server-process.ts';
import { treeOf } from '../../support/store-state.ts';
import type { Operation, StoredContent, StoredState } from './operation.ts';
import type { StoreCall } from './store-faults.ts';

/** What `.hfs` may hold (storage-commit: layout). Anything else is something left behind. */
const OWN_NAMES = [
  'staging',
  'records',
  'long',
  'versions',
  'uploads',
  'tombstones',
  'log',
  'format.json',
  'lock',
  'dirty',
  'expiry.json',
];

const VERSION_ID = /^\d{14}-\d{6}$/;
/** What is served without a record, by the extension of the tests' names. */
const UNTYPED = 'application/octet-stream';
const SETTLE_LIMIT_MS = 2_000;
const SETTLE_POLL_MS = 10;

/** What was seen of the operation before the crash. */
export interface Crashed {
  readonly operation: Operation;
  readonly key: string;
  /** Status of the answer; null when the crash came first. */
  readonly answer: number | null;
}

/** Findings about the key on a server that has recovered. Uses the slot, too, so it is in the state `after` then. */
export async function judge(server: ServerProcess, { operation, key, answer }: Crashed): Promise<readonly string[]> {
  const { before, after, acknowledged, again } = operation;
  if (answer !== null && answer !== acknowledged) return [`answered ${answer} instead of ${acknowledged}`];
  const seen = await settled(server, key, [before, after]);
  const isAfter = isSame(seen, after);
  if (!isAfter && !isSame(seen, before)) return [`neither old nor new: ${describe(seen)}`];
  const findings = [...leftovers(server.storeDir)];
  if (answer !== null && !isAfter) findings.push(`answered ${answer}, but the old state is there: ${describe(seen)}`);
  const expected = isAfter ? again.after : again.before;
  const repeated = await operation.run(server, key);
  if (repeated !== expected) findings.push(`the slot is dead: the repeated request got ${repeated}, not ${expected}`);
  const left = await observe(server, key);
  if (!isSame(left, after)) findings.push(`after the repeated request: ${describe(left)}`);
  return [...findings, ...leftovers(server.storeDir)];
}

/** What was seen of an operation of which one call failed. */
export interface Failed extends Crashed {
  readonly error: string;
  /** The call that failed; null: none did. */
  readonly struck: StoreCall | null;
  readonly isDegraded: boolean;
}

/** Tidying up when the outcome is decided: what it could not remove is left to recovery. */
const tidying: ReadonlySet<string> = new Set(['unlink', 'rmdir']);

/** What was found; what may lie there until the next start is told apart. */
export interface FailureVerdict {
  readonly findings: readonly string[];
  readonly leftToRecovery: readonly string[];
}

/** About an operation of which one call failed, on the server that lives on. */
export async function judgeFailure(server: ServerProcess, failed: Failed): Promise<FailureVerdict> {
  const { operation, key, answer, struck, isDegraded } = failed;
  const { before, after, acknowledged } = operation;
  const findings: string[] = [];
  const seen = await observe(server, key);
  const isAfter = isSame(seen, after) || isSame(trimmed(seen, after), after);
  if (!isAfter && !isSame(seen, before)) findings.push(`neither old nor new: ${describe(seen)}`);
  if (answer === acknowledged && !isAfter) findings.push(`answered ${answer}, but the old state is there`);
  if (!expectedAnswers(failed).includes(answer)) findings.push(`answered ${answer}`);
  if (isDegraded !== (answer === 500 || answer === 503)) findings.push(`answered ${answer}, degraded: ${isDegraded}`);
  const left = leftovers(server.storeDir);
  // While a rename may not be durable, the old content may come back, and needs what belongs to it.
  const isInDoubt = isAfter && struck?.name === 'fsync' && answer !== acknowledged;
  const isUntidy = struck !== null && tidying.has(struck.name);
  if (isInDoubt || isUntidy) return { findings, leftToRecovery: left };
  return { findings: [...findings, ...left], leftToRecovery: [] };
}

/** Versions beyond the limit may stay until the next upload or start. */
function trimmed(seen: StoredState, after: StoredState): StoredState {
  return { ...seen, versions: seen.versions.slice(seen.versions.length - after.versions.length) };
}

/** docs/storage.md: when the store fails. */
function expectedAnswers({ operation, error, struck }: Failed): readonly (number | null)[] {
  const { acknowledged } = operation;
  if (struck === null) return [acknowledged];
  if (tidying.has(struck.name)) return [acknowledged];
  const isFinal = /^f(data)?sync$|^close$/.test(struck.name);
  const refused = error === 'ENOSPC' && !isFinal ? 507 : 500;
  return struck.kind === 'changes' ? [refused] : [refused, acknowledged];
}

/** Superfluous versions go beside the running server: the last look before the time is over counts. */
async function settled(server: ServerProcess, key: string, allowed: readonly StoredState[]): Promise<StoredState> {
  const deadlineMs = performance.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const seen = await observe(server, key);
    const isSettled = allowed.some((state) => isSame(seen, state)) && strayVersions(server.storeDir).length === 0;
    if (isSettled || performance.now() > deadlineMs) return seen;
    await delay(SETTLE_POLL_MS);
  }
}

/** What clients and the disk say of a key. */
async function observe(server: ServerProcess, key: string): Promise<StoredState> {
  const versions = versionsOf(server.storeDir, key);
  const path = server.signedTarget(key, 0).split('?')[0];
  const response = await fetch(`${server.origin}${path}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status === 404) return { current: null, versions };
  if (response.status !== 200) throw new Error(`GET ${key}: ${response.status}`);
  return { current: { bytes, type: response.headers.get('content-type') ?? '' }, versions };
}

function isSame(first: StoredState, second: StoredState): boolean {
  const contents = [first, second].map(({ current, versions }) =>
    current === null ? versions : [...versions, current],
  );
  const [ofFirst = [], ofSecond = []] = contents;
  if ((first.current === null) !== (second.current === null) || ofFirst.length !== ofSecond.length) return false;
  return ofFirst.every(({ bytes, type }, index) => {
    const other = ofSecond[index];
    return other !== undefined && bytes.equals(other.bytes) && type === other.type;
  });
}

function describe({ current, versions }: StoredState): string {
  const [now = 'no file', ...old] = [current, ...versions].map((content) =>
    content === null ? 'no file' : `${content.bytes.length} bytes of ${content.type}`,
  );
  return `${now}, versions: [${old.join(', ')}]`;
}

function keyFolder(storeDir: string, area: string, keyHash: string): string {
  return join(storeDir, '.hfs', area, keyHash.slice(0, 2), keyHash);
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** The kept old contents, oldest first, with the types that their records say. */
function versionsOf(storeDir: string, key: string): readonly StoredContent[] {
  const keyHash = hashOf(key);
  const folder = keyFolder(storeDir, 'versions', keyHash);
  if (!existsSync(folder)) return [];
  const ids = readdirSync(folder).filter((name) => VERSION_ID.test(name));
  return ids.sort().map((id) => {
    const record = join(keyFolder(storeDir, 'records', keyHash), recordNameOf(join(folder, id)));
    return { bytes: readFileSync(join(folder, id)), type: existsSync(record) ? typeIn(record) : UNTYPED };
  });
}

function typeIn(record: string): string {
  const value: unknown = JSON.parse(readFileSync(record, 'utf8'));
  const hasType = typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
  return hasType ? String(value.type) : UNTYPED;
}

/** Everything in the store that belongs to no content that can be read. Empty folders are no finding. */
export function leftovers(storeDir: string): readonly string[] {
  const own = join(storeDir, '.hfs');
  const strange = readdirSync(own).filter((name) => !OWN_NAMES.includes(name));
  const unfinished = ['staging', 'uploads'].flatMap((area) =>
    filesOf(join(own, area)).map((name) => `${area}/${name}`),
  );
  const found = [...strange, ...unfinished, ...strayVersions(storeDir), ...strayRecords(storeDir)];
  return found.map((path) => `left behind: .hfs/${path}`);
}

function filesOf(folder: string): readonly string[] {
  return existsSync(folder) ? treeOf(folder).filter((path) => !path.endsWith('/')) : [];
}

/** Current contents by the hash of their key. */
function currentFiles(storeDir: string): ReadonlyMap<string, string> {
  const keys = treeOf(storeDir).filter((path) => !path.startsWith('.hfs/') && !path.endsWith('/'));
  const files = keys.map((key): [string, string] => [hashOf(key), join(storeDir, key)]);
  const long = filesOf(join(storeDir, '.hfs/long'));
  return new Map([
    ...files,
    ...long.map((path): [string, string] => [path.slice(3), join(storeDir, '.hfs/long', path)]),
  ]);
}

/** Versions without a current file, and those that are the current file under a second name. */
export function strayVersions(storeDir: string): readonly string[] {
  const current = currentFiles(storeDir);
  return filesOf(join(storeDir, '.hfs/versions'))
    .map((path) => `versions/${path}`)
    .filter((path) => {
      const file = current.get(path.split('/')[2] ?? '');
      return file === undefined || statSync(file).ino === statSync(join(storeDir, '.hfs', path)).ino;
    });
}

/** Records that describe neither the current content of their key nor a version. */
function strayRecords(storeDir: string): readonly string[] {
  const current = currentFiles(storeDir);
  return filesOf(join(storeDir, '.hfs/records'))
    .map((path) => `records/${path}`)
    .filter((path) => {
      const [, , keyHash = '', name] = path.split('/');
      const versions = keyFolder(storeDir, 'versions', keyHash);
      const contents = filesOf(versions).map((version) => join(versions, version));
      const file = current.get(keyHash);
      return ![...contents, ...(file === undefined ? [] : [file])].some((content) => recordNameOf(content) === name);
    });
}

function recordNameOf(path: string): string {
  const { mtimeNs, size } = statSync(path, { bigint: true });
  return `${mtimeNs}-${size}.json`;
}
