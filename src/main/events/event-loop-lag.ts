/** How late the event loop of this thread comes to its timers: the time in which nobody was served. */

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** Seconds. */
export interface LagReading {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

export const NO_LAG: LagReading = { median: 0, p99: 0, max: 0 };

/** The worse of two readings, figure by figure. */
export function worseLag(a: LagReading, b: LagReading): LagReading {
  return { median: Math.max(a.median, b.median), p99: Math.max(a.p99, b.p99), max: Math.max(a.max, b.max) };
}

const RESOLUTION_MS = 10;
const NANOSECONDS = 1e9;

export class EventLoopLag {
  private readonly delays: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  start(): void {
    this.delays.enable();
  }

  stop(): void {
    this.delays.disable();
  }

  /** What happened since the last call. */
  read(): LagReading {
    if (this.delays.count === 0) return NO_LAG;
    const reading = {
      median: lateness(this.delays.percentile(50)),
      p99: lateness(this.delays.percentile(99)),
      max: lateness(this.delays.max),
    };
    this.delays.reset();
    return reading;
  }
}

/** Node records the whole interval between two looks, the wanted one included. */
function lateness(intervalNs: number): number {
  return Math.max(0, intervalNs / NANOSECONDS - RESOLUTION_MS / 1000);
}
