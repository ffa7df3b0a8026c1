/** The locks of paths within one thread; each PathLocks stands for a thread of its own. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPathLocks, freeLocksOf, PathLocks } from '../../src/shared/path-locks.ts';

const HASH = 'abc0'.repeat(16);
/** Another path that happens to share the lock. */
const SAME_LOCK = 'abc1'.repeat(16);
const OTHER = 'def0'.repeat(16);

/** Resolves to the order in which the locks were given, each held until the loop has turned. */
async function orderOf(contenders: readonly (readonly [name: string, locks: PathLocks])[]): Promise<readonly string[]> {
  const order: string[] = [];
  await Promise.all(
    contenders.map(async ([name, locks]) => {
      const release = await locks.acquire(HASH);
      order.push(name);
      await new Promise(setImmediate);
      release();
    }),
  );
  return order;
}

test('a lock is given at once when it is free, and to one holder at a time', async () => {
  const shared = createPathLocks();
  const [mine, theirs] = [new PathLocks(shared, 0), new PathLocks(shared, 1)];
  const release = await mine.acquire(HASH);
  for (const locks of [mine, theirs]) {
    assert.equal(locks.tryAcquire(HASH), null);
    assert.equal(locks.tryAcquire(SAME_LOCK), null);
  }
  assert.notEqual(theirs.tryAcquire(OTHER), null);
  release();
  assert.notEqual(theirs.tryAcquire(HASH), null);
  assert.equal(mine.tryAcquire(HASH), null);
});

test('releasing twice does not free what somebody else holds by then', async () => {
  const shared = createPathLocks();
  const [mine, theirs] = [new PathLocks(shared, 0), new PathLocks(shared, 1)];
  const release = await mine.acquire(HASH);
  release();
  const held = theirs.tryAcquire(HASH);
  release();
  assert.equal(mine.tryAcquire(HASH), null);
  held?.();
  assert.notEqual(mine.tryAcquire(HASH), null);
});

test('within a thread whoever comes first is served first', async () => {
  const locks = new PathLocks(createPathLocks(), 3);
  const names = Array.from({ length: 20 }, (_, index) => `${index}`);
  assert.deepEqual(await orderOf(names.map((name) => [name, locks])), names);
});

test('a thread with many in the queue lets the others in between', async () => {
  const shared = createPathLocks();
  const [mine, theirs] = [new PathLocks(shared, 0), new PathLocks(shared, 1)];
  const crowd = Array.from({ length: 20 }, (_, index) => [`crowd ${index}`, mine] as const);
  const order = await orderOf([...crowd, ['single', theirs]]);
  assert.equal(order.length, 21);
  assert.ok(order.indexOf('single') <= 2, `the other thread came ${order.indexOf('single') + 1}th`);
});

test('what a dead thread held is free again, and whoever waits gets it at once', async () => {
  const shared = createPathLocks();
  const [dead, alive] = [new PathLocks(shared, 0), new PathLocks(shared, 1)];
  await dead.acquire(HASH);
  const kept = alive.tryAcquire(OTHER);
  assert.notEqual(kept, null);
  const waiting = alive.acquire(HASH);
  const startedMs = performance.now();
  freeLocksOf(shared, 0);
  const release = await waiting;
  assert.ok(performance.now() - startedMs < 500, 'it did not wait for the next look');
  assert.equal(new PathLocks(shared, 2).tryAcquire(OTHER), null, 'the locks of others stay held');
  release();
  assert.notEqual(new PathLocks(shared, 2).tryAcquire(HASH), null);
});

test('locks that nobody holds stay free when a thread dies', () => {
  const shared = createPathLocks();
  freeLocksOf(shared, 0);
  assert.ok(new Int32Array(shared).every((lock) => lock === 0));
});
