/**
 * Memory and processor time in use on the whole host. Sampled at most every ten seconds, however often it is asked: the
 * list of processors is slow to read on large machines.
 */

import { cpus, freemem, totalmem } from 'node:os';

/** What the host says at one moment. */
export interface HostReading {
  readonly totalMemoryBytes: number;
  /** What programs could still get; on Linux MemAvailable. */
  readonly freeMemoryBytes: number;
  /** Since the start of the host, summed over all processors. */
  readonly busyCpuMs: number;
  readonly idleCpuMs: number;
}

export interface HostUsageOptions {
  readonly read?: () => HostReading;
  readonly monotonicMs?: () => number;
}

const SAMPLE_INTERVAL_MS = 10_000;

export class HostUsage {
  private readonly read: () => HostReading;
  private readonly monotonicMs: () => number;
  private last: HostReading;
  private sampledAtMs: number;
  private percent = 0;

  constructor(options: HostUsageOptions = {}) {
    this.read = options.read ?? readHost;
    this.monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.last = this.read();
    this.sampledAtMs = this.monotonicMs();
  }

  /** Memory in use, in bytes. */
  get usedMemoryBytes(): number {
    this.sample();
    return this.last.totalMemoryBytes - this.last.freeMemoryBytes;
  }

  /** Share of all processors' time between the last two samples, 0 to 100; 0 until the second sample. */
  get cpuPercent(): number {
    this.sample();
    return this.percent;
  }

  private sample(): void {
    const nowMs = this.monotonicMs();
    if (nowMs - this.sampledAtMs < SAMPLE_INTERVAL_MS) return;
    const reading = this.read();
    const busyMs = reading.busyCpuMs - this.last.busyCpuMs;
    const allMs = busyMs + reading.idleCpuMs - this.last.idleCpuMs;
    this.percent = allMs > 0 ? Math.min(100, Math.max(0, (100 * busyMs) / allMs)) : 0;
    this.last = reading;
    this.sampledAtMs = nowMs;
  }
}

function readHost(): HostReading {
  let busyCpuMs = 0;
  let idleCpuMs = 0;
  for (const { times } of cpus()) {
    busyCpuMs += times.user + times.nice + times.sys + times.irq;
    idleCpuMs += times.idle;
  }
  return { totalMemoryBytes: totalmem(), freeMemoryBytes: freemem(), busyCpuMs, idleCpuMs };
}
