/**
 * A number that several threads count together: each adds to a place of its own, and everybody sees the sum. Whoever
 * adds first and looks then never lets more in than a limit allows, however many others do the same.
 */

/** Places lie so far apart that no two share a cache line: threads would slow each other down. */
const STRIDE = 64 / Int32Array.BYTES_PER_ELEMENT;

export class SharedCount {
  private readonly values: Int32Array;
  private readonly index: number;

  /** `shared` comes from `allocate`; `place` is this thread's own. */
  constructor(shared: SharedArrayBuffer, place: number) {
    this.values = new Int32Array(shared);
    this.index = place * STRIDE;
  }

  /** Memory for so many threads. */
  static allocate(places: number): SharedArrayBuffer {
    return new SharedArrayBuffer(places * STRIDE * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Of all threads together. */
  get total(): number {
    let sum = 0;
    for (let index = 0; index < this.values.length; index += STRIDE) sum += Atomics.load(this.values, index);
    return sum;
  }

  /** What stands in the own place. */
  get own(): number {
    return Atomics.load(this.values, this.index);
  }

  /** Adds to the own place. Costs next to nothing: no other thread's memory is looked at. */
  add(change: number): void {
    Atomics.add(this.values, this.index, change);
  }

  /** Adds to the own place and returns the new total. */
  addAndSum(change: number): number {
    this.add(change);
    return this.total;
  }

  /** Replaces what stands in the own place. */
  set(value: number): void {
    Atomics.store(this.values, this.index, value);
  }
}
