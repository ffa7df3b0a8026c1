/**
 * What a load may still begin: requests and bytes left on the target, counted across all threads in shared memory, so that no run
 * holds more than it was allowed.
 */

const HELD_UNIT = 1024;

/** Shared memory for the held bytes of one run, and for the requests of each of its loads. */
export interface QuotaMemory {
  readonly held: Int32Array<SharedArrayBuffer>;
  readonly begun: Int32Array<SharedArrayBuffer>;
  readonly maxHeldBytes: number;
}

export function makeQuotaMemory(loads: number, maxHeldBytes: number): QuotaMemory {
  return {
    held: new Int32Array(new SharedArrayBuffer(4)),
    begun: new Int32Array(new SharedArrayBuffer(4 * loads)),
    maxHeldBytes,
  };
}

export class Quota {
  private readonly memory: QuotaMemory;
  private readonly loadIndex: number;
  private readonly maxRequests: number;

  constructor(memory: QuotaMemory, loadIndex: number, maxRequests: number | null) {
    this.memory = memory;
    this.loadIndex = loadIndex;
    this.maxRequests = maxRequests ?? Number.POSITIVE_INFINITY;
  }

  /** Takes one request that leaves `heldBytes` on the target; false when that would be too much. */
  take(heldBytes: number): boolean {
    const { held, begun, maxHeldBytes } = this.memory;
    const units = Math.ceil(heldBytes / HELD_UNIT);
    if (units > 0 && (Atomics.add(held, 0, units) + units) * HELD_UNIT > maxHeldBytes) {
      Atomics.sub(held, 0, units);
      return false;
    }
    return Atomics.add(begun, this.loadIndex, 1) < this.maxRequests;
  }
}
