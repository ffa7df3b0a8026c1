/** The buffer pool: bounded, first come first served, and smaller again after a burst. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BufferPool } from '../../src/shared/buffers.ts';

const BYTES = 64;

function poolOf(maxBuffers: number): BufferPool {
  return new BufferPool({ sizes: [BYTES], maxBytes: maxBuffers * BYTES });
}

/** How many buffers are in use. */
function inUse(pool: BufferPool): number {
  return pool.inUseBytes / BYTES;
}

/** Takes a buffer that must be there. */
function takeFrom(pool: BufferPool): ArrayBuffer {
  const buffer = pool.take();
  assert.ok(buffer !== null);
  return buffer;
}

test('gives out at most so many buffers at a time', () => {
  const pool = poolOf(2);
  const [first] = [takeFrom(pool), takeFrom(pool)];
  assert.equal(pool.take(), null);
  assert.deepEqual([inUse(pool), pool.hasRoom], [2, false]);
  pool.give(first);
  assert.deepEqual([inUse(pool), pool.hasRoom], [1, true]);
  assert.equal(takeFrom(pool).byteLength, BYTES);
});

test('gives the buffer out first that came home last: its memory is warm', () => {
  const pool = poolOf(3);
  const buffers = [takeFrom(pool), takeFrom(pool), takeFrom(pool)];
  for (const buffer of buffers) pool.give(buffer);
  for (const buffer of buffers.toReversed()) assert.equal(pool.take(), buffer);
});

test('ignores a buffer of another length, and one that was moved away', () => {
  const pool = poolOf(2);
  const buffer = takeFrom(pool);
  pool.give(new ArrayBuffer(BYTES + 1));
  structuredClone(buffer, { transfer: [buffer] });
  pool.give(buffer);
  assert.equal(inUse(pool), 1);
});

test('calls back at once while there are buffers, and in turn when they come home', () => {
  const pool = poolOf(1);
  const order: string[] = [];
  const held: ArrayBuffer[] = [];
  const wait = (name: string): void =>
    pool.whenAvailable((buffer) => {
      order.push(name);
      held.push(buffer);
    });
  wait('at once');
  assert.deepEqual([order, pool.isShort], [['at once'], false]);
  wait('second');
  wait('third');
  assert.deepEqual([order.length, pool.isShort, inUse(pool)], [1, true, 1]);
  for (const expected of ['second', 'third']) {
    pool.give(held.pop() ?? new ArrayBuffer(0));
    assert.equal(order.at(-1), expected);
    assert.equal(inUse(pool), 1);
  }
  assert.equal(pool.isShort, false);
  pool.give(held.pop() ?? new ArrayBuffer(0));
  assert.equal(inUse(pool), 0);
});

test('gives nobody a buffer before those who wait already', () => {
  const pool = poolOf(2);
  const held = [takeFrom(pool), takeFrom(pool)];
  const order: number[] = [];
  for (const index of [1, 2, 3]) pool.whenAvailable(() => order.push(index));
  for (const buffer of held) pool.give(buffer);
  assert.deepEqual(order, [1, 2]);
});

test('writes off what will not come back, and serves those who wait with new buffers', () => {
  const pool = poolOf(2);
  takeFrom(pool);
  takeFrom(pool);
  let served = 0;
  for (let index = 0; index < 3; index += 1) pool.whenAvailable(() => (served += 1));
  pool.forget(2 * BYTES);
  assert.deepEqual([served, inUse(pool), pool.isShort], [2, 2, true]);
});

test('tells the one who watches whenever fewer buffers are in use, and not when one goes to the next who waits', () => {
  const pool = poolOf(2);
  const seen: number[] = [];
  pool.watch(() => seen.push(inUse(pool)));
  const [first] = [takeFrom(pool), takeFrom(pool)];
  pool.whenAvailable((buffer) => pool.give(buffer));
  assert.deepEqual(seen, []);
  pool.give(first);
  pool.forget(BYTES);
  assert.deepEqual(seen, [1, 0]);
});

