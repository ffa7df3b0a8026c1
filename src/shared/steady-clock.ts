/**
 * The time by which files expire. A wall clock can jump, and a jump must not empty the store: as long as it has drifted
 * by more than an hour from the monotonic clock since the start, time goes on from the start as the monotonic one says.
 */

/** Both clocks at the start of the process. Plain data: threads count from the same moment. */
export interface ClockStart {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** Reads both clocks at one moment. */
export type ReadClocks = () => ClockStart;

const MAX_DRIFT_MS = 3_600_000;
const NANOSECONDS_PER_MS = 1_000_000n;

/** The clocks of this host; the monotonic one is the same in all threads. */
export const readClocks: ReadClocks = () => ({
  wallMs: Date.now(),
  monotonicMs: Number(process.hrtime.bigint() / NANOSECONDS_PER_MS),
});

export class SteadyClock {
  private readonly start: ClockStart;
  private readonly read: ReadClocks;

  constructor(start: ClockStart, read: ReadClocks = readClocks) {
    this.start = start;
    this.read = read;
  }

  /** Milliseconds since the epoch. */
  nowMs(): number {
    const now = this.read();
    const steadyMs = this.start.wallMs + now.monotonicMs - this.start.monotonicMs;
    return Math.abs(now.wallMs - steadyMs) > MAX_DRIFT_MS ? steadyMs : now.wallMs;
  }

  /** By how much the wall clock is ahead of where it should be; null: it has not jumped. */
  jumpMs(): number | null {
    const now = this.read();
    const driftMs = now.wallMs - this.start.wallMs - (now.monotonicMs - this.start.monotonicMs);
    return Math.abs(driftMs) > MAX_DRIFT_MS ? driftMs : null;
  }
}
