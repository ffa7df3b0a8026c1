/** When all that has arrived of a body counts as read: by the turns of the event loop, within a bound of bytes and time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastBytes } from '../../src/main/upload/last-bytes.ts';

/** A socket that brings so many bytes in each turn, one after the other. */
class Arrivals {
  receivedBytes = 1_000;
  turns = 0;
  readonly ended: Promise<void>;
  readonly lastBytes: LastBytes;
  isOver = false;

  constructor(perTurn: readonly number[], isPaused = false) {
    let onEnd = (): void => {};
    this.ended = new Promise((resolve) => {
      onEnd = resolve;
    });
    this.lastBytes = new LastBytes({
      receivedBytes: () => this.receivedBytes,
      isPaused,
      onEnd: () => {
        this.isOver = true;
        onEnd();
      },
    });
    this.bring(perTurn);
  }

  private bring([bytes, ...later]: readonly number[]): void {
    if (bytes === undefined || this.isOver) return;
    setImmediate(() => {
      this.turns += 1;
      this.receivedBytes += bytes;
      this.bring(later);
    });
  }
}

async function pass(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
}

test('a whole turn without a byte is the end, and none before it', async () => {
  const { ended, ...silent } = new Arrivals([]);
  await ended;
  assert.equal(silent.receivedBytes, 1_000);
  const busy = new Arrivals([10, 20, 30]);
  await busy.ended;
  assert.deepEqual([busy.receivedBytes, busy.turns], [1_060, 3]);
});

test('a socket that is not read from is waited for', async () => {
  const arrivals = new Arrivals([], true);
  await pass(10);
  assert.equal(arrivals.isOver, false);
  arrivals.lastBytes.resumed();
  await arrivals.ended;
});

test('a pause in the middle begins the turn anew', async () => {
  const arrivals = new Arrivals([1]);
  await pass(1);
  arrivals.lastBytes.paused();
  await pass(10);
  assert.equal(arrivals.isOver, false);
  arrivals.lastBytes.resumed();
  await arrivals.ended;
});

test('a client that goes on sending is cut off after 32 MiB', async () => {
  const bytes = 1024 * 1024;
  const arrivals = new Arrivals(new Array<number>(1_000).fill(bytes));
  await arrivals.ended;
  const beyond = arrivals.receivedBytes - 1_000;
  assert.ok(beyond >= 32 * bytes && beyond <= 34 * bytes, `${beyond}`);
});

test('a disk that does not let the socket be read is waited for 2 seconds', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const arrivals = new Arrivals([], true);
  t.mock.timers.tick(1_999);
  assert.equal(arrivals.isOver, false);
  t.mock.timers.tick(1);
  await arrivals.ended;
});

test('what was stopped does not end', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const arrivals = new Arrivals([]);
  arrivals.lastBytes.stop();
  await pass(5);
  t.mock.timers.tick(10_000);
  assert.equal(arrivals.isOver, false);
});
