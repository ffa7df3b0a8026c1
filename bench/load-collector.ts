/** Adds up what all threads report about one load, and keeps its course over time. */

import { nowMs } from './clock.ts';
import { Histogram } from './histogram.ts';
import type { LoadInterval } from './load/recorder.ts';
import type { LoadProgress } from './progress.ts';
import type { LatencySummary, LoadMoment, LoadResult } from './result.ts';
import type { Load } from './scenario.ts';

/** Seconds: what comes sooner after a point belongs to the next one. */
const SHORTEST_MOMENT = 0.1;

export class LoadCollector {
  private readonly load: Load;
  private readonly threads: number;
  private readonly startMs: number;
  private readonly latency = new Histogram();
  private readonly lateness = new Histogram();
  private readonly errors: Record<string, number> = {};
  private readonly moments: LoadMoment[] = [];
  private current = new Histogram();
  private currentRequests = 0;
  private currentBytes = 0;
  private currentErrors = 0;
  private requests = 0;
  private bytes = 0;
  private momentAt = 0;
  private reports = 0;

  /** For a load of so many threads whose time begins at `startMs` (monotonic). */
  constructor(load: Load, threads: number, startMs: number) {
    this.load = load;
    this.threads = threads;
    this.startMs = startMs;
  }

  /** The latest stretch of time, for the live display. */
  status(): LoadProgress {
    const errors = Object.values(this.errors).reduce((sum, count) => sum + count, 0);
    return { name: this.load.name, latest: this.moments.at(-1) ?? null, errors };
  }

  /** Takes the report of one thread. When all have reported once more, that is one point of the course. */
  add(interval: LoadInterval): void {
    this.latency.add(interval.latency);
    this.current.add(interval.latency);
    this.lateness.add(interval.lateness);
    this.currentRequests += interval.requests;
    this.currentBytes += interval.bytes;
    this.requests += interval.requests;
    this.bytes += interval.bytes;
    for (const [kind, count] of Object.entries(interval.errors)) {
      this.errors[kind] = (this.errors[kind] ?? 0) + count;
      this.currentErrors += count;
    }
    this.reports += 1;
    if (this.reports % this.threads === 0) this.closeMoment((nowMs() - this.startMs) / 1e3);
  }

  private closeMoment(atSeconds: number): void {
    const seconds = atSeconds - this.momentAt;
    if (seconds < SHORTEST_MOMENT) return;
    this.moments.push({
      atSeconds,
      requestsPerSecond: this.currentRequests / seconds,
      bytesPerSecond: Math.max(0, this.currentBytes / seconds),
      p50Ms: this.current.quantileMs(0.5),
      p99Ms: this.current.quantileMs(0.99),
      errors: this.currentErrors,
    });
    this.momentAt = atSeconds;
    this.current = new Histogram();
    this.currentRequests = 0;
    this.currentBytes = 0;
    this.currentErrors = 0;
  }

  /** The result for a measured time of `seconds`. */
  result(seconds: number): LoadResult {
    const isOpenLoop = this.load.ratePerSecond !== null;
    return {
      name: this.load.name,
      operation: this.load.operation,
      isOpenLoop,
      requests: this.requests,
      bytes: this.bytes,
      requestsPerSecond: this.requests / seconds,
      bytesPerSecond: this.bytes / seconds,
      latency: summarize(this.latency),
      distribution: this.latency.distribution(),
      errors: this.errors,
      latenessP99Ms: isOpenLoop ? this.lateness.quantileMs(0.99) : null,
      moments: this.moments.filter(({ atSeconds }) => atSeconds <= seconds + SHORTEST_MOMENT),
    };
  }
}

function summarize(histogram: Histogram): LatencySummary {
  return {
    count: histogram.total,
    meanMs: histogram.meanMs,
    p50Ms: histogram.quantileMs(0.5),
    p90Ms: histogram.quantileMs(0.9),
    p99Ms: histogram.quantileMs(0.99),
    p999Ms: histogram.quantileMs(0.999),
    maxMs: histogram.maxMs,
  };
}
