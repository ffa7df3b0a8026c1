/** Short jobs in a real thread on a real store. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { EventDispatcher } from '../../src/main/events/event-dispatcher.ts';
import { JobError, JobPool } from '../../src/main/lanes/job-pool.ts';
import { StoreFixture } from '../support/store-fixture.ts';

let store: StoreFixture;
let jobs: JobPool;

beforeEach(() => {
  store = new StoreFixture();
  jobs = new JobPool({ settings: store.settings, events: new EventDispatcher() });
});

afterEach(async () => {
  await jobs.stop();
  store.remove();
});

test('runs the jobs one after the other, and counts them', async () => {
  const prepared = jobs.run({ task: 'prepare' });
  const probed = jobs.run({ task: 'probe', identity: store.identity });
  assert.deepEqual(jobs.stats, { workers: 1, busy: 1, queued: 1 });
  await prepared;
  assert.equal(await probed, null);
  const { freeBytes, totalBytes } = await jobs.run({ task: 'watch', identity: store.identity });
  assert.ok(freeBytes <= totalBytes);
  writeFileSync(store.pathOf('.hfs/staging/left'), '');
  assert.equal((await jobs.run({ task: 'recover' })).removedStagingFiles, 1);
  assert.deepEqual(jobs.stats, { workers: 1, busy: 0, queued: 0 });
});

test('passes on what a job says when it fails', async () => {
  store.remove();
  await assert.rejects(jobs.run({ task: 'probe', identity: store.identity }), (error) => {
    assert.ok(error instanceof JobError);
    assert.match(error.failure.detail, /^ENOENT /);
    return true;
  });
});