test('keeps what is used and lets go of what was not needed since the last trim', () => {
  const pool = poolOf(4);
  const buffers = new Set([takeFrom(pool), takeFrom(pool), takeFrom(pool), takeFrom(pool)]);
  for (const buffer of buffers) pool.give(buffer);
  pool.trim();
  // One of four is used between the trims: three were idle all the time.
  pool.give(takeFrom(pool));
  pool.trim();
  const again = [takeFrom(pool), takeFrom(pool), takeFrom(pool), takeFrom(pool)];
  assert.equal(again.filter((buffer) => buffers.has(buffer)).length, 1);
});

test('lets go of everything when nobody needs a buffer any more', () => {
  const pool = poolOf(8);
  const buffers = new Set(Array.from({ length: 8 }, () => takeFrom(pool)));
  for (const buffer of buffers) pool.give(buffer);
  pool.trim();
  pool.trim();
  assert.ok(!buffers.has(takeFrom(pool)));
  assert.deepEqual(new Set([...buffers].map(({ byteLength }) => byteLength)), new Set([0]), 'freed at once');
});

/** What may happen to a pool; `held` are the buffers that are out. */
const steps: Readonly<Record<string, (pool: BufferPool, held: ArrayBuffer[]) => void>> = {
  take: (pool, held) => held.push(...[pool.take()].filter((buffer) => buffer !== null)),
  give: (pool, held) => pool.give(held.pop() ?? new ArrayBuffer(0)),
  wait: (pool, held) => pool.whenAvailable((buffer) => held.push(buffer)),
  trim: (pool) => pool.trim(),
  forget: (pool, held) => pool.forget(held.splice(0, 1).length * BYTES),
};

test('counts right whatever happens in whatever order', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...Object.values(steps)), { maxLength: 200 }), (actions) => {
      const pool = poolOf(5);
      const held: ArrayBuffer[] = [];
      for (const action of actions) {
        action(pool, held);
        assert.equal(inUse(pool), held.length);
        assert.equal(pool.hasRoom, held.length < 5);
        assert.equal(new Set(held).size, held.length);
        assert.ok(held.length === 5 || !pool.isShort);
      }
    }),
  );
});

test('gives out the smallest buffer that is large enough, and the largest for everything above', () => {
  const pool = new BufferPool({ sizes: [16, BYTES], maxBytes: 1_000 });
  const lengths = [0, 16, 17, BYTES, BYTES + 1].map((wanted) => pool.take(wanted)?.byteLength);
  assert.deepEqual(lengths, [16, 16, BYTES, BYTES, BYTES]);
  assert.equal(pool.inUseBytes, 32 + 3 * BYTES);
});

test('a length that stands twice is one: its buffers are used again for whatever is larger', () => {
  const pool = new BufferPool({ sizes: [BYTES, BYTES], maxBytes: 1_000 });
  const buffer = takeFrom(pool);
  pool.give(buffer);
  assert.equal(pool.take(BYTES + 1), buffer);
});

test('gives those who wait a large buffer as soon as small ones make room for it', () => {
  const pool = new BufferPool({ sizes: [32, BYTES], maxBytes: BYTES });
  const small = [pool.take(1), pool.take(1)].filter((buffer) => buffer !== null);
  const served: number[] = [];
  pool.whenAvailable((buffer) => served.push(buffer.byteLength));
  for (const buffer of small) {
    assert.deepEqual(served, []);
    pool.give(buffer);
  }
  assert.deepEqual([served, pool.inUseBytes], [[BYTES], BYTES]);
});

test('keeps the reserve from the largest buffers, and small ones can be had when those are all in use', () => {
  const pool = new BufferPool({ sizes: [16, BYTES], maxBytes: 2 * BYTES, reservedBytes: 32 });
  const large = takeFrom(pool);
  assert.deepEqual([pool.take(), pool.hasRoom], [null, false]);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => pool.take(16)?.byteLength),
    [16, 16, 16, 16],
  );
  assert.equal(pool.take(16), null);
  pool.give(large);
  assert.equal(pool.take(16)?.byteLength, 16);
});

test('tells when somebody has to wait, and at no other time', () => {
  const pool = poolOf(1);
  let shortages = 0;
  pool.watchShortage(() => {
    shortages += 1;
  });
  const buffer = takeFrom(pool);
  assert.equal(shortages, 0);
  const given: ArrayBuffer[] = [];
  pool.whenAvailable((next) => given.push(next));
  assert.deepEqual([shortages, given.length], [1, 0]);
  pool.give(buffer);
  assert.deepEqual([shortages, given], [1, [buffer]]);
});
