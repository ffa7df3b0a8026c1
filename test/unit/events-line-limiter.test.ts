/** The brake on log lines that one client or one broken disk could cause without end. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineLimiter } from '../../src/main/events/line-limiter.ts';

test('lets so many lines of a kind through in a second, and says afterwards how many it held back', () => {
  const limiter = new LineLimiter(2);
  assert.deepEqual(
    [0, 100, 200, 300, 999].map((timeMs) => limiter.admit('a', timeMs)),
    [0, 0, null, null, null],
  );
  assert.equal(limiter.admit('b', 300), 0);
  assert.deepEqual([limiter.admit('a', 1000), limiter.admit('a', 1001)], [3, 0]);
});

test('begins anew when the clock was set back', () => {
  const limiter = new LineLimiter(1);
  assert.equal(limiter.admit('a', 1_000_000), 0);
  assert.equal(limiter.admit('a', 1_000_001), null);
  assert.equal(limiter.admit('a', 5), 1);
});

test('does not grow with the number of kinds', () => {
  const limiter = new LineLimiter(1);
  let admitted = 0;
  for (let kind = 0; kind < 10_000; kind += 1) if (limiter.admit(String(kind), 0) !== null) admitted += 1;
  assert.equal(admitted, 65);
});
