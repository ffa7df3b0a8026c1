/** Every metric is moved by what it counts: one that never moves would be a lie on a dashboard. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricsSources } from '../../src/main/events/metrics-sources.ts';
import type { ServerEventBody } from '../../src/shared/events.ts';
import { MetricsProbe } from '../support/metrics-probe.ts';
import { sampleEvent } from '../support/sample-events.ts';

interface Row {
  /** As exposed. */
  readonly sample: string;
  readonly events?: readonly ServerEventBody[];
  readonly sources?: Partial<MetricsSources>;
  readonly from?: number;
  readonly to: number;
}

const put = { method: 'PUT', route: '/{file}' } as const;
const get = { method: 'GET', route: '/{file}' } as const;
const completed = (status: number, method = 'GET'): ServerEventBody =>
  sampleEvent('request.completed', { route: '/{file}', method, status });
const pool = { workers: 6, busy: 2, queued: 5 };

const webhooks = { delivered: 1, failed: 2, dropped: 3, queued: 4 };

const rows: readonly Row[] = [
  {
    sample: 'hmac_file_server_upload_duration_seconds_sum',
    events: [
      sampleEvent('upload.completed', { durationMs: 300 }),
      sampleEvent('upload.discarded', { durationMs: 700 }),
    ],
    to: 1,
  },
  {
    sample: 'hmac_file_server_upload_duration_seconds_bucket{le="0.5"}',
    events: [
      sampleEvent('upload.completed', { durationMs: 500 }),
      sampleEvent('upload.completed', { durationMs: 501 }),
    ],
    to: 1,
  },
  {
    sample: 'hmac_file_server_upload_errors_total',
    events: [sampleEvent('upload.discarded'), sampleEvent('upload.discarded', { reason: 'conflict' })],
    to: 2,
  },
  { sample: 'hmac_file_server_uploads_total', events: [sampleEvent('upload.completed')], to: 1 },
  {
    sample: 'hmac_file_server_upload_size_bytes_bucket{le="1000"}',
    events: [
      sampleEvent('upload.completed', { sizeBytes: 1000 }),
      sampleEvent('upload.completed', { sizeBytes: 1001 }),
    ],
    to: 1,
  },
  {
    sample: 'hmac_file_server_upload_size_bytes_bucket{le="+Inf"}',
    events: [sampleEvent('upload.completed', { sizeBytes: 2e9 })],
    to: 1,
  },
  {
    sample: 'hmac_file_server_download_duration_seconds_sum',
    events: [
      sampleEvent('download.completed', { durationMs: 250 }),
      sampleEvent('download.completed', { durationMs: 250, bytesOut: 0 }),
    ],
    to: 0.25,
  },
  {
    sample: 'hmac_file_server_downloads_total',
    events: [
      completed(200),
      completed(206),
      completed(304),
      completed(200, 'HEAD'),
      completed(404),
      completed(201, 'PUT'),
      sampleEvent('request.completed', { method: 'GET', route: 'other', status: 200 }),
    ],
    to: 4,
  },
  {
    sample: 'hmac_file_server_download_errors_total',
    events: [
      sampleEvent('download.refused', { status: 404 }),
      sampleEvent('download.refused', { status: 416 }),
      sampleEvent('download.refused', { status: 500 }),
      sampleEvent('download.refused', { status: 412 }),
      sampleEvent('download.aborted', { reason: 'io' }),
      sampleEvent('download.aborted', { reason: 'client' }),
      sampleEvent('download.aborted', { reason: 'timeout' }),
    ],
    to: 4,
  },
  {
    sample: 'hmac_file_server_download_size_bytes_sum',
    events: [sampleEvent('download.completed', { bytesOut: 500 }), sampleEvent('download.completed', { bytesOut: 0 })],
    to: 500,
  },
  { sample: 'hmac_active_connections_total', sources: { openConnections: () => 7 }, to: 7 },
  {
    sample: 'hmac_http_requests_total{method="PUT",path="/{file}"}',
    events: [sampleEvent('request.received', put)],
    to: 1,
  },
  {
    sample: 'hmac_http_requests_total{method="other",path="other"}',
    events: [sampleEvent('request.received', { method: 'BREW', route: 'other' })],
    to: 1,
  },
  {
    sample: 'hmac_goroutines_count',
    sources: { requestsInFlight: () => 3, poolStats: () => pool },
    to: 10,
  },
  { sample: 'hmac_build_info{version="9.9.9",node="NODE"}', from: 1, to: 1 },
  { sample: 'hmac_store_info{durability="full"}', from: 1, to: 1 },
  { sample: 'hmac_ready', sources: { isReady: () => true }, to: 1 },
  {
    sample: 'hmac_config_warnings{reason="short_secret"}',
    sources: { configWarnings: () => new Set(['short_secret'] as const) },
    to: 1,
  },
  {
    sample: 'hmac_http_responses_total{method="PUT",code="201"}',
    events: [sampleEvent('request.completed', { ...put, status: 201 })],
    to: 1,
  },
  {
    sample: 'hmac_http_responses_total{method="PUT",code="507"}',
    events: [
      sampleEvent('request.failed', { ...put, status: 507 }),
      sampleEvent('request.failed', { ...put, status: null }),
    ],
    to: 1,
  },
  {
    sample: 'hmac_http_responses_total{method="GET",code="other"}',
    events: [sampleEvent('request.completed', { ...get, status: 299 })],
    to: 1,
  },
  {
    sample: 'hmac_http_request_duration_seconds_bucket{le="60",method="GET",path="/{file}"}',
    events: [
      sampleEvent('request.completed', { ...get, durationMs: 45_000 }),
      sampleEvent('request.failed', { ...get, durationMs: 60_000 }),
      sampleEvent('request.failed', { ...get, durationMs: 61_000 }),
    ],
    to: 2,
  },
  { sample: 'hmac_http_requests_in_flight', sources: { requestsInFlight: () => 4 }, to: 4 },
  {
    sample: 'hmac_received_bytes_total',
    events: [sampleEvent('request.completed', { bytesIn: 10 }), sampleEvent('request.failed', { bytesIn: 5 })],
    to: 15,
  },
  {
    sample: 'hmac_sent_bytes_total',
    events: [sampleEvent('request.completed', { bytesOut: 20 }), sampleEvent('request.failed', { bytesOut: 6 })],
    to: 26,
  },
  {
    sample: 'hmac_signature_checks_total{scheme="v2",result="mismatch"}',
    events: [sampleEvent('signature.checked', { result: 'mismatch', secret: null })],
    to: 1,
  },
  {
    sample: 'hmac_signature_key_total{key="previous"}',
    events: [
      sampleEvent('signature.checked', { secret: 'previous' }),
      sampleEvent('signature.checked', { result: 'mismatch', secret: null }),
    ],
    to: 1,
  },
  {
    sample: 'hmac_uploads_in_flight{protocol="put"}',
    sources: { uploadsInFlight: (protocol) => (protocol === 'put' ? 2 : 0) },
    to: 2,
  },
  {
    sample: 'hmac_uploads_by_protocol_total{protocol="put"}',
    events: [sampleEvent('upload.completed')],
    to: 1,
  },
  {
    sample: 'hmac_uploads_cut_total{reason="no_space",kept="no"}',
    events: [sampleEvent('upload.discarded', { reason: 'no_space' })],
    to: 1,
  },
  {
    sample: 'hmac_uploads_cut_total{reason="client",kept="yes"}',
    events: [sampleEvent('upload.suspended', { reason: 'client' })],
    to: 1,
  },
  { sample: 'hmac_unfinished_uploads', sources: { unfinishedUploads: () => 3 }, to: 3 },
  { sample: 'hmac_unfinished_upload_bytes', sources: { unfinishedUploadBytes: () => 4096 }, to: 4096 },
  { sample: 'hmac_unfinished_uploads_expired_total', events: [sampleEvent('upload.expired')], to: 1 },
  { sample: 'hmac_versions_created_total', events: [sampleEvent('version.rotated')], to: 1 },
  { sample: 'hmac_versions_removed_total', events: [sampleEvent('version.removed')], to: 1 },
  { sample: 'hmac_files_expired_total', events: [sampleEvent('file.expired'), sampleEvent('file.expired')], to: 2 },
  { sample: 'hmac_expired_bytes_total', events: [sampleEvent('file.expired')], to: 1000 },
  { sample: 'hmac_deletes_total{result="ok"}', events: [sampleEvent('deletion.completed')], to: 1 },
  { sample: 'hmac_expiry_duration_seconds', events: [sampleEvent('expiry.completed')], to: 1.2345 },
  { sample: 'hmac_expiry_suspended', sources: { isExpirySuspended: () => true }, to: 1 },
  { sample: 'hmac_store_files', events: [sampleEvent('expiry.completed'), sampleEvent('upload.completed')], to: 99 },
  { sample: 'hmac_store_bytes', events: [sampleEvent('expiry.completed'), sampleEvent('file.expired')], to: 97_000 },
  { sample: 'hmac_store_files', events: [sampleEvent('expiry.completed'), sampleEvent('file.deleted')], to: 97 },
  { sample: 'hmac_store_free_bytes', sources: { storeFreeBytes: () => 1e12 }, to: 1e12 },
  { sample: 'hmac_store_degraded', sources: { isStoreDegraded: () => true }, to: 1 },
  { sample: 'hmac_pool_workers', sources: { poolStats: () => pool }, to: 6 },
  { sample: 'hmac_pool_busy_workers', sources: { poolStats: () => pool }, to: 2 },
  { sample: 'hmac_pool_queued_tasks', sources: { poolStats: () => pool }, to: 5 },
  { sample: 'hmac_pool_worker_crashes_total', events: [sampleEvent('worker.crashed')], to: 1 },
  {
    sample: 'hmac_events_total{type="connection.opened"}',
    events: [sampleEvent('connection.opened'), sampleEvent('connection.opened'), sampleEvent('connection.closed')],
    to: 2,
  },
  { sample: 'hmac_events_dropped_total', sources: { droppedEvents: () => 8 }, to: 8 },
  { sample: 'hmac_log_lines_dropped_total', sources: { droppedLogLines: () => 9 }, to: 9 },
  { sample: 'hmac_webhooks_delivered_total', sources: { webhooks: () => webhooks }, to: 1 },
  { sample: 'hmac_webhook_attempts_failed_total', sources: { webhooks: () => webhooks }, to: 2 },
  { sample: 'hmac_webhooks_dropped_total', sources: { webhooks: () => webhooks }, to: 3 },
  { sample: 'hmac_webhooks_queued', sources: { webhooks: () => webhooks }, to: 4 },
];

