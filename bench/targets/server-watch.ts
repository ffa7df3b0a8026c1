/** Watches the processes of a server while it is measured: CPU time, memory, and which of its threads is busiest. */

import { nowMs } from '../clock.ts';
import type { ServerMoment, ServerUsage } from '../result.ts';
import { type ProcessUsage, readPeak, readThreads, readUsage, resetPeaks } from './process-usage.ts';

const SAMPLE_MS = 250;

export class ServerWatch {
  private readonly pids: readonly number[];
  private readonly startMs = nowMs();
  private readonly threadsBefore: Map<number, number>;
  private readonly first: ProcessUsage | null;
  private readonly timer: NodeJS.Timeout;
  private readonly moments: ServerMoment[] = [];
  private last: ProcessUsage | null;
  private lastMs = nowMs();

  /** Begins at once. */
  constructor(pids: readonly number[]) {
    this.pids = pids;
    resetPeaks(pids);
    this.threadsBefore = readThreads(pids);
    this.first = readUsage(pids);
    this.last = this.first;
    this.timer = setInterval(() => this.sample(), SAMPLE_MS);
  }

  /** Ends, and says what was used; null when the processes are not known. */
  end(): ServerUsage | null {
    clearInterval(this.timer);
    this.sample();
    if (this.first === null || this.last === null) return null;
    const seconds = (nowMs() - this.startMs) / 1e3;
    const cpuSeconds = (this.last.cpuMs - this.first.cpuMs) / 1e3;
    let busiestMs = 0;
    for (const [thread, cpuMs] of readThreads(this.pids)) {
      busiestMs = Math.max(busiestMs, cpuMs - (this.threadsBefore.get(thread) ?? 0));
    }
    return {
      cpuSeconds,
      cpuCores: cpuSeconds / seconds,
      busiestThread: busiestMs / 1e3 / seconds,
      peakResidentBytes: readPeak(this.pids),
      moments: this.moments,
    };
  }

  private sample(): void {
    const now = nowMs();
    const usage = readUsage(this.pids);
    if (usage === null || this.last === null) return;
    if (now - this.lastMs < SAMPLE_MS / 2 && this.moments.length > 0) {
      this.last = usage;
      return;
    }
    this.moments.push({
      atSeconds: (now - this.startMs) / 1e3,
      cpuCores: (usage.cpuMs - this.last.cpuMs) / (now - this.lastMs),
      residentBytes: usage.residentBytes,
    });
    this.last = usage;
    this.lastMs = now;
  }
}
