/** The state that a key is in, seen from outside: what a client gets, and which old contents lie on the disk. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerProcess } from '../../support/server-process.ts';

const VERSION_ID = /^\d{14}-\d{6}$/;
/** What is served without a record, by the extension of the tests' names. */
const UNTYPED = 'application/octet-stream';

export interface StoredContent {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly type: string;
}

/** What the store holds for one key. */
export interface StoredState {
  readonly current: StoredContent | null;
  /** Old contents that are kept, oldest first. */
  readonly versions: readonly StoredContent[];
}

/** What clients and the disk say of a key. */
export async function observe(server: ServerProcess, key: string): Promise<StoredState> {
  const versions = versionsOf(server.storeDir, key);
  const path = server.signedTarget(key, 0).split('?')[0];
  const response = await fetch(`${server.origin}${path}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status === 404) return { current: null, versions };
  if (response.status !== 200) throw new Error(`GET ${key}: ${response.status}`);
  return { current: { bytes, type: response.headers.get('content-type') ?? '' }, versions };
}

export function isSame(first: StoredState, second: StoredState): boolean {
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

export function describe({ current, versions }: StoredState): string {
  const [now = 'no file', ...old] = [current, ...versions].map((content) =>
    content === null ? 'no file' : `${content.bytes.length} bytes of ${content.type}`,
  );
  return `${now}, versions: [${old.join(', ')}]`;
}

/** Where the records or the versions of a key lie. */
export function keyFolder(storeDir: string, area: string, keyHash: string): string {
  return join(storeDir, '.hfs', area, keyHash.slice(0, 2), keyHash);
}

export function hashOf(key: string): string {
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

/** What the record of this content is called. */
export function recordNameOf(path: string): string {
  const { mtimeNs, size } = statSync(path, { bigint: true });
  return `${mtimeNs}-${size}.json`;
}
