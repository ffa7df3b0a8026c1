/**
 * When files expire, as every thread sees it at once: FileTTL lies in shared memory, so that a new value is in effect
 * with the next file that is opened.
 */

import type { SteadyClock } from './steady-clock.ts';

const MS_PER_SECOND = 1_000;

export class ExpiryRule {
  /** FileTTL in seconds; 0: never. 100 years fit. */
  private readonly shared: Uint32Array;
  private readonly clock: SteadyClock;

  /** `shared` comes from `allocate`. */
  constructor(shared: SharedArrayBuffer, clock: SteadyClock) {
    this.shared = new Uint32Array(shared);
    this.clock = clock;
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(Uint32Array.BYTES_PER_ELEMENT);
  }

  /** Age at which files expire; null: never. */
  get fileTtlSeconds(): number | null {
    const seconds = Atomics.load(this.shared, 0);
    return seconds === 0 ? null : seconds;
  }

  set fileTtlSeconds(seconds: number | null) {
    Atomics.store(this.shared, 0, seconds ?? 0);
  }

  /** When a content expires that was stored then, the earlier of FileTTL and its own expiry; null: never. */
  expiresMs(storedMs: number, ownExpiryMs: number | null): number | null {
    const seconds = Atomics.load(this.shared, 0);
    if (seconds === 0) return ownExpiryMs;
    const byAgeMs = storedMs + seconds * MS_PER_SECOND;
    return ownExpiryMs === null ? byAgeMs : Math.min(byAgeMs, ownExpiryMs);
  }

  /** True from that moment on. */
  isPast(expiresMs: number | null): boolean {
    return expiresMs !== null && this.clock.nowMs() >= expiresMs;
  }
}
