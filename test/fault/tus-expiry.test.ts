/** An upload that nobody went on with, a day later. Needs libfaketime; the real clock is never changed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerProcess } from '../support/server-process.ts';
import { create, head, offsetOf, patch } from '../support/tus-wire.ts';
import { FakeClock } from './support/fake-clock.ts';

test('T-E3 an expired upload is 404 or 410 on HEAD and PATCH, and its slot is free', async () => {
  const first = await ServerProcess.start();
  const path = await create(first, 't-e3', 10);
  await patch(first, path, 0, 'hello');
  first.kill('SIGTERM');
  await first.exited;

  const almost = new FakeClock('+23h');
  const second = await ServerProcess.start({ storeDir: first.storeDir, environment: almost.environment });
  assert.equal(await offsetOf(second, path), 5, 'it is kept for a day');
  await second.stop();
  almost.remove();

  const later = new FakeClock('+49h');
  const third = await ServerProcess.start({ storeDir: first.storeDir, environment: later.environment });
  try {
    for (const response of [await head(third, path), await patch(third, path, 5, 'world')]) {
      assert.ok(response.status === 404 || response.status === 410, String(response.status));
    }
    await third.event('expiry.completed');
    const again = await create(third, 't-e3', 10);
    assert.equal(await offsetOf(third, again), 0, 'its slot is free');
  } finally {
    await third.stop();
    await first.stop();
    later.remove();
  }
});
