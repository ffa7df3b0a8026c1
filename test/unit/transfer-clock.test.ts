/** When a transfer is too slow, by minimum rates that are written down instead of the transport's own timer. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../src/main/http/exchange.ts';
import { TransferClock } from '../../src/main/uws/transfer-clock.ts';

type Progress = Pick<Exchange, 'state' | 'bytesIn' | 'bytesOut' | 'isBodyComplete'>;

const SECOND = 1_000;
const WINDOW_BYTES = 30 * 1024;

/** As much of an exchange as the clock looks at. */
function exchange(progress: Partial<Progress>): Exchange {
  const all: Progress = { state: 'open', bytesIn: 0, bytesOut: 0, isBodyComplete: false, ...progress };
  return all as Exchange;
}

test('G8 an upload must bring 30 KiB in every 30 seconds', () => {
  const clock = new TransferClock(0);
  assert.equal(clock.look(29 * SECOND, exchange({ bytesIn: 0 })), 'wait');
  assert.equal(clock.look(30 * SECOND, exchange({ bytesIn: WINDOW_BYTES })), 'wait');
  assert.equal(clock.look(59 * SECOND, exchange({ bytesIn: WINDOW_BYTES })), 'wait');
  assert.equal(clock.look(60 * SECOND, exchange({ bytesIn: 2 * WINDOW_BYTES - 1 })), 'close');
});

test('G8 a stalled upload is closed within 10 to 35 seconds', () => {
  const clock = new TransferClock(0);
  let closedAt = 0;
  for (let now = 0; closedAt === 0 && now < 100 * SECOND; now += SECOND) {
    if (clock.look(now, exchange({ bytesIn: 1 })) === 'close') closedAt = now;
  }
  assert.ok(closedAt >= 10 * SECOND && closedAt <= 35 * SECOND, `${closedAt}`);
});

test('an early burst earns no later silence', () => {
  const clock = new TransferClock(0);
  const burst = exchange({ bytesIn: 100 * WINDOW_BYTES });
  assert.equal(clock.look(30 * SECOND, burst), 'wait');
  assert.equal(clock.look(60 * SECOND, burst), 'close');
});

test('G9 nothing is expected of a client that we keep from sending, for 30 seconds at most', () => {
  const clock = new TransferClock(0);
  clock.pause(20 * SECOND);
  clock.pause(40 * SECOND);
  assert.equal(clock.isPaused, true);
  assert.equal(clock.look(50 * SECOND, exchange({})), 'wait');
  assert.equal(clock.look(50 * SECOND + 1, exchange({})), 'close');
});

test('G9 the time of a pause does not count, and a new window begins behind it', () => {
  const clock = new TransferClock(0);
  clock.pause(SECOND);
  clock.resume(29 * SECOND, 500);
  assert.equal(clock.isPaused, false);
  assert.equal(clock.look(58 * SECOND, exchange({ bytesIn: 500 })), 'wait');
  assert.equal(clock.look(59 * SECOND, exchange({ bytesIn: 500 + WINDOW_BYTES })), 'wait');
  assert.equal(clock.look(89 * SECOND, exchange({ bytesIn: 500 + WINDOW_BYTES })), 'close');
});

test('a complete request may wait ten minutes for its answer', () => {
  const clock = new TransferClock(0);
  const complete = exchange({ isBodyComplete: true, bytesIn: 10 });
  assert.equal(clock.look(5 * SECOND, complete), 'wait');
  assert.equal(clock.look(605 * SECOND, complete), 'wait');
  assert.equal(clock.look(605 * SECOND + 1, complete), 'close');
});

test('G10 a download is kept alive every 4 seconds and ends after 60 without progress', () => {
  const clock = new TransferClock(0);
  const at = (seconds: number, bytesOut: number): string =>
    clock.look(seconds * SECOND, exchange({ state: 'streaming', bytesOut }));
  assert.equal(at(1, 100), 'wait');
  assert.equal(at(4, 100), 'rearm');
  assert.equal(at(5, 100), 'wait');
  assert.equal(at(8, 100), 'rearm');
  assert.equal(at(60, 101), 'rearm');
  assert.equal(at(120, 101), 'rearm');
  assert.equal(at(121, 101), 'close');
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
