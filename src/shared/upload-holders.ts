/**
 * Who works on which upload. One request at a time holds an upload, whatever thread serves it; the newest one wins: it
 * marks the upload as wanted, the holder stores what it has and lets go. The table lies in memory that all threads share,
 * names uploads exactly, and carries the number of each holder, so that main can free what a dead thread held. Waiting
 * never blocks a thread. A plain upload, which may yet be cut, holds its slot in the same way, by the hash of its path.
 */

/** A power of two; ids are spread evenly. */
const BUCKETS = 8192;
const BUCKET_WORDS = 64;
/** First word of a bucket: the thread that changes it at this moment. */
const GUARD = 0;
const FIRST_SEAT = 1;
const SEATS = 12;
/** Words of a seat. */
const OWNER = 0;
const WANTED = 1;
/** Changes with every taking and letting go. */
const TURN = 2;
const ID_HIGH = 3;
const ID_LOW = 4;
const SEAT_WORDS = 5;

const FREE = 0;
/** A wake-up can die with the thread that got it: whoever waits looks again after this time. */
const LOOK_AGAIN_MS = 1_000;
const GUARD_LOOK_AGAIN_MS = 1;

/** The memory for all uploads of one store, none of them held. */
export function createUploadHolders(): SharedArrayBuffer {
  return new SharedArrayBuffer(BUCKETS * BUCKET_WORDS * Int32Array.BYTES_PER_ELEMENT);
}

/** Frees whatever a thread held that is dead. */
export function freeHoldingsOf(shared: SharedArrayBuffer, holder: number): void {
  const words = new Int32Array(shared);
  const mark = markOf(holder);
  for (let bucket = 0; bucket < words.length; bucket += BUCKET_WORDS) {
    for (let index = 0; index < SEATS; index += 1) {
      const seat = seatOf(bucket, index);
      if (Atomics.load(words, seat + OWNER) === mark) vacate(words, seat);
    }
    if (Atomics.compareExchange(words, bucket + GUARD, mark, FREE) === mark) Atomics.notify(words, bucket + GUARD);
  }
}

function markOf(holder: number): number {
  return holder + 1;
}

function seatOf(bucket: number, index: number): number {
  return bucket + FIRST_SEAT + index * SEAT_WORDS;
}

function vacate(words: Int32Array, seat: number): void {
  Atomics.store(words, seat + OWNER, FREE);
  Atomics.add(words, seat + TURN, 1);
  Atomics.notify(words, seat + TURN);
  // Its holder need not listen any longer.
  Atomics.notify(words, seat + WANTED);
}

/** An upload that is held. */
export interface Holding {
  /** Calls back once, as soon as somebody else wants the upload; never after `release`. */
  onWanted(callback: () => void): void;
  /** Calling it again does nothing. */
  release(): void;
}

/** What was found of an upload. */
type Found =
  | { readonly kind: 'taken'; readonly holding: Holding }
  | { readonly kind: 'held'; readonly seat: number; readonly turn: number }
  | { readonly kind: 'crowded' };

/** The table as one thread sees it. Ids are at least 16 lower-case hexadecimal digits, random or those of a hash. */
export class UploadHolders {
  private readonly words: Int32Array;
  private readonly mark: number;

  /** `holder` is a number that no other thread has. */
  constructor(shared: SharedArrayBuffer, holder: number) {
    this.words = new Int32Array(shared);
    this.mark = markOf(holder);
  }

  /**
   * Takes the upload over from whoever holds it, as soon as that one lets go. null: `isGivenUp` said so meanwhile. Of
   * several who wait any may be next, and is asked to let go at once.
   */
  async take(id: string, isGivenUp: () => boolean): Promise<Holding | null> {
    for (;;) {
      const found = this.find(id, true);
      if (found.kind === 'taken') return found.holding;
      // Too many others in this bucket are held, by chance: they will not be for long.
      if (found.kind === 'crowded') await new Promise(setImmediate);
      else await Atomics.waitAsync(this.words, found.seat + TURN, found.turn, LOOK_AGAIN_MS).value;
      if (isGivenUp()) return null;
    }
  }

  /** The same without waiting, and without disturbing anybody; null: somebody works on it. */
  tryTake(id: string): Holding | null {
    const found = this.find(id, false);
    return found.kind === 'taken' ? found.holding : null;
  }

  private find(id: string, isWanted: boolean): Found {
    const { words } = this;
    const high = Number.parseInt(id.slice(0, 8), 16) | 0;
    const low = Number.parseInt(id.slice(8, 16), 16) | 0;
    const bucket = ((high ^ low) & (BUCKETS - 1)) * BUCKET_WORDS;
    this.lock(bucket);
    try {
      let free: number | null = null;
      for (let index = 0; index < SEATS; index += 1) {
        const seat = seatOf(bucket, index);
        if (Atomics.load(words, seat + OWNER) === FREE) free ??= seat;
        else if (words[seat + ID_HIGH] === high && words[seat + ID_LOW] === low) return this.held(seat, isWanted);
      }
      return free === null ? { kind: 'crowded' } : this.sit(free, high, low);
    } finally {
      this.unlock(bucket);
    }
  }

  private held(seat: number, isWanted: boolean): Found {
    const turn = Atomics.load(this.words, seat + TURN);
    if (isWanted) {
      Atomics.store(this.words, seat + WANTED, 1);
      Atomics.notify(this.words, seat + WANTED);
    }
    return { kind: 'held', seat, turn };
  }

  private sit(seat: number, high: number, low: number): Found {
    const { words, mark } = this;
    words[seat + ID_HIGH] = high;
    words[seat + ID_LOW] = low;
    Atomics.store(words, seat + WANTED, 0);
    Atomics.add(words, seat + TURN, 1);
    // Last: whoever dies before this has taken nothing.
    Atomics.store(words, seat + OWNER, mark);
    return { kind: 'taken', holding: new SeatHolding(words, seat) };
  }

  /** For the time of a few loads and stores. */
  private lock(bucket: number): void {
    const { words, mark } = this;
    for (;;) {
      const seen = Atomics.compareExchange(words, bucket + GUARD, FREE, mark);
      if (seen === FREE) return;
      Atomics.wait(words, bucket + GUARD, seen, GUARD_LOOK_AGAIN_MS);
    }
  }

  private unlock(bucket: number): void {
    Atomics.store(this.words, bucket + GUARD, FREE);
    Atomics.notify(this.words, bucket + GUARD, 1);
  }
}

class SeatHolding implements Holding {
  private readonly words: Int32Array;
  private readonly seat: number;
  private isHeld = true;

  constructor(words: Int32Array, seat: number) {
    this.words = words;
    this.seat = seat;
  }

  onWanted(callback: () => void): void {
    void this.listen(callback);
  }

  release(): void {
    if (this.isHeld) vacate(this.words, this.seat);
    this.isHeld = false;
  }

  private async listen(callback: () => void): Promise<void> {
    await Atomics.waitAsync(this.words, this.seat + WANTED, 0).value;
    if (this.isHeld) callback();
  }
}
