/**
 * How many unfinished uploads there are and how many bytes they hold on the disk, as all threads count them together. They
 * move from lane to lane and outlive them, so there is one place for all.
 */

const COUNT = 0;
const BYTES = 1;

export class UnfinishedUploads {
  private readonly numbers: BigInt64Array;

  /** `shared` comes from `allocate`. */
  constructor(shared: SharedArrayBuffer) {
    this.numbers = new BigInt64Array(shared);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT);
  }

  get count(): number {
    return Number(Atomics.load(this.numbers, COUNT));
  }

  get bytes(): number {
    return Number(Atomics.load(this.numbers, BYTES));
  }

  /** One more; returns how many there are with it. */
  begin(): number {
    return Number(Atomics.add(this.numbers, COUNT, 1n)) + 1;
  }

  /** One less. */
  end(): void {
    Atomics.sub(this.numbers, COUNT, 1n);
  }

  /** So many bytes more, or less, lie in their files. */
  grow(bytes: number): void {
    Atomics.add(this.numbers, BYTES, BigInt(bytes));
  }
}
