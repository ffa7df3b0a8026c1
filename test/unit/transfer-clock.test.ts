/** When a transfer is too slow, by minimum rates that are written down instead of the transport's own timer. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ReaderPatience, type Transfer, TransferClock } from '../../src/main/uws/transfer-clock.ts';

const SECOND = 1_000;
const WINDOW_BYTES = 30 * 1024;

const usualPatience: ReaderPatience = () => 60 * SECOND;

function look(clock: TransferClock, nowMs: number, seen: Partial<Transfer>, patience = usualPatience): string {
  const idle: Transfer = { state: 'open', bytesIn: 0, bytesOut: 0, isBodyComplete: false, isHeldBack: false };
  return clock.look(nowMs, { ...idle, ...seen }, patience);
}

test('G8 an upload must bring 30 KiB in every 30 seconds', () => {
  const clock = new TransferClock(0);
  assert.equal(look(clock, 29 * SECOND, { bytesIn: 0 }), 'wait');
  assert.equal(look(clock, 30 * SECOND, { bytesIn: WINDOW_BYTES }), 'wait');
  assert.equal(look(clock, 59 * SECOND, { bytesIn: WINDOW_BYTES }), 'wait');
  assert.equal(look(clock, 60 * SECOND, { bytesIn: 2 * WINDOW_BYTES - 1 }), 'close');
});

test('G8 a stalled upload is closed within 10 to 35 seconds', () => {
  const clock = new TransferClock(0);
  let closedAt = 0;
  for (let now = 0; closedAt === 0 && now < 100 * SECOND; now += SECOND) {
    if (look(clock, now, { bytesIn: 1 }) === 'close') closedAt = now;
  }
  assert.ok(closedAt >= 10 * SECOND && closedAt <= 35 * SECOND, `${closedAt}`);
});

test('an early burst earns no later silence', () => {
  const clock = new TransferClock(0);
  const burst = { bytesIn: 100 * WINDOW_BYTES };
  assert.equal(look(clock, 30 * SECOND, burst), 'wait');
  assert.equal(look(clock, 60 * SECOND, burst), 'close');
});

test('G9 nothing is expected of a client that we keep from sending, for 30 seconds at most', () => {
  const clock = new TransferClock(0);
  clock.pause(20 * SECOND);
  clock.pause(40 * SECOND);
  assert.equal(clock.isPaused, true);
  assert.equal(look(clock, 50 * SECOND, {}), 'wait');
  assert.equal(look(clock, 50 * SECOND + 1, {}), 'close');
});

test('G9 the time of a pause does not count, and a new window begins behind it', () => {
  const clock = new TransferClock(0);
  clock.pause(SECOND);
  clock.resume(29 * SECOND, 500);
  assert.equal(clock.isPaused, false);
  assert.equal(look(clock, 58 * SECOND, { bytesIn: 500 }), 'wait');
  assert.equal(look(clock, 59 * SECOND, { bytesIn: 500 + WINDOW_BYTES }), 'wait');
  assert.equal(look(clock, 89 * SECOND, { bytesIn: 500 + WINDOW_BYTES }), 'close');
});

test('a complete request may wait ten minutes for its answer', () => {
  const clock = new TransferClock(0);
  const complete = { isBodyComplete: true, bytesIn: 10 };
  assert.equal(look(clock, 5 * SECOND, complete), 'wait');
  assert.equal(look(clock, 605 * SECOND, complete), 'wait');
  assert.equal(look(clock, 605 * SECOND + 1, complete), 'close');
});

/** Second at which a download is closed of which one byte was taken at the beginning and none after it; null: never. */
function closedAfter(patience: ReaderPatience, isHeldBack: boolean): number | null {
  const clock = new TransferClock(0);
  for (let second = 1; second <= 100; second += 1) {
    const seen = { state: 'streaming', bytesOut: 1, isHeldBack } as const;
    if (look(clock, second * SECOND, seen, patience) === 'close') return second;
  }
  return null;
}

test('G10 a download is kept alive every 4 seconds and ends after 60 without progress', () => {
  const clock = new TransferClock(0);
  const at = (second: number): string => look(clock, second * SECOND, { state: 'streaming', bytesOut: 100 });
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 8].map(at), [
    'wait',
    'wait',
    'wait',
    'rearm',
    'wait',
    'wait',
    'wait',
    'rearm',
  ]);
  assert.equal(closedAfter(usualPatience, true), 62);
});

test('a reader has the patience that is asked for, whoever is held back by us has all of it', () => {
  const short: ReaderPatience = (stillMs) => (stillMs > 0 ? 10 : 60) * SECOND;
  assert.equal(closedAfter(short, true), 12);
  assert.equal(closedAfter(short, false), 62);
});

test('a reader that takes a byte in time is never closed', () => {
  const clock = new TransferClock(0);
  for (let second = 1; second <= 500; second += 1) {
    const bytesOut = Math.floor(second / 10);
    const seen = { state: 'streaming', bytesOut, isHeldBack: true } as const;
    assert.notEqual(
      look(clock, second * SECOND, seen, () => 10 * SECOND),
      'close',
      `${second} s`,
    );
  }
});

test('the time in which the event loop is held does not count against readers', () => {
  const clock = new TransferClock(0);
  const seen = { state: 'streaming', bytesOut: 1, isHeldBack: true } as const;
  const patience: ReaderPatience = () => 5 * SECOND;
  assert.equal(look(clock, SECOND, seen, patience), 'wait');
  assert.notEqual(look(clock, 20 * SECOND, seen, patience), 'close');
  assert.notEqual(look(clock, 40 * SECOND, seen, patience), 'close');
  assert.equal(look(clock, 60 * SECOND, seen, patience), 'close');
});

test('an upload is kept alive at most once a second while bytes come, and not while it is paused', () => {
  const clock = new TransferClock(performance.now() - 10 * SECOND);
  clock.pause(performance.now());
  assert.equal(clock.wantsRearm(), false);
  clock.resume(performance.now(), 0);
  assert.equal(clock.wantsRearm(), true);
  assert.equal(clock.wantsRearm(), false);
  assert.equal(new TransferClock(performance.now()).wantsRearm(), false);
});
