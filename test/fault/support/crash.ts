/**
 * The two crashes, and between which calls each of them tells something new. Of crashes that leave the same store, only
 * the last one is made: there the client has been told most, so that most is demanded of what the next server finds.
 *
 * - A killed process leaves what it has called. A sync alters nothing that another process sees, so a kill before it
 *   leaves what a kill before the next call leaves.
 * - A power cut leaves what is on the disk, and on these file systems nothing gets there but by a sync. So a cut before a
 *   call that alters the store, while no sync runs, leaves what a cut before the next sync leaves. Each cut proves that,
 *   by the sectors that had been written when the calls before it came.
 */

import type { CallKind, FaultPlan, StoreCall } from './store-faults.ts';

export type Crash = 'kill' | 'power-cut';

/** Beyond any call. */
const LAST = 2 ** 32 - 1;

/** Before which calls a crash leaves another store than before all others. */
const strikingBefore: Readonly<Record<Crash, readonly CallKind[]>> = {
  kill: ['changes'],
  'power-cut': ['syncs', 'changes beside syncs'],
};

/** Crashes at the first point from this call on; calls that alter the store are counted. */
export function crashFrom(crash: Crash, call: number): FaultPlan {
  return { strike: { type: crash }, first: call, last: LAST, striking: strikingBefore[crash] };
}

/** What a crash was made at. */
export interface Struck {
  /** The call before which it came; null: it came when all were made. */
  readonly call: string | null;
  /** The next point is to be sought from this call on. */
  readonly next: number;
  /** What contradicts the rule that only syncs write to the disk. */
  readonly unexpected: readonly string[];
}

export function struckAmong(calls: readonly StoreCall[]): Struck {
  const index = calls.findIndex(({ isStruck }) => isStruck);
  const struck = calls[index];
  const call = struck === undefined ? null : `${struck.name} ${struck.path}`;
  return { call, next: index + 2, unexpected: writtenWithoutSync(calls) };
}

/** Calls beside which no sync ran, and after which something had been written to the disk. */
export function writtenWithoutSync(calls: readonly StoreCall[]): readonly string[] {
  return calls.flatMap(({ kind, name, path, sectors }, index) => {
    const written = (calls[index + 1]?.sectors ?? sectors) - sectors;
    return kind !== 'changes' || written === 0
      ? []
      : [`${name} ${path} let ${written} sectors be written, without a sync`];
  });
}
