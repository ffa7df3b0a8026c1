/** Repeatable random numbers (mulberry32): two runs with the same seed ask for the same sizes and files. */

/** Gives numbers in [0, 1). */
export type Random = () => number;

/** A generator whose sequence is a function of `seed` alone. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
