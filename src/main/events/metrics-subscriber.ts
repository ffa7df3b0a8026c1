/**
 * The server's metrics: counters fed by events, gauges read from their sources when somebody scrapes. A scrape touches no
 * disk, waits for no worker and creates no series.
 */

import { Registry } from 'prom-client';
import type { Durability } from '../../shared/files.ts';
import type { EventSubscriptions } from './event-dispatcher.ts';
import { EventLoopLag } from './event-loop-lag.ts';
import { ExpiryMetrics } from './expiry-metrics.ts';
import { type ExpositionFormat, toOpenMetrics } from './exposition.ts';
import { HostUsage } from './host-usage.ts';
import { EVENT_TYPE } from './label-values.ts';
import { LabelledCounter, publishCounter } from './metric-families.ts';
import type { MetricsSources } from './metrics-sources.ts';
import { publishProcessMetrics } from './process-metrics.ts';
import { RequestMetrics } from './request-metrics.ts';
import { publishStateMetrics } from './state-metrics.ts';
import { TransferMetrics } from './transfer-metrics.ts';
import { VersionMetrics } from './version-metrics.ts';
import { publishWebhookMetrics } from './webhook-metrics.ts';

export interface MetricsOptions {
  readonly events: EventSubscriptions;
  readonly sources: MetricsSources;
  readonly version: string;
  readonly durability: Durability;
  /** Of the host; the real one, unless given. */
  readonly hostUsage?: HostUsage;
}

export class Metrics {
  private readonly registry = new Registry();
  private readonly events: EventSubscriptions;
  private readonly lag = new EventLoopLag();
  private readonly requests: RequestMetrics;
  private readonly transfers: TransferMetrics;
  private readonly versions: VersionMetrics;
  private readonly expiry: ExpiryMetrics;
  private readonly eventCounts: LabelledCounter;
  private readonly unsubscribe: (() => void)[] = [];
  private workerCrashes = 0;

  constructor(options: MetricsOptions) {
    const registry = this.registry;
    this.events = options.events;
    this.requests = new RequestMetrics(registry);
    this.transfers = new TransferMetrics(registry);
    this.versions = new VersionMetrics(registry);
    this.expiry = new ExpiryMetrics(registry, options.sources);
    this.eventCounts = new LabelledCounter(registry, {
      name: 'hmac_events_total',
      help: 'Events delivered, by type.',
      labels: [EVENT_TYPE],
    });
    publishCounter(
      registry,
      { name: 'hmac_pool_worker_crashes_total', help: 'Worker threads that died and were replaced.' },
      () => this.workerCrashes,
    );
    publishStateMetrics(registry, { ...options, hostUsage: options.hostUsage ?? new HostUsage(), lag: this.lag });
    publishWebhookMetrics(registry, options.sources);
    publishProcessMetrics(registry);
  }

  /** Names of everything that is exported. */
  get names(): readonly string[] {
    return this.registry.getMetricsAsArray().map(({ name }) => name);
  }

  /** Begins to count. */
  start(): void {
    this.lag.start();
    this.unsubscribe.push(
      this.events.on('*', ({ type }) => this.eventCounts.inc(type)),
      this.events.on('worker.crashed', () => {
        this.workerCrashes += 1;
      }),
      ...this.requests.listen(this.events),
      ...this.transfers.listen(this.events),
      ...this.versions.listen(this.events),
      ...this.expiry.listen(this.events),
    );
  }

  /** Everything that is exported, at this moment. */
  async render(format: ExpositionFormat): Promise<string> {
    const text = await this.registry.metrics();
    return format === 'openmetrics' ? toOpenMetrics(text) : text;
  }

  stop(): void {
    this.lag.stop();
    for (const end of this.unsubscribe.splice(0)) end();
  }
}
