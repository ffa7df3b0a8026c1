/** Judges a server on whose store one call failed: no success without the file, and degraded exactly when promised. */

import type { ServerProcess } from '../../support/server-process.ts';
import { leftovers } from './leftovers.ts';
import type { Operation } from './operation.ts';
import type { StoreCall } from './store-faults.ts';
import type { Crashed } from './store-judge.ts';
import { describe, isSame, observe, type StoredState } from './stored-state.ts';

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
  if (!expectedAnswers(failed).includes(answer)) findings.push(`answered ${answer}: ${lastFailureIn(server)}`);
  const isPromised = answer === 500 || answer === 503 || (isDegraded && byTheClock(struck));
  if (isDegraded !== isPromised) findings.push(`answered ${answer}, degraded: ${isDegraded}`);
  const left = leftovers(server.storeDir);
  // While a rename may not be durable, the old content may come back, and needs what belongs to it. What goes with a
  // removed content is found again by whoever looks next.
  const isInDoubt = isAfter && answer !== acknowledged && (struck?.name === 'fsync' || removes(operation));
  const isUntidy = struck !== null && tidying.has(struck.name);
  if (isInDoubt || isUntidy) return { findings, leftToRecovery: left };
  return { findings: [...findings, ...left], leftToRecovery: [] };
}

/** Versions beyond the limit may stay until the next upload or start. */
function trimmed(seen: StoredState, after: StoredState): StoredState {
  return { ...seen, versions: seen.versions.slice(seen.versions.length - after.versions.length) };
}

/** Nothing is published, so what was done need not be taken back; and want of room refuses nothing that makes room. */
function removes({ after }: Operation): boolean {
  return after.current === null;
}

/** What the server does every second by itself: on a slow machine it comes between the calls of an operation. */
function byTheClock(struck: StoreCall | null): boolean {
  return struck !== null && (struck.path === '/.hfs/lock' || (struck.name === 'statfs' && struck.path === '/'));
}

/** For whoever must find out why. */
function lastFailureIn({ lines }: ServerProcess): string {
  return JSON.stringify(lines.findLast(({ event }) => event === 'request.failed') ?? null);
}

/** docs/storage.md: when the store fails. */
function expectedAnswers({ operation, error, struck }: Failed): readonly (number | null)[] {
  const { acknowledged } = operation;
  if (struck === null) return [acknowledged];
  const isFinal = /^f(data)?sync$|^close$/.test(struck.name);
  const refused = error === 'ENOSPC' && !isFinal ? 507 : 500;
  if (removes(operation)) return [refused, acknowledged];
  if (tidying.has(struck.name)) return [acknowledged];
  const isOnlyLooking = struck.kind === 'reads' || struck.kind === 'closes' || byTheClock(struck);
  return isOnlyLooking ? [refused, acknowledged] : [refused];
}
