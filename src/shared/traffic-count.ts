/**
 * Bytes that several threads have received and sent, counted together: each adds to a place of its own now and then, and
 * everybody sees the sums. Unlike the bytes of finished requests they grow while a transfer runs.
 */

/** What has moved since the start. */
export interface Traffic {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Places lie so far apart that no two share a cache line. */
const STRIDE = 64 / BigInt64Array.BYTES_PER_ELEMENT;
const RECEIVED = 0;
const SENT = 1;

export class TrafficCount {
  private readonly values: BigInt64Array;
  private readonly first: number;

  /** `shared` comes from `allocate`; `place` is this thread's own. */
  constructor(shared: SharedArrayBuffer, place: number) {
    this.values = new BigInt64Array(shared);
    this.first = place * STRIDE;
  }

  /** Memory for so many threads. */
  static allocate(places: number): SharedArrayBuffer {
    return new SharedArrayBuffer(places * STRIDE * BigInt64Array.BYTES_PER_ELEMENT);
  }

  /** Adds to the own place. Meant for once a second, not for every chunk. */
  add(receivedBytes: number, sentBytes: number): void {
    Atomics.add(this.values, this.first + RECEIVED, BigInt(receivedBytes));
    Atomics.add(this.values, this.first + SENT, BigInt(sentBytes));
  }

  /** Of all threads together. */
  get total(): Traffic {
    let received = 0n;
    let sent = 0n;
    for (let first = 0; first < this.values.length; first += STRIDE) {
      received += Atomics.load(this.values, first + RECEIVED);
      sent += Atomics.load(this.values, first + SENT);
    }
    return { receivedBytes: Number(received), sentBytes: Number(sent) };
  }
}
