/** The clock by which files expire: a wall clock that jumps must not empty the store (F79). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExpiryRule } from '../../src/shared/expiry-rule.ts';
import { type ClockStart, readClocks, SteadyClock } from '../../src/shared/steady-clock.ts';

const HOUR_MS = 3_600_000;
const YEARS_MS = 10 * 365 * 24 * HOUR_MS;
const START: ClockStart = { wallMs: 1_700_000_000_000, monotonicMs: 50_000 };

/** A clock after so much time, with a wall clock that is ahead by so much. */
function clockAfter(elapsedMs: number, aheadMs: number): SteadyClock {
  const now = { wallMs: START.wallMs + elapsedMs + aheadMs, monotonicMs: START.monotonicMs + elapsedMs };
  return new SteadyClock(START, () => now);
}

test('time is what the wall clock says, as long as it has moved by no more than an hour', () => {
  for (const aheadMs of [0, 1, -1, HOUR_MS, -HOUR_MS]) {
    const clock = clockAfter(5 * HOUR_MS, aheadMs);
    assert.equal(clock.nowMs(), START.wallMs + 5 * HOUR_MS + aheadMs);
    assert.equal(clock.jumpMs(), null);
  }
});

test('F79 after a jump of more, time goes on as if there had been none', () => {
  for (const aheadMs of [YEARS_MS, -24 * HOUR_MS, HOUR_MS + 1, -HOUR_MS - 1]) {
    const clock = clockAfter(5 * HOUR_MS, aheadMs);
    assert.equal(clock.nowMs(), START.wallMs + 5 * HOUR_MS);
    assert.equal(clock.jumpMs(), aheadMs);
  }
});

test('the clocks of this host begin without a jump', () => {
  const clock = new SteadyClock(readClocks());
  assert.equal(clock.jumpMs(), null);
  assert.ok(Math.abs(clock.nowMs() - Date.now()) < 1_000);
});

test('F79 no file is past its time because the clock jumped', () => {
  const shared = ExpiryRule.allocate();
  const ofYoung = START.wallMs;
  const [steady, jumped] = [clockAfter(HOUR_MS, 0), clockAfter(HOUR_MS, YEARS_MS)].map(
    (clock) => new ExpiryRule(shared, clock),
  ) as [ExpiryRule, ExpiryRule];
  steady.fileTtlSeconds = 86_400;
  for (const rule of [steady, jumped]) assert.equal(rule.isPast(rule.expiresMs(ofYoung, null)), false);
  steady.fileTtlSeconds = 3_600;
  for (const rule of [steady, jumped]) assert.equal(rule.isPast(rule.expiresMs(ofYoung, null)), true);
});

test('FileTTL is one for all threads, from a second to a hundred years', () => {
  const shared = ExpiryRule.allocate();
  const [writer, reader] = [0, 1].map(() => new ExpiryRule(shared, clockAfter(0, 0))) as [ExpiryRule, ExpiryRule];
  assert.equal(reader.fileTtlSeconds, null);
  for (const seconds of [1, 86_400, 100 * 31_536_000, null]) {
    writer.fileTtlSeconds = seconds;
    assert.equal(reader.fileTtlSeconds, seconds);
  }
});

const cases = [
  { ttlSeconds: null, ownMs: null, expiresMs: null },
  { ttlSeconds: null, ownMs: 5_000, expiresMs: 5_000 },
  { ttlSeconds: 10, ownMs: null, expiresMs: 11_000 },
  { ttlSeconds: 10, ownMs: 5_000, expiresMs: 5_000 },
  { ttlSeconds: 10, ownMs: 50_000, expiresMs: 11_000 },
] as const;

for (const { ttlSeconds, ownMs, expiresMs } of cases) {
  test(`FileTTL ${ttlSeconds} s and an own expiry at ${ownMs} ms: ${expiresMs} ms for a file of 1,000 ms`, () => {
    const rule = new ExpiryRule(ExpiryRule.allocate(), clockAfter(0, 0));
    rule.fileTtlSeconds = ttlSeconds;
    assert.equal(rule.expiresMs(1_000, ownMs), expiresMs);
  });
}
