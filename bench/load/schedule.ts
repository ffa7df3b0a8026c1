/**
 * When requests begin. In a closed loop whenever a connection is free; in an open loop at times fixed beforehand, whatever the server
 * does: latency counts from there, so that a stall is seen by every request that it delayed (no coordinated omission).
 */

import type { Random } from '../random.ts';

export interface Schedule {
  /** Takes the next request if it is due: the time from which its latency counts. Null: none is due now. */
  take(nowMs: number): number | null;
  /** From `endMs` on nothing more becomes due. */
  end(endMs: number): void;
  /** True when nothing will ever be due again. */
  readonly isOver: boolean;
  /** Requests that became due and were not taken. */
  countWaiting(): number;
}

export class ClosedSchedule implements Schedule {
  private endMs = Number.POSITIVE_INFINITY;
  isOver = false;

  take(nowMs: number): number | null {
    if (nowMs >= this.endMs) this.isOver = true;
    return this.isOver ? null : nowMs;
  }

  end(endMs: number): void {
    this.endMs = endMs;
  }

  countWaiting(): number {
    return 0;
  }
}

export class OpenSchedule implements Schedule {
  private readonly intervalMs: number;
  private readonly random: Random | null;
  private dueMs: number;
  private endMs = Number.POSITIVE_INFINITY;

  /** `random` makes the intervals exponential (a Poisson process); null: they are even. */
  constructor(settings: { readonly firstMs: number; readonly intervalMs: number; readonly random: Random | null }) {
    this.dueMs = settings.firstMs;
    this.intervalMs = settings.intervalMs;
    this.random = settings.random;
  }

  get isOver(): boolean {
    return this.dueMs >= this.endMs;
  }

  take(nowMs: number): number | null {
    if (this.dueMs > nowMs || this.isOver) return null;
    const due = this.dueMs;
    this.advance();
    return due;
  }

  end(endMs: number): void {
    this.endMs = endMs;
  }

  countWaiting(): number {
    let count = 0;
    for (; !this.isOver; count += 1) this.advance();
    return count;
  }

  private advance(): void {
    this.dueMs += this.random === null ? this.intervalMs : -Math.log(1 - this.random()) * this.intervalMs;
  }
}
