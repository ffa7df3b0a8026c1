/**
 * How much goes on at this moment for each client, counted by all threads together in memory of a fixed size: each client
 * has a counter in every row of a table, by a different hash, and the smallest of them counts. Clients that share all of
 * their counters are counted as one, so a number is never too small, and hardly ever too large.
 */

const ROWS = 3;
/** A power of two: with a thousand busy clients one in a hundred has no counter of its own. */
const COUNTERS = 4_096;
const PLACE_LENGTH = ROWS * COUNTERS;
const HEADER_LENGTH = 1;
/** FNV-1a, over UTF-16 code units. */
const FNV_PRIME = 0x01000193;

export class AddressCounts {
  private readonly values: Int32Array;
  /** Where the counters of this thread begin. */
  private readonly place: number;

  /** `shared` comes from `allocate`; `place` is this thread's own. */
  constructor(shared: SharedArrayBuffer, place: number) {
    this.values = new Int32Array(shared);
    this.place = HEADER_LENGTH + place * PLACE_LENGTH;
  }

  /** Memory for so many threads. Nobody can know beforehand which clients share a counter. */
  static allocate(places: number): SharedArrayBuffer {
    const shared = new SharedArrayBuffer((HEADER_LENGTH + places * PLACE_LENGTH) * Int32Array.BYTES_PER_ELEMENT);
    new Int32Array(shared)[0] = Math.floor(Math.random() * 2 ** 32);
    return shared;
  }

  /** Adds to the client's number in the own place, and returns the new one of all places. */
  addAndSum(client: string, change: number): number {
    let smallest = Number.POSITIVE_INFINITY;
    for (let row = 0; row < ROWS; row += 1) {
      const counter = row * COUNTERS + this.hash(client, row);
      Atomics.add(this.values, this.place + counter, change);
      smallest = Math.min(smallest, this.sumOf(counter));
    }
    return smallest;
  }

  /** What the own place holds belongs to nobody any more. */
  clear(): void {
    this.values.fill(0, this.place, this.place + PLACE_LENGTH);
  }

  private sumOf(counter: number): number {
    let sum = 0;
    for (let at = HEADER_LENGTH + counter; at < this.values.length; at += PLACE_LENGTH) {
      sum += Atomics.load(this.values, at);
    }
    return sum;
  }

  private hash(client: string, row: number): number {
    let hash = Math.imul((this.values[0] ?? 0) ^ row, FNV_PRIME);
    for (let index = 0; index < client.length; index += 1) {
      hash = Math.imul(hash ^ client.charCodeAt(index), FNV_PRIME);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) & (COUNTERS - 1);
  }
}