for (const { sample, events = [], sources = {}, from = 0, to } of rows) {
  test(`${sample} goes from ${from} to ${to}`, async () => {
    const probe = new MetricsProbe();
    const key = sample.replace('NODE', process.version);
    assert.equal((await probe.samples()).get(key), from);
    probe.sources = { ...probe.sources, ...sources };
    await probe.publish(...events);
    assert.equal((await probe.samples()).get(key), to);
    probe.stop();
  });
}

test('hmac_memory_usage_bytes and hmac_cpu_usage_percent are those of the host, sampled every 10 s at most', async () => {
  const probe = new MetricsProbe();
  const read = async (): Promise<readonly (number | undefined)[]> => {
    const samples = await probe.samples();
    return [samples.get('hmac_memory_usage_bytes'), samples.get('hmac_cpu_usage_percent')];
  };
  assert.deepEqual(await read(), [0, 0]);
  probe.host = { totalMemoryBytes: 1000, freeMemoryBytes: 400, busyCpuMs: 3000, idleCpuMs: 9000 };
  probe.hostTimeMs = 9_999;
  assert.deepEqual(await read(), [0, 0]);
  probe.hostTimeMs = 10_000;
  assert.deepEqual(await read(), [600, 25]);
  probe.stop();
});

test('hmac_event_loop_lag_seconds tells how long the event loop was blocked, once', async () => {
  const probe = new MetricsProbe();
  const max = async (): Promise<number> =>
    (await probe.samples()).get('hmac_event_loop_lag_seconds{quantile="max"}') ?? 0;
  const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 15));
  let seen = 0;
  // The first interval after a look is not recorded, so the loop is blocked until it is seen.
  for (let attempt = 0; attempt < 50 && seen < 0.05; attempt += 1) {
    await wait();
    await wait();
    const untilMs = performance.now() + 80;
    while (performance.now() < untilMs);
    await wait();
    seen = await max();
  }
  assert.ok(seen >= 0.05 && seen < 5, `${seen} s`);
  const samples = await probe.samples();
  assert.ok(samples.has('hmac_event_loop_lag_seconds{quantile="0.5"}'));
  assert.ok(samples.has('hmac_event_loop_lag_seconds{quantile="0.99"}'));
  probe.stop();
});

