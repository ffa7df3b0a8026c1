/** When to try again, and when to give up: longer waits each time, until something has arrived again. */

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

export interface BackOffOptions {
  /** So long it is tried in vain. */
  readonly limitMs: number;
  readonly now: () => number;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export class BackOff {
  private readonly options: BackOffOptions;
  private nextMs = FIRST_MS;
  private successMs: number;

  constructor(options: BackOffOptions) {
    this.options = options;
    this.successMs = options.now();
  }

  /** Something has arrived: what failed before does not count any more. */
  reset(): void {
    this.nextMs = FIRST_MS;
    this.successMs = this.options.now();
  }

  /**
   * How long to wait before the next try, in milliseconds; null: give up. Clients that were cut off together do not come
   * back together, and never sooner than the server asks.
   */
  next(retryAfterMs: number): number | null {
    const { limitMs, now, random } = this.options;
    const leftMs = this.successMs + limitMs - now();
    if (leftMs <= 0) return null;
    const delayMs = Math.max(retryAfterMs, Math.round(this.nextMs * (0.5 + random() / 2)));
    this.nextMs = Math.min(LONGEST_MS, this.nextMs * 2);
    return Math.min(delayMs, leftMs);
  }
}
