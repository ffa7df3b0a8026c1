/** What requests ended in during one second, and how long they took: counted as they end, taken once a second. */

/** How a request ended: by the class of its status, or without an answer. */
export const ENDINGS = ['2xx', '3xx', '4xx', '5xx', 'cut'] as const;
export type Ending = (typeof ENDINGS)[number];

export interface RequestFigures {
  readonly endings: Readonly<Record<Ending, number>>;
  /** Milliseconds; null: no request ended. Right to a twentieth. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** Eight buckets for each doubling, from a microsecond to an hour. */
const BUCKETS_PER_DOUBLING = 8;
const BUCKETS = 32 * BUCKETS_PER_DOUBLING;
const MICROSECONDS = 1_000;

export class RequestWindow {
  private counts = noEndings();
  private readonly buckets = new Uint32Array(BUCKETS);
  private requests = 0;

  /** `status` null: the client got no answer. */
  add(status: number | null, durationMs: number): void {
    this.counts[endingOf(status)] += 1;
    const bucket = Math.round(Math.log2(Math.max(1, durationMs * MICROSECONDS)) * BUCKETS_PER_DOUBLING);
    const at = Math.min(bucket, BUCKETS - 1);
    this.buckets[at] = (this.buckets[at] ?? 0) + 1;
    this.requests += 1;
  }

  /** Everything since the last call. */
  take(): RequestFigures {
    const figures = { endings: this.counts, p50Ms: this.percentile(0.5), p99Ms: this.percentile(0.99) };
    this.counts = noEndings();
    this.buckets.fill(0);
    this.requests = 0;
    return figures;
  }

  private percentile(share: number): number | null {
    if (this.requests === 0) return null;
    let left = Math.ceil(share * this.requests);
    const bucket = this.buckets.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return 2 ** (bucket / BUCKETS_PER_DOUBLING) / MICROSECONDS;
  }
}

function noEndings(): Record<Ending, number> {
  return { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, cut: 0 };
}

function endingOf(status: number | null): Ending {
  if (status === null) return 'cut';
  if (status < 300) return '2xx';
  if (status < 400) return '3xx';
  return status < 500 ? '4xx' : '5xx';
}
