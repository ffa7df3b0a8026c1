/**
 * A log-linear histogram of times in the manner of HdrHistogram: whole microseconds, three significant digits, from 1 µs to 71
 * minutes in a fixed array of counts. Histograms add up, and their counts can be moved between threads.
 */

/** Values below this have a bucket of their own: 2,048 keeps the relative error of every other value below 1/1024. */
const LINEAR_BUCKETS = 2048;
const HALF = LINEAR_BUCKETS / 2;
const HALF_BITS = 10;
const LARGEST_US = 2 ** 32 - 1;
const BUCKETS = LINEAR_BUCKETS + HALF * (32 - HALF_BITS - 1);

function bucketOf(valueUs: number): number {
  if (valueUs < LINEAR_BUCKETS) return valueUs;
  const shift = 31 - Math.clz32(valueUs) - HALF_BITS;
  return shift * HALF + (valueUs >>> shift);
}

/** The middle of a bucket, in microseconds. */
function middleOf(bucket: number): number {
  if (bucket < LINEAR_BUCKETS) return bucket;
  const shift = Math.floor(bucket / HALF) - 1;
  return (bucket - shift * HALF) * 2 ** shift + 2 ** (shift - 1);
}

/** What one thread sends of its histogram: the counts up to the last used bucket. */
export interface HistogramCounts {
  readonly counts: Uint32Array<ArrayBuffer>;
  readonly maxUs: number;
  readonly sumUs: number;
}

/** One step of the distribution: this many of all values were at most that long. */
export interface DistributionPoint {
  readonly quantile: number;
  readonly ms: number;
}

export class Histogram {
  private readonly counts = new Float64Array(BUCKETS);
  private count = 0;
  private sumUs = 0;
  private maxUs = 0;
  private highestBucket = -1;

  /** How many values were recorded. */
  get total(): number {
    return this.count;
  }

  /** The largest value in milliseconds, exact to the microsecond; 0 when empty. */
  get maxMs(): number {
    return this.maxUs / 1e3;
  }

  /** The mean in milliseconds; 0 when empty. */
  get meanMs(): number {
    return this.count === 0 ? 0 : this.sumUs / this.count / 1e3;
  }

  /** Counts one value, given in milliseconds. */
  record(milliseconds: number): void {
    const valueUs = Math.min(LARGEST_US, Math.max(0, Math.round(milliseconds * 1e3)));
    const bucket = bucketOf(valueUs);
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.count += 1;
    this.sumUs += valueUs;
    if (valueUs > this.maxUs) this.maxUs = valueUs;
    if (bucket > this.highestBucket) this.highestBucket = bucket;
  }

  /** Adds what another histogram counted. */
  add(other: HistogramCounts): void {
    for (let bucket = 0; bucket < other.counts.length; bucket += 1) {
      const count = other.counts[bucket] ?? 0;
      if (count === 0) continue;
      this.counts[bucket] = (this.counts[bucket] ?? 0) + count;
      this.count += count;
      if (bucket > this.highestBucket) this.highestBucket = bucket;
    }
    this.sumUs += other.sumUs;
    this.maxUs = Math.max(this.maxUs, other.maxUs);
  }

  /** The value in milliseconds that the share `quantile` (0 to 1) of all values does not exceed; 0 when empty. */
  quantileMs(quantile: number): number {
    const rank = Math.max(1, Math.ceil(quantile * this.count));
    if (rank >= this.count) return this.maxMs;
    let seen = 0;
    for (let bucket = 0; bucket <= this.highestBucket; bucket += 1) {
      seen += this.counts[bucket] ?? 0;
      if (seen >= rank) return Math.min(middleOf(bucket), this.maxUs) / 1e3;
    }
    return this.maxMs;
  }

  /** The distribution for plotting: quantiles that halve the distance to 1 in `stepsPerHalving` steps, then the maximum. */
  distribution(stepsPerHalving = 4): DistributionPoint[] {
    const points: DistributionPoint[] = [];
    if (this.count === 0) return points;
    for (let step = 0; ; step += 1) {
      const quantile = 1 - 2 ** (-step / stepsPerHalving);
      if ((1 - quantile) * this.count < 1) break;
      points.push({ quantile, ms: this.quantileMs(quantile) });
    }
    points.push({ quantile: 1, ms: this.maxMs });
    return points;
  }

  /** The counts so far as a message for another thread; afterwards this histogram is empty. */
  take(): HistogramCounts {
    const counts = Uint32Array.from(this.counts.subarray(0, this.highestBucket + 1));
    const taken = { counts, maxUs: this.maxUs, sumUs: this.sumUs };
    this.counts.fill(0, 0, this.highestBucket + 1);
    this.count = 0;
    this.sumUs = 0;
    this.maxUs = 0;
    this.highestBucket = -1;
    return taken;
  }
}