test('process_* metrics describe this process', async () => {
  const probe = new MetricsProbe();
  const first = await probe.samples();
  const untilMs = performance.now() + 30;
  while (performance.now() < untilMs);
  const second = await probe.samples();
  const value = (name: string): number => second.get(name) ?? Number.NaN;
  assert.ok(value('process_cpu_seconds_total') > (first.get('process_cpu_seconds_total') ?? Number.NaN));
  assert.ok(value('process_resident_memory_bytes') > 10_000_000);
  assert.ok(value('process_virtual_memory_bytes') > value('process_resident_memory_bytes'));
  assert.ok(value('process_open_fds') > 2 && value('process_open_fds') < value('process_max_fds'));
  assert.ok(Math.abs(value('process_start_time_seconds') - (Date.now() / 1000 - process.uptime())) < 2);
  probe.stop();
});

test('hmac_expiry_last_run_timestamp_seconds is the time at which a pass ended, and 0 before the first', async () => {
  const probe = new MetricsProbe();
  assert.equal((await probe.samples()).get('hmac_expiry_last_run_timestamp_seconds'), 0);
  await probe.publish(sampleEvent('expiry.completed'));
  const endedSeconds = (await probe.samples()).get('hmac_expiry_last_run_timestamp_seconds') ?? 0;
  assert.ok(Math.abs(endedSeconds - Date.now() / 1000) < 2);
  probe.stop();
});

