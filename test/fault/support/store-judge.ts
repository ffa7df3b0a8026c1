/**
 * Judges a store after a crash and a recovery: is the key in one of the two states that it may be in, has anything been
 * left behind, and can the slot be used? Every finding is a sentence; no finding is the only good result.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { ServerProcess } from '../../support/server-process.ts';
import { leftovers, strayVersions } from './leftovers.ts';
import type { Operation } from './operation.ts';
import { describe, isSame, observe, type StoredState } from './stored-state.ts';

const SETTLE_LIMIT_MS = 10_000;
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
  findings.push(...((await operation.afterwards?.(server, key)) ?? []));
  return [...findings, ...leftovers(server.storeDir)];
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
