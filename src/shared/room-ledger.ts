/**
 * What uploads take of the disk, counted by all lanes in shared memory: what they were promised and have not used yet,
 * and what they have used since the start. Each lane adds to a place of its own, and everybody sees the sums, so that a
 * look at the file system that one lane took is brought up to date by what all lanes did since. Uploads that can be gone
 * on with move from lane to lane and outlive them: what they were promised stands in a place of its own.
 */

/** Of the disk: bytes, and inodes. */
export interface Room {
  readonly bytes: number;
  readonly files: number;
}

const PROMISED_BYTES = 0;
const PROMISED_FILES = 1;
const USED_BYTES = 2;
const USED_FILES = 3;
/** Numbers of one lane; a cache line of their own, so that lanes do not slow each other down. */
const STRIDE = 64 / BigInt64Array.BYTES_PER_ELEMENT;

export class RoomLedger {
  private readonly numbers: BigInt64Array;
  private readonly base: number;

  /** `shared` comes from `allocate`; `place` is this lane's own. */
  constructor(shared: SharedArrayBuffer, place: number) {
    this.numbers = new BigInt64Array(shared);
    this.base = place * STRIDE;
  }

  /** Memory for so many lanes, and for the uploads that outlive them. */
  static allocate(lanes: number): SharedArrayBuffer {
    return new SharedArrayBuffer((lanes + 1) * STRIDE * BigInt64Array.BYTES_PER_ELEMENT);
  }

  /** The place of the uploads that can be gone on with: all lanes and jobs add to it. */
  static ofUploads(shared: SharedArrayBuffer): RoomLedger {
    return new RoomLedger(shared, shared.byteLength / BigInt64Array.BYTES_PER_ELEMENT / STRIDE - 1);
  }

  /** Promised by all lanes and not used yet. */
  get promised(): Room {
    return { bytes: this.sum(PROMISED_BYTES), files: this.sum(PROMISED_FILES) };
  }

  /** Used by all lanes since the start; never becomes less. */
  get used(): Room {
    return { bytes: this.sum(USED_BYTES), files: this.sum(USED_FILES) };
  }

  /** An upload of this size is let in. */
  promise(bytes: number): void {
    this.add(PROMISED_BYTES, bytes);
    this.add(PROMISED_FILES, 1);
  }

  /** It is turned away after all, before it has used anything. */
  takeBack(bytes: number): void {
    this.add(PROMISED_BYTES, -bytes);
    this.add(PROMISED_FILES, -1);
  }

  /** Its file is made. It counts twice for an instant, never not at all. */
  useFile(): void {
    this.add(USED_FILES, 1);
    this.add(PROMISED_FILES, -1);
  }

  /** So many of its bytes are written; the same holds for them. */
  useBytes(bytes: number): void {
    this.add(USED_BYTES, bytes);
    this.add(PROMISED_BYTES, -bytes);
  }

  /** So many bytes that were promised elsewhere, or written and cut off again, are promised here. */
  promiseBytes(bytes: number): void {
    this.add(PROMISED_BYTES, bytes);
  }

  /** So many of its bytes will not be written. */
  release(bytes: number): void {
    this.add(PROMISED_BYTES, -bytes);
  }

  /** The lane of this place died, and its promises with it. */
  forgetPromises(): void {
    Atomics.store(this.numbers, this.base + PROMISED_BYTES, 0n);
    Atomics.store(this.numbers, this.base + PROMISED_FILES, 0n);
  }

  private add(index: number, amount: number): void {
    Atomics.add(this.numbers, this.base + index, BigInt(amount));
  }

  private sum(index: number): number {
    let sum = 0n;
    for (let at = index; at < this.numbers.length; at += STRIDE) sum += Atomics.load(this.numbers, at);
    return Number(sum);
  }
}