test('hmac_store_free_bytes has no sample while the figure is unknown', async () => {
  const probe = new MetricsProbe();
  probe.sources = { ...probe.sources, storeFreeBytes: () => null };
  assert.equal((await probe.samples()).has('hmac_store_free_bytes'), false);
  probe.sources = { ...probe.sources, storeFreeBytes: () => 5 };
  assert.equal((await probe.samples()).get('hmac_store_free_bytes'), 5);
  probe.stop();
});

test('every exported metric is moved by a test in this file', () => {
  const probe = new MetricsProbe();
  const inTable = rows.map(({ sample }) => sample.replace(/(_bucket|_sum)?(\{.*)?$/, ''));
  const others = probe.metrics.names.filter((name) => !inTable.includes(name));
  assert.deepEqual(
    [...others].sort(),
    [
      'hmac_cpu_usage_percent',
      'hmac_event_loop_lag_seconds',
      'hmac_expiry_last_run_timestamp_seconds',
      'hmac_memory_usage_bytes',
      'process_cpu_seconds_total',
      'process_max_fds',
      'process_open_fds',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
      'process_virtual_memory_bytes',
    ],
    'these have tests of their own; any other needs a row in the table',
  );
  probe.stop();
});

test('stops counting when it is stopped', async () => {
  const probe = new MetricsProbe();
  probe.stop();
  assert.equal(probe.events.wants('request.received'), false);
  await probe.publish(sampleEvent('upload.completed'));
  assert.equal((await probe.samples()).get('hmac_file_server_uploads_total'), 0);
});
