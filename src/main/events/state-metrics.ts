/** Gauges that say how the server is right now: each is read from its source at the scrape. */

import type { Registry } from 'prom-client';
import type { Durability } from '../../shared/files.ts';
import { type EventLoopLag, NO_LAG, worseLag } from './event-loop-lag.ts';
import type { HostUsage } from './host-usage.ts';
import { UPLOAD_PROTOCOLS, WARNING_REASONS } from './label-values.ts';
import { publishCounter, publishGauge, publishInfo, publishLabelledGauge } from './metric-families.ts';
import type { MetricsSources } from './metrics-sources.ts';

export interface StateMetricsOptions {
  readonly sources: MetricsSources;
  readonly version: string;
  readonly durability: Durability;
  readonly hostUsage: HostUsage;
  readonly lag: EventLoopLag;
}

export function publishStateMetrics(registry: Registry, options: StateMetricsOptions): void {
  const { sources, version, durability } = options;
  publishInfo(
    registry,
    { name: 'hmac_build_info', help: 'Versions of the server and of Node.js.' },
    { version, node: process.version },
  );
  publishInfo(
    registry,
    { name: 'hmac_store_info', help: 'Which syncs stand between the last byte and the acknowledgement.' },
    { durability },
  );
  publishServerState(registry, sources);
  publishPoolState(registry, sources);
  publishStoreState(registry, sources);
  publishUsage(registry, options);
}

function publishServerState(registry: Registry, sources: MetricsSources): void {
  publishGauge(registry, { name: 'hmac_ready', help: '1 while the server is ready for requests.' }, () =>
    Number(sources.isReady()),
  );
  publishGauge(registry, { name: 'hmac_active_connections_total', help: 'Open client connections.' }, () =>
    sources.openConnections(),
  );
  publishGauge(registry, { name: 'hmac_http_requests_in_flight', help: 'Requests that are being answered.' }, () =>
    sources.requestsInFlight(),
  );
  publishLabelledGauge(
    registry,
    { name: 'hmac_uploads_in_flight', help: 'Uploads that are being received.', label: 'protocol' },
    () => Object.fromEntries(UPLOAD_PROTOCOLS.map((protocol) => [protocol, sources.uploadsInFlight(protocol)])),
  );
  publishGauge(
    registry,
    { name: 'hmac_unfinished_uploads', help: 'Uploads that can be gone on with and are not complete.' },
    () => sources.unfinishedUploads(),
  );
  publishGauge(
    registry,
    { name: 'hmac_unfinished_upload_bytes', help: 'What unfinished uploads have brought and hold on the disk.' },
    () => sources.unfinishedUploadBytes(),
  );
  publishLabelledGauge(
    registry,
    { name: 'hmac_config_warnings', help: '1 for each doubtful setting.', label: 'reason' },
    () => {
      const warnings = sources.configWarnings();
      return Object.fromEntries(WARNING_REASONS.map((reason) => [reason, Number(warnings.has(reason))]));
    },
  );
  publishCounter(
    registry,
    { name: 'hmac_events_dropped_total', help: 'Events given up because subscribers were too slow.' },
    () => sources.droppedEvents(),
  );
  publishCounter(
    registry,
    { name: 'hmac_log_lines_dropped_total', help: 'Log lines lost because a target was full, slow or gone.' },
    () => sources.droppedLogLines(),
  );
}

function publishPoolState(registry: Registry, sources: MetricsSources): void {
  publishGauge(registry, { name: 'hmac_pool_workers', help: 'Worker threads.' }, () => sources.poolStats().workers);
  publishGauge(
    registry,
    { name: 'hmac_pool_busy_workers', help: 'Worker threads with work to do.' },
    () => sources.poolStats().busy,
  );
  publishGauge(
    registry,
    { name: 'hmac_pool_queued_tasks', help: 'Pieces of work that wait in worker threads.' },
    () => sources.poolStats().queued,
  );
  publishGauge(
    registry,
    { name: 'hmac_goroutines_count', help: 'Requests in progress and pieces of work in worker threads.' },
    () => {
      const { busy, queued } = sources.poolStats();
      return sources.requestsInFlight() + busy + queued;
    },
  );
}

function publishStoreState(registry: Registry, sources: MetricsSources): void {
  publishGauge(registry, { name: 'hmac_store_free_bytes', help: 'Free space of the store.' }, () =>
    sources.storeFreeBytes(),
  );
  publishGauge(registry, { name: 'hmac_store_degraded', help: '1 while the store refuses writes.' }, () =>
    Number(sources.isStoreDegraded()),
  );
}

function publishUsage(registry: Registry, { sources, hostUsage, lag }: StateMetricsOptions): void {
  publishGauge(
    registry,
    { name: 'hmac_memory_usage_bytes', help: 'Memory in use on the host.' },
    () => hostUsage.usedMemoryBytes,
  );
  publishGauge(
    registry,
    { name: 'hmac_cpu_usage_percent', help: 'Processor time in use on the host.' },
    () => hostUsage.cpuPercent,
  );
  publishLabelledGauge(
    registry,
    {
      name: 'hmac_event_loop_lag_seconds',
      help: 'Lateness of the event loop since the last scrape.',
      label: 'quantile',
    },
    () => {
      const { median, p99, max } = worseLag(lag.read(), sources.listenerLag() ?? NO_LAG);
      return { '0.5': median, '0.99': p99, max };
    },
  );
}
