/** Who decides that the store takes no writes, and who only sees it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventDispatcher } from '../../src/main/events/event-dispatcher.ts';
import { StoreHealthReporter, StoreMonitor } from '../../src/main/store/store-health.ts';
import { SharedFlag } from '../../src/shared/shared-flag.ts';
import type { StorageFailure } from '../../src/shared/storage-error.ts';

const IO: StorageFailure = { code: 'io', detail: 'EIO write' };
const EXISTS: StorageFailure = { code: 'exists', detail: 'name is taken' };

test('a reporter passes on what says something about the store, and sees what the monitor decides', async () => {
  const shared = SharedFlag.allocate();
  const events = new EventDispatcher();
  const codes: string[] = [];
  events.on('storage.degraded', ({ code }) => void codes.push(code));
  const monitor = new StoreMonitor({ flag: new SharedFlag(shared), events, probe: async () => undefined });
  const sent: StorageFailure[] = [];
  const reporter = new StoreHealthReporter({
    flag: new SharedFlag(shared),
    send: (failure) => void sent.push(failure),
  });
  reporter.report(EXISTS);
  reporter.report(IO);
  assert.deepEqual(sent, [IO]);
  assert.equal(reporter.isDegraded, false);
  monitor.report(EXISTS);
  assert.equal(reporter.isDegraded, false);
  for (const failure of [...sent, IO]) monitor.report(failure);
  assert.equal(reporter.isDegraded, true);
  monitor.stop();
  await events.drain();
  assert.deepEqual(codes, ['EIO write']);
});
