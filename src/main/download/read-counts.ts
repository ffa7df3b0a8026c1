/** How often files are read by way of lanes, within a second: who is read often is worth a place in memory. Bounded. */

import type { FileKey } from '../../shared/files.ts';

const MAX_COUNTED = 4_096;

/** What is known of a file that was read. */
export interface ReadCount {
  /** Reads since `sinceMs`. */
  readonly reads: number;
  readonly sinceMs: number;
  /** Of the whole body, when it was read last. */
  readonly bytes: number;
}

export class ReadCounts {
  private readonly periodMs: number;
  private readonly counts = new Map<FileKey, ReadCount>();

  constructor(periodMs: number) {
    this.periodMs = periodMs;
  }

  add(key: FileKey, bytes: number, nowMs: number): void {
    const { reads, sinceMs } = this.current(key, nowMs) ?? { reads: 0, sinceMs: nowMs };
    if (this.counts.size >= MAX_COUNTED) this.counts.clear();
    this.counts.set(key, { reads: reads + 1, sinceMs, bytes });
  }

  /** null: it was not read within this period. */
  current(key: FileKey, nowMs: number): ReadCount | null {
    const count = this.counts.get(key);
    return count === undefined || nowMs - count.sinceMs >= this.periodMs ? null : count;
  }

  /** The next read of the file is its first one. */
  forget(key: FileKey): void {
    this.counts.delete(key);
  }

  trim(nowMs: number): void {
    for (const [key, { sinceMs }] of this.counts) if (nowMs - sinceMs >= this.periodMs) this.counts.delete(key);
  }
}
