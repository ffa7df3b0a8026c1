/** Metrics with sources that a test can change, and a way to read single samples. */

import { EventDispatcher } from '../../src/main/events/event-dispatcher.ts';
import type { HostReading } from '../../src/main/events/host-usage.ts';
import { HostUsage } from '../../src/main/events/host-usage.ts';
import type { MetricsSources } from '../../src/main/events/metrics-sources.ts';
import { Metrics } from '../../src/main/events/metrics-subscriber.ts';
import type { ServerEventBody } from '../../src/shared/events.ts';

export class MetricsProbe {
  readonly events = new EventDispatcher();
  readonly metrics: Metrics;
  /** What the server is said to be like. */
  sources: MetricsSources = {
    isReady: () => false,
    requestsInFlight: () => 0,
    openConnections: () => 0,
    uploadsInFlight: () => 0,
    unfinishedUploads: () => 0,
    unfinishedUploadBytes: () => 0,
    poolStats: () => ({ workers: 0, busy: 0, queued: 0 }),
    storeFreeBytes: () => 0,
    isStoreDegraded: () => false,
    isExpirySuspended: () => false,
    configWarnings: () => new Set(),
    listenerLag: () => null,
    webhooks: () => ({ delivered: 0, failed: 0, dropped: 0, queued: 0 }),
    droppedEvents: () => 0,
    droppedLogLines: () => 0,
  };
  host: HostReading = { totalMemoryBytes: 1000, freeMemoryBytes: 1000, busyCpuMs: 0, idleCpuMs: 0 };
  hostTimeMs = 0;

  constructor() {
    const sources: MetricsSources = {
      isReady: () => this.sources.isReady(),
      requestsInFlight: () => this.sources.requestsInFlight(),
      openConnections: () => this.sources.openConnections(),
      uploadsInFlight: (protocol) => this.sources.uploadsInFlight(protocol),
      unfinishedUploads: () => this.sources.unfinishedUploads(),
      unfinishedUploadBytes: () => this.sources.unfinishedUploadBytes(),
      poolStats: () => this.sources.poolStats(),
      storeFreeBytes: () => this.sources.storeFreeBytes(),
      isStoreDegraded: () => this.sources.isStoreDegraded(),
      isExpirySuspended: () => this.sources.isExpirySuspended(),
      configWarnings: () => this.sources.configWarnings(),
      listenerLag: () => this.sources.listenerLag(),
      webhooks: () => this.sources.webhooks(),
      droppedEvents: () => this.sources.droppedEvents(),
      droppedLogLines: () => this.sources.droppedLogLines(),
    };
    const hostUsage = new HostUsage({ read: () => this.host, monotonicMs: () => this.hostTimeMs });
    this.metrics = new Metrics({ events: this.events, sources, version: '9.9.9', durability: 'full', hostUsage });
    this.metrics.start();
  }

  async publish(...bodies: readonly ServerEventBody[]): Promise<void> {
    for (const body of bodies) this.events.publish(body);
    await this.events.drain(10_000);
  }

  /** Every sample, by name and labels as they are exposed. */
  async samples(): Promise<ReadonlyMap<string, number>> {
    const samples = new Map<string, number>();
    for (const line of (await this.metrics.render('text')).split('\n')) {
      const end = line.lastIndexOf(' ');
      if (end > 0 && !line.startsWith('#')) samples.set(line.slice(0, end), Number(line.slice(end + 1)));
    }
    return samples;
  }

  stop(): void {
    this.metrics.stop();
  }
}
