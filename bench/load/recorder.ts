/** What one load in one thread has seen since the last report: counts, times, errors by kind. */

import { Histogram, type HistogramCounts } from '../histogram.ts';

/** Errors by kind. */
export type ErrorCounts = Readonly<Record<string, number>>;

/** One report of a load in a thread. */
export interface LoadInterval {
  /** Requests answered rightly inside the measured time. */
  readonly requests: number;
  /** Body bytes that moved inside the measured time, less those of requests that failed. */
  readonly bytes: number;
  readonly errors: ErrorCounts;
  readonly latency: HistogramCounts;
  /** How late the generator itself sent requests of an open loop. */
  readonly lateness: HistogramCounts;
}

export class Recorder {
  private readonly latency = new Histogram();
  private readonly lateness = new Histogram();
  private errors: Record<string, number> = {};
  private requests = 0;
  private bytes = 0;
  private lastAnswerMs = 0;

  /** When the last right answer was complete, monotonic; 0: none yet. */
  get lastMs(): number {
    return this.lastAnswerMs;
  }

  countBytes(bytes: number): void {
    this.bytes += bytes;
  }

  /** A right answer; `isInTime`: inside the measured time. Its latency counts in either case. */
  countAnswer(latencyMs: number, nowMs: number, isInTime: boolean): void {
    this.latency.record(latencyMs);
    if (isInTime) this.requests += 1;
    this.lastAnswerMs = nowMs;
  }

  countLateness(lateMs: number): void {
    this.lateness.record(lateMs);
  }

  countError(kind: string, count = 1): void {
    if (count > 0) this.errors[kind] = (this.errors[kind] ?? 0) + count;
  }

  /** Everything since the last call. */
  take(): LoadInterval {
    const taken = {
      requests: this.requests,
      bytes: this.bytes,
      errors: this.errors,
      latency: this.latency.take(),
      lateness: this.lateness.take(),
    };
    this.requests = 0;
    this.bytes = 0;
    this.errors = {};
    return taken;
  }
}
