/** The locks of paths between real threads, one of which dies. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createPathLocks, freeLocksOf, PathLocks } from '../../src/shared/path-locks.ts';
import type { ContenderOrder, ContenderReport } from '../support/lock-contender.ts';

const HASHES = ['000', '001', 'fff'].map((start) => start.padEnd(64, '0'));
const contenderFile = new URL('../support/lock-contender.js', import.meta.url);

interface Contest extends Pick<ContenderOrder, 'contenders' | 'rounds' | 'locks' | 'figures'> {}

function start(contest: Contest, holder: number, dies = false): Worker {
  return new Worker(contenderFile, {
    workerData: { ...contest, holder, hashes: HASHES, dies } satisfies ContenderOrder,
  });
}

function reportOf(worker: Worker): Promise<ContenderReport> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function exitOf(worker: Worker): Promise<number> {
  return new Promise((resolve) => worker.once('exit', resolve));
}

function newContest(contenders: number, rounds: number): Contest {
  const figures = new SharedArrayBuffer(2 * HASHES.length * Int32Array.BYTES_PER_ELEMENT);
  return { contenders, rounds, locks: createPathLocks(), figures };
}

function entriesOf({ figures }: Contest): readonly number[] {
  return HASHES.map((_, path) => new Int32Array(figures)[2 * path + 1] ?? 0);
}

test('F75 threads that compete for the locks of three paths are alone inside, and none is lost', async () => {
  const threads = 4;
  const contest = newContest(8, 40);
  const workers = Array.from({ length: threads }, (_, holder) => start(contest, holder));
  const reports = await Promise.all(workers.map(reportOf));
  assert.deepEqual(
    reports.map(({ violations }) => violations),
    [0, 0, 0, 0],
  );
  assert.deepEqual(
    entriesOf(contest),
    HASHES.map(() => threads * contest.contenders * contest.rounds),
  );
  const locks = new PathLocks(contest.locks, threads);
  for (const hash of HASHES) assert.notEqual(locks.tryAcquire(hash), null, 'nobody holds anything any more');
});

test('a thread that dies with a lock stops the others only until its locks are freed', async () => {
  const contest = newContest(4, 10);
  const dead = start(contest, 0, true);
  await exitOf(dead);
  const [hash = ''] = HASHES;
  assert.equal(new PathLocks(contest.locks, 9).tryAcquire(hash), null);
  const reports = [1, 2].map((holder) => reportOf(start(contest, holder)));
  freeLocksOf(contest.locks, 0);
  for (const { violations } of await Promise.all(reports)) assert.equal(violations, 0);
  assert.deepEqual(entriesOf(contest), [80, 80, 80]);
});
