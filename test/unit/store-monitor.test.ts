/** The health of the store: what degrades it, and what it takes to recover (storage-commit §9). */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { EventDispatcher } from '../../src/main/events/event-dispatcher.ts';
import { StoreMonitor } from '../../src/main/store/store-health.ts';
import type { EventOf } from '../../src/shared/events.ts';
import { SharedFlag } from '../../src/shared/shared-flag.ts';
import type { StorageErrorCode, StorageFailure } from '../../src/shared/storage-error.ts';

const BROKEN: StorageFailure = { code: 'io', detail: 'EIO fdatasync' };
const INTERVAL_MS = 5_000;

let flag: SharedFlag;
let monitor: StoreMonitor;
let events: EventDispatcher;
let told: EventOf<'storage.degraded'>[];
let probes: number;
/** How the next probes end; without one they hang. */
let outcomes: (() => Promise<void>)[];

const succeed = (): Promise<void> => Promise.resolve();
const fail = (): Promise<void> => Promise.reject(new Error('still broken'));

beforeEach(() => {
  mock.timers.enable({ apis: ['setInterval'] });
  events = new EventDispatcher();
  told = [];
  events.on('storage.degraded', (event) => void told.push(event));
  probes = 0;
  outcomes = [];
  flag = new SharedFlag(SharedFlag.allocate());
  const probe = (): Promise<void> => {
    probes += 1;
    return outcomes.shift()?.() ?? new Promise(() => {});
  };
  monitor = new StoreMonitor({ flag, events, probe });
});

afterEach(async () => {
  monitor.stop();
  await events.drain(1_000);
  mock.timers.reset();
});

/** Lets so many probe intervals pass. */
async function pass(intervals: number): Promise<void> {
  for (let count = 0; count < intervals; count += 1) {
    mock.timers.tick(INTERVAL_MS);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await events.drain(1_000);
}

const degrades: Readonly<Record<StorageErrorCode, boolean>> = {
  'signature-mismatch': false,
  exists: false,
  'path-conflict': false,
  'not-found': false,
  'no-space': false,
  'over-quota': false,
  'too-large': false,
  'size-mismatch': false,
  'digest-mismatch': false,
  'store-unavailable': true,
  'too-many-files': false,
  overloaded: false,
  denied: false,
  io: true,
  'worker-lost': false,
};

for (const [code, isDegrading] of Object.entries(degrades)) {
  test(`a failure "${code}" ${isDegrading ? 'degrades the store' : 'says nothing about the store'}`, () => {
    monitor.report({ code: code as StorageErrorCode, detail: 'test' });
    assert.equal(monitor.isDegraded, isDegrading);
    assert.equal(flag.isSet, isDegrading, 'every data plane sees it');
  });
}

test('F19 three good probes in a row end it, five seconds apart', async () => {
  monitor.report(BROKEN);
  outcomes = [succeed, succeed, fail, succeed, succeed, succeed];
  await pass(5);
  assert.equal(monitor.isDegraded, true, 'a bad one begins the row anew');
  await pass(1);
  assert.equal(monitor.isDegraded, false);
  await pass(3);
  assert.equal(probes, 6, 'nobody probes a healthy store');
  assert.deepEqual(
    told.map(({ code, recovered }) => [code, recovered]),
    [
      ['EIO fdatasync', false],
      ['EIO fdatasync', true],
    ],
  );
});

test('a failure while it is degraded begins the row anew, and is not told again', async () => {
  monitor.report(BROKEN);
  outcomes = [succeed, succeed, succeed, succeed, succeed];
  await pass(2);
  monitor.report({ code: 'store-unavailable', detail: 'EROFS open' });
  await pass(2);
  assert.equal(monitor.isDegraded, true);
  assert.equal(told.length, 1);
  await pass(1);
  assert.equal(monitor.isDegraded, false);
});

test('F28 a probe that hangs is not joined by others', async () => {
  monitor.report(BROKEN);
  await pass(10);
  assert.equal(probes, 1);
  assert.equal(monitor.isDegraded, true);
});

test('a store that breaks again is degraded again', async () => {
  for (const round of [1, 2]) {
    monitor.report(BROKEN);
    outcomes = [succeed, succeed, succeed];
    await pass(3);
    assert.equal(monitor.isDegraded, false, `round ${round}`);
  }
  assert.equal(told.length, 4);
});
