/** One yes or no that a single thread decides and every thread sees at once. */

export class SharedFlag {
  private readonly value: Int32Array;

  /** `shared` comes from `allocate`. */
  constructor(shared: SharedArrayBuffer) {
    this.value = new Int32Array(shared);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  }

  get isSet(): boolean {
    return Atomics.load(this.value, 0) === 1;
  }

  set(isSet: boolean): void {
    Atomics.store(this.value, 0, Number(isSet));
  }
}
