/** What uploaders have, counted in shared memory: promises, changes, corrections, and the bound of the table. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FileKey } from '../../src/shared/files.ts';
import { OwnerUsage } from '../../src/shared/owner-usage.ts';
import { ownerOf, ownerOfPath } from '../../src/workers/storage/owner-quota.ts';

const ALICE = 1n;
const BOB = -5n;

function usageOf(limitBytes: number | null): OwnerUsage {
  const usage = new OwnerUsage(OwnerUsage.allocate());
  usage.limitBytes = limitBytes;
  return usage;
}

test('an owner may have as much as the limit, stored and promised together, and others as much again', () => {
  const usage = usageOf(100);
  usage.change(ALICE, 60);
  assert.equal(usage.promise(ALICE, 40), true);
  assert.equal(usage.promise(ALICE, 1), false);
  assert.equal(usage.promise(ALICE, 0), true);
  assert.equal(usage.promise(BOB, 100), true);
  usage.endPromise(ALICE, 40);
  assert.equal(usage.promise(ALICE, 40), true);
});

test('a refused promise leaves nothing', () => {
  const usage = usageOf(100);
  for (let count = 0; count < 10; count += 1) assert.equal(usage.promise(ALICE, 101), false);
  assert.equal(usage.promise(ALICE, 100), true);
});

test('without a limit everything is promised', () => {
  const usage = usageOf(null);
  assert.equal(usage.limitBytes, null);
  assert.equal(usage.promise(ALICE, Number.MAX_SAFE_INTEGER), true);
});

test('a correction sets right what was there before the count, and keeps what changed meanwhile', () => {
  const usage = usageOf(1_000);
  usage.change(ALICE, 500);
  usage.change(BOB, 70);
  const before = usage.stored;
  usage.change(ALICE, 25);
  usage.change(3n, 5);
  usage.correct(
    before,
    new Map([
      [ALICE, 300],
      [4n, 9],
    ]),
  );
  assert.deepEqual(
    usage.stored,
    new Map([
      [ALICE, 325],
      [BOB, 0],
      [3n, 5],
      [4n, 9],
    ]),
  );
});

test('whatever is promised, stored and freed in whatever order, the sums agree', () => {
  const change = fc.tuple(fc.constantFrom(1n, 2n, 131_073n, -1n, 1n << 40n), fc.integer({ min: -1_000, max: 1_000 }));
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const usage = usageOf(1);
      const sums = new Map<bigint, number>();
      for (const [owner, bytes] of changes) {
        usage.change(owner, bytes);
        if (bytes !== 0) sums.set(owner, (sums.get(owner) ?? 0) + bytes);
      }
      for (const [owner, sum] of sums) assert.equal(usage.stored.get(owner), sum);
    }),
    { numRuns: 20 },
  );
});

test('the table is bounded: owners without a place are not limited', () => {
  const usage = usageOf(1);
  for (let owner = 1n; owner <= 98_304n; owner += 1n) usage.change(owner, 1);
  assert.equal(usage.promise(98_304n, 1), false);
  assert.equal(usage.promise(98_305n, 1_000), true);
  assert.equal(usage.stored.size, 98_304);
});

test('an owner is the first segment of a path as ejabberd makes it, or else the name in the signature', () => {
  const user = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
  const path = (...names: readonly string[]): FileKey => names.join('/') as FileKey;
  const own = ownerOfPath(path(user, 'a'.repeat(40), 'photo.jpg'));
  assert.notEqual(own, null);
  assert.equal(ownerOfPath(path(user, 'B'.repeat(40), 'other.jpg')), own);
  assert.equal(ownerOf(path(user, 'a'.repeat(40), 'photo.jpg'), 'user@example.com'), own);
  for (const other of [
    path(user, 'a'.repeat(39), 'x'),
    path(user, 'a'.repeat(40)),
    path(user, 'a'.repeat(40), 'x', 'y'),
    path(user.toUpperCase(), 'a'.repeat(40), 'x'),
    path('3f2b8c1e-0000-4000-8000-000000000000', 'x'),
  ]) {
    assert.equal(ownerOfPath(other), null, other);
  }
  const named = ownerOf(path('slot', 'x'), 'user@example.com');
  assert.notEqual(named, null);
  assert.notEqual(named, ownerOf(path('slot', 'x'), 'other@example.com'));
  assert.equal(ownerOf(path('other', 'y'), 'user@example.com'), named);
});
