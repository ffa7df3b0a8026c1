/**
 * How much each uploader has in the store, as all lanes count it together: a hash table in shared memory, with what is
 * stored, what is being received, and how many uploads are unfinished. Owners are known by a number made from their name.
 * It is bounded: owners for whom there is no place left are not limited.
 */

/** A power of two. */
const PLACES = 131_072;
/** Beyond this share of them a search would take too long. */
const MAX_PLACES_USED = PLACES * 0.75;

const ID = 0;
const STORED = 1;
const PROMISED = 2;
const UNFINISHED = 3;
const STRIDE = 4;
/** Two numbers in front of the table. */
const LIMIT = 0;
const OWNERS = 1;
const HEADER = 2;

/** An owner; never 0. */
export type OwnerId = bigint;

/** What was stored for each owner at one moment, in bytes. */
export type UsageTally = ReadonlyMap<OwnerId, number>;

export class OwnerUsage {
  private readonly numbers: BigInt64Array;

  /** `shared` comes from `allocate`. */
  constructor(shared: SharedArrayBuffer) {
    this.numbers = new BigInt64Array(shared);
  }

  /** Four megabytes, of which the operating system gives only what is used. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer((HEADER + PLACES * STRIDE) * BigInt64Array.BYTES_PER_ELEMENT);
  }

  /** OwnerQuota in bytes; null: owners are not limited, and nothing is counted. */
  get limitBytes(): number | null {
    const limit = Atomics.load(this.numbers, LIMIT);
    return limit === 0n ? null : Number(limit);
  }

  set limitBytes(bytes: number | null) {
    Atomics.store(this.numbers, LIMIT, BigInt(bytes ?? 0));
  }

  /**
   * Promises room for an upload. False: with what is stored and promised it would be too much, also without the
   * `givenBack` that was promised for what it takes the place of.
   */
  promise(owner: OwnerId, bytes: number, givenBack = 0): boolean {
    const place = this.place(owner);
    const limit = Atomics.load(this.numbers, LIMIT);
    if (place === null) return true;
    // Counted before it is looked at: of two uploads at once at least one sees the other.
    const promised = Atomics.add(this.numbers, place + PROMISED, BigInt(bytes)) + BigInt(bytes);
    const needed = Atomics.load(this.numbers, place + STORED) + promised - BigInt(givenBack);
    if (limit === 0n || needed <= limit) return true;
    this.add(owner, PROMISED, -bytes);
    return false;
  }

  /** Promises without asking what was promised elsewhere, or before the start. */
  adoptPromise(owner: OwnerId, bytes: number): void {
    this.add(owner, PROMISED, bytes);
  }

  /** The upload is over, whatever became of it. */
  endPromise(owner: OwnerId, bytes: number): void {
    this.add(owner, PROMISED, -bytes);
  }

  /** So much more is stored, or so much less. */
  change(owner: OwnerId, bytes: number): void {
    this.add(owner, STORED, bytes);
  }

  /** One more unfinished upload. Returns how many there are with it; 0 when the owner has no place. */
  beginUpload(owner: OwnerId): number {
    const place = this.place(owner);
    return place === null ? 0 : Number(Atomics.add(this.numbers, place + UNFINISHED, 1n)) + 1;
  }

  /** One less. */
  endUpload(owner: OwnerId): void {
    this.add(owner, UNFINISHED, -1);
  }

  /** What is stored now, as far as it is known. */
  get stored(): UsageTally {
    const tally = new Map<OwnerId, number>();
    for (let place = HEADER; place < this.numbers.length; place += STRIDE) {
      const owner = Atomics.load(this.numbers, place + ID);
      if (owner !== 0n) tally.set(owner, Number(Atomics.load(this.numbers, place + STORED)));
    }
    return tally;
  }

  /** Sets right what was `before` when somebody began to count, and what he found; changes since then stay counted. */
  correct(before: UsageTally, found: UsageTally): void {
    for (const owner of new Set([...before.keys(), ...found.keys()])) {
      this.add(owner, STORED, (found.get(owner) ?? 0) - (before.get(owner) ?? 0));
    }
  }

  private add(owner: OwnerId, column: number, bytes: number): void {
    const place = this.place(owner);
    if (place !== null && bytes !== 0) Atomics.add(this.numbers, place + column, BigInt(bytes));
  }

  /** Where the owner's numbers stand, taking a free place when there is none yet; null: all are taken. */
  private place(owner: OwnerId): number | null {
    for (let index = Number(BigInt.asUintN(32, owner)) % PLACES; ; index = (index + 1) % PLACES) {
      const place = HEADER + index * STRIDE;
      const found = Atomics.load(this.numbers, place + ID);
      if (found === owner) return place;
      if (found !== 0n) continue;
      if (Atomics.load(this.numbers, OWNERS) >= MAX_PLACES_USED) return null;
      const before = Atomics.compareExchange(this.numbers, place + ID, 0n, owner);
      if (before === 0n) Atomics.add(this.numbers, OWNERS, 1n);
      if (before === 0n || before === owner) return place;
    }
  }
}
