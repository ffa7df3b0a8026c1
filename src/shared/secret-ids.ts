/**
 * Which secrets verify signatures, as every thread sees it at once: a short id for each, in one word of shared memory.
 * An id tells whether a secret of former days is still in use, and next to nothing of the secret: two secrets in 4,095
 * share one, which makes a closed slot stay closed for longer and does no other harm.
 */

const BITS = 12n;
const MASK = (1n << BITS) - 1n;
/** One current secret and four previous ones. */
const MAX_IDS = 5;

/** Ids are from 1 to this. */
export const MAX_SECRET_ID = Number(MASK);

export class SecretIds {
  private readonly word: BigInt64Array;

  /** `shared` comes from `allocate`. */
  constructor(shared: SharedArrayBuffer) {
    this.word = new BigInt64Array(shared);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);
  }

  /** In ascending order; empty as long as nobody has said which secrets there are. */
  get all(): readonly number[] {
    const ids: number[] = [];
    for (let rest = Atomics.load(this.word, 0); rest !== 0n; rest >>= BITS) ids.push(Number(rest & MASK));
    return ids;
  }

  set all(ids: readonly number[]) {
    const sorted = [...new Set(ids)].sort((a, b) => b - a).slice(0, MAX_IDS);
    Atomics.store(
      this.word,
      0,
      sorted.reduce((word, id) => (word << BITS) | BigInt(id), 0n),
    );
  }
}
