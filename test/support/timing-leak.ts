/**
 * Whether two classes of input take different times, as dudect asks it: times in random order, the slow ones cut off at
 * one limit for both classes (they are the machine's), and Welch's t of the rest. https://eprint.iacr.org/2016/1123
 */

import assert from 'node:assert/strict';

/** Of all times together, those that are kept. */
const KEPT_SHARE = 0.8;
/** Above it a difference is no accident: one in 100,000 measurements without any. */
const MAX_T = 4.5;
/** A machine that is busy with something else is no leak: a real one is there each time. */
const ATTEMPTS = 3;

/** Times of the first and of the second class. */
export type Times = readonly [number[], number[]];

interface Moments {
  readonly mean: number;
  readonly variance: number;
  readonly count: number;
}

/** |t| of two classes of times. */
export function leakOf(times: Times): number {
  const all = times.flat().sort((a, b) => a - b);
  const limit = all[Math.floor(all.length * KEPT_SHARE)] ?? 0;
  const [a, b] = times.map((values) => momentsOf(values.filter((value) => value <= limit)));
  assert.ok(a !== undefined && b !== undefined);
  return Math.abs((a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count));
}

function momentsOf(values: readonly number[]): Moments {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, variance, count: values.length };
}

/** Fails when each of three measurements, with times of their own, finds a leak. Resolves to what each found. */
export async function assertNoLeak(measure: () => Times | Promise<Times>): Promise<readonly number[]> {
  const found: number[] = [];
  while (found.length < ATTEMPTS) {
    const leak = leakOf(await measure());
    found.push(leak);
    if (leak < MAX_T) return found;
  }
  assert.fail(`|t| = ${found.map((leak) => leak.toFixed(1)).join(', ')}`);
}

/** Fails unless the measurement finds a leak: what it is good for. */
export async function assertLeak(measure: () => Times | Promise<Times>): Promise<void> {
  const leak = leakOf(await measure());
  assert.ok(leak > MAX_T, `|t| = ${leak}`);
}
