/** What the status page counts: endings and times of requests, open uploads, errors, traffic of several threads. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventDispatcher } from '../../src/main/events/event-dispatcher.ts';
import { OpenUploads } from '../../src/main/status/open-uploads.ts';
import { RecentErrors } from '../../src/main/status/recent-errors.ts';
import { RequestWindow } from '../../src/main/status/request-window.ts';
import { TrafficCount } from '../../src/shared/traffic-count.ts';
import { sampleEvent } from '../support/sample-events.ts';

test('requests are counted by how they ended, once, and nothing is left for the next second', () => {
  const requests = new RequestWindow();
  for (const status of [200, 201, 206, 304, 404, 403, 500, null]) requests.add(status, 1);
  assert.deepEqual(requests.take().endings, { '2xx': 3, '3xx': 1, '4xx': 2, '5xx': 1, cut: 1 });
  assert.deepEqual(requests.take(), {
    endings: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, cut: 0 },
    p50Ms: null,
    p99Ms: null,
  });
});

test('percentiles are right to a twentieth, from a microsecond to an hour', () => {
  const durations = fc.array(fc.double({ min: 0.001, max: 3_600_000, noNaN: true }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(durations, (list) => {
      const requests = new RequestWindow();
      for (const duration of list) requests.add(200, duration);
      const sorted = list.toSorted((a, b) => a - b);
      const { p50Ms, p99Ms } = requests.take();
      for (const [share, found] of [
        [0.5, p50Ms],
        [0.99, p99Ms],
      ] as const) {
        const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
        assert.ok(found !== null && Math.abs(found / exact - 1) < 0.05, `${found} for ${exact}`);
      }
    }),
  );
});

test('times below and above what is told apart are counted all the same', () => {
  const requests = new RequestWindow();
  requests.add(200, 0);
  assert.equal(requests.take().p50Ms, 0.001);
  requests.add(200, 1e12);
  assert.ok((requests.take().p50Ms ?? 0) > 3_600_000);
});

const created = (uploadId: string) => ({
  ...sampleEvent('upload.created', { uploadId, fileId: uploadId }),
  seq: 1,
  time: 1,
});

test('the longest uploads come first, and those that ended are gone', () => {
  const uploads = new OpenUploads();
  for (const id of ['a', 'b', 'c', 'd']) uploads.began(created(id));
  uploads.ended({ uploadId: 'b' });
  assert.deepEqual(
    uploads.longest(2, 3).map(({ fileId }) => fileId),
    ['a', 'c'],
  );
});

test('uploads whose end was never told are forgotten when there are none', () => {
  const uploads = new OpenUploads();
  uploads.began(created('a'));
  assert.equal(uploads.longest(8, 1).length, 1);
  assert.equal(uploads.longest(8, 0).length, 0);
  assert.equal(uploads.longest(8, 1).length, 0);
});

test('a flood of uploads whose ends get lost does not fill the memory', () => {
  const uploads = new OpenUploads();
  for (let n = 0; n < 20_000; n += 1) uploads.began(created(String(n)));
  assert.equal(uploads.longest(100_000, 1).length, 5_000);
});

test('the last 20 errors are kept, newest first; what clients do is none', async () => {
  const events = new EventDispatcher();
  const errors = new RecentErrors();
  errors.listen(events);
  for (let n = 0; n < 25; n += 1) events.publish(sampleEvent('request.failed', { path: `/files/${n}` }));
  for (const code of ['client', 'timeout', 'shutdown']) events.publish(sampleEvent('request.failed', { code }));
  events.publish(sampleEvent('worker.crashed'));
  events.publish(sampleEvent('storage.degraded'));
  events.publish(sampleEvent('server.failed'));
  events.publish(sampleEvent('config.rejected', { message: 'x'.repeat(10_000) }));
  await events.drain();
  const list = errors.newestFirst;
  assert.equal(list.length, 20);
  assert.deepEqual(
    list.slice(0, 5).map(({ subject }) => subject),
    ['configuration', 'server: ERR_ASSERTION', 'store', 'worker upload-0', 'PUT /files/24'],
  );
  assert.equal(list[0]?.message.length, 300);
});

test('traffic is the sum of all threads, beyond what 32 bits hold', () => {
  const shared = TrafficCount.allocate(3);
  const [first, second] = [new TrafficCount(shared, 0), new TrafficCount(shared, 2)];
  first.add(5e12, 1);
  second.add(1, 2);
  assert.deepEqual(first.total, { receivedBytes: 5e12 + 1, sentBytes: 3 });
  assert.deepEqual(second.total, first.total);
});
