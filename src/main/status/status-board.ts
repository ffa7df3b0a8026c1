/**
 * How the server is, second by second: figures of the last five minutes for the plots, and the state of this moment. It
 * counts from events and reads its sources once a second; nobody waits for it, and it waits for nobody.
 */

import type { Traffic } from '../../shared/traffic-count.ts';
import type { EventSubscriptions } from '../events/event-dispatcher.ts';
import { EventLoopLag, type LagReading, NO_LAG, worseLag } from '../events/event-loop-lag.ts';
import { type OpenUpload, OpenUploads } from './open-uploads.ts';
import { type RecentError, RecentErrors } from './recent-errors.ts';
import { type RequestFigures, RequestWindow } from './request-window.ts';

const INTERVAL_MS = 1_000;
const KEPT_SAMPLES = 300;
const LISTED_UPLOADS = 8;

/** Figures that others keep. Each function returns at once and never throws. */
export interface StatusSources {
  /** What `/readyz` says. */
  readonly state: () => string;
  readonly openConnections: () => number;
  readonly requestsInFlight: () => number;
  readonly uploadsInFlight: () => number;
  readonly traffic: () => Traffic;
  readonly poolStats: () => { readonly workers: number; readonly busy: number; readonly queued: number };
  readonly isDegraded: () => boolean;
  /** null: not known. */
  readonly space: () => { readonly freeBytes: number; readonly totalBytes: number } | null;
  /** Of event loops on other threads in the last second; null: there are none. */
  readonly listenerLag: () => LagReading | null;
}

/** One second. */
export interface StatusSample extends RequestFigures {
  /** When it ended: milliseconds since the epoch. */
  readonly timeMs: number;
  readonly receivedBytesPerSecond: number;
  readonly sentBytesPerSecond: number;
  /** How late the slowest event loop came to its work, milliseconds. */
  readonly lagMs: number;
  readonly queued: number;
}

/** This moment. */
export interface StatusNow {
  readonly state: string;
  readonly version: string;
  readonly startedMs: number;
  readonly connections: number;
  readonly requests: number;
  readonly uploads: number;
  readonly workers: number;
  readonly busyWorkers: number;
  /** The store refuses writes. */
  readonly isDegraded: boolean;
  readonly freeBytes: number | null;
  readonly totalBytes: number | null;
  readonly residentBytes: number;
  readonly longestUploads: readonly OpenUpload[];
  readonly errors: readonly RecentError[];
}

/** What viewers get: everything that is kept at first, then one sample after the other. */
export interface StatusUpdate {
  /** `samples` are all that are kept, not the latest alone. */
  readonly isWhole: boolean;
  readonly now: StatusNow;
  readonly samples: readonly StatusSample[];
}

export interface StatusBoardDependencies {
  readonly events: EventSubscriptions;
  readonly sources: StatusSources;
  readonly version: string;
}

export class StatusBoard {
  private readonly dependencies: StatusBoardDependencies;
  private readonly requests = new RequestWindow();
  private readonly uploads = new OpenUploads();
  private readonly errors = new RecentErrors();
  private readonly lag = new EventLoopLag();
  private readonly viewers = new Set<(update: StatusUpdate) => void>();
  private readonly unsubscribe: (() => void)[] = [];
  private readonly startedMs = Date.now() - process.uptime() * 1_000;
  private samples: StatusSample[] = [];
  private lastTraffic: Traffic = { receivedBytes: 0, sentBytes: 0 };
  private lastMs = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(dependencies: StatusBoardDependencies) {
    this.dependencies = dependencies;
  }

  /** Begins to count. */
  start(): void {
    const { events, sources } = this.dependencies;
    this.lag.start();
    this.lastTraffic = sources.traffic();
    this.lastMs = performance.now();
    this.timer = setInterval(() => this.tick(), INTERVAL_MS);
    this.unsubscribe.push(
      events.on('request.completed', ({ status, durationMs }) => this.requests.add(status, durationMs)),
      events.on('request.failed', ({ status, durationMs }) => this.requests.add(status, durationMs)),
      events.on('upload.created', (event) => this.uploads.began(event)),
      events.on('upload.suspended', (event) => this.uploads.ended(event)),
      events.on('upload.completed', (event) => this.uploads.ended(event)),
      events.on('upload.discarded', (event) => this.uploads.ended(event)),
      ...this.errors.listen(events),
    );
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.lag.stop();
    this.viewers.clear();
    for (const end of this.unsubscribe.splice(0)) end();
  }

  /** Everything that is kept. */
  get whole(): StatusUpdate {
    return { isWhole: true, now: this.now(), samples: this.samples };
  }

  /** Calls back with each new sample; the function it returns ends that. */
  watch(viewer: (update: StatusUpdate) => void): () => void {
    this.viewers.add(viewer);
    return () => this.viewers.delete(viewer);
  }

  private tick(): void {
    const sample = this.sample();
    this.samples = [...this.samples.slice(1 - KEPT_SAMPLES), sample];
    if (this.viewers.size === 0) return;
    const update = { isWhole: false, now: this.now(), samples: [sample] };
    for (const viewer of this.viewers) viewer(update);
  }

  private sample(): StatusSample {
    const { sources } = this.dependencies;
    const nowMs = performance.now();
    const traffic = sources.traffic();
    const seconds = Math.max(0.001, (nowMs - this.lastMs) / 1_000);
    const sample = {
      timeMs: Date.now(),
      receivedBytesPerSecond: Math.round((traffic.receivedBytes - this.lastTraffic.receivedBytes) / seconds),
      sentBytesPerSecond: Math.round((traffic.sentBytes - this.lastTraffic.sentBytes) / seconds),
      ...this.requests.take(),
      lagMs: worseLag(this.lag.read(), sources.listenerLag() ?? NO_LAG).p99 * 1_000,
      queued: sources.poolStats().queued,
    };
    this.lastTraffic = traffic;
    this.lastMs = nowMs;
    return sample;
  }

  private now(): StatusNow {
    const { sources, version } = this.dependencies;
    const { workers, busy } = sources.poolStats();
    const space = sources.space();
    const uploads = sources.uploadsInFlight();
    return {
      state: sources.state(),
      version,
      startedMs: this.startedMs,
      connections: sources.openConnections(),
      requests: sources.requestsInFlight(),
      uploads,
      workers,
      busyWorkers: busy,
      isDegraded: sources.isDegraded(),
      freeBytes: space?.freeBytes ?? null,
      totalBytes: space?.totalBytes ?? null,
      residentBytes: process.memoryUsage.rss(),
      longestUploads: this.uploads.longest(LISTED_UPLOADS, uploads),
      errors: this.errors.newestFirst,
    };
  }
}
