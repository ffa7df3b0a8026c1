/** One yes or no that every thread sees at once. */

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

  /** Sets it. True for the one thread that has done so, of all that do it at once. */
  raise(): boolean {
    return Atomics.exchange(this.value, 0, 1) === 0;
  }
}
