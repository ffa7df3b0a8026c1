/**
 * Bytes that uploads in flight were promised and have not written, counted by all lanes in shared memory: each lane adds
 * to a place of its own, and everybody can see the sum.
 */

export class PromisedBytes {
  private readonly places: BigInt64Array;
  private readonly place: number;

  /** `shared` holds one 64-bit number for each lane. */
  constructor(shared: SharedArrayBuffer, place: number) {
    this.places = new BigInt64Array(shared);
    this.place = place;
  }

  add(bytes: number): void {
    Atomics.add(this.places, this.place, BigInt(bytes));
  }

  /** Of all lanes together. */
  total(): number {
    let sum = 0n;
    for (let place = 0; place < this.places.length; place += 1) sum += Atomics.load(this.places, place);
    return Number(sum);
  }
}
