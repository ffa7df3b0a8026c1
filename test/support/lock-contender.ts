/**
 * A worker thread that competes for the locks of a few paths, and notes whether it was ever alone no longer. Started by
 * the test of the locks with what it shares.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { PathLocks } from '../../src/shared/path-locks.ts';

export interface ContenderOrder {
  readonly locks: SharedArrayBuffer;
  readonly holder: number;
  /** One for each path; each contender adds to all of them. */
  readonly hashes: readonly string[];
  /** For each path: how many are inside, and how often somebody was. */
  readonly figures: SharedArrayBuffer;
  readonly contenders: number;
  readonly rounds: number;
  /** Dies with the first lock in its hands. */
  readonly dies: boolean;
}

export interface ContenderReport {
  /** How often somebody else was inside, too. */
  readonly violations: number;
}

const order: ContenderOrder = workerData;
const locks = new PathLocks(order.locks, order.holder);
const figures = new Int32Array(order.figures);
let violations = 0;

async function enter(hash: string, path: number): Promise<void> {
  const release = await locks.acquire(hash);
  if (order.dies) process.exit(1);
  if (Atomics.add(figures, 2 * path, 1) !== 0) violations += 1;
  const seen = figures[2 * path + 1] ?? 0;
  // Whoever were let in meanwhile would have its count overwritten.
  await new Promise(setImmediate);
  figures[2 * path + 1] = seen + 1;
  Atomics.sub(figures, 2 * path, 1);
  release();
}

async function compete(): Promise<void> {
  for (let round = 0; round < order.rounds; round += 1) {
    for (const [path, hash] of order.hashes.entries()) await enter(hash, path);
  }
}

// Whoever waits for a lock does not keep a thread alive; in a lane its port does.
const keptAlive = setInterval(() => {}, 1_000);
await Promise.all(Array.from({ length: order.contenders }, compete));
clearInterval(keptAlive);
parentPort?.postMessage({ violations } satisfies ContenderReport);
