/**
 * One lock for each path, held by whoever changes what lies under it. It lies in memory that all threads share, so that
 * lanes exclude each other, and carries the number of its holder, so that main can free what a dead thread held. Waiting
 * never blocks a thread. Several paths may share one lock: nobody ever holds two.
 */

/** A power of 16: so many leading hexadecimal digits of a key's hash choose the lock. */
const LOCKS = 4096;
const DIGITS = 3;
const FREE = 0;
/** A wake-up can die with the thread that got it: whoever waits looks again after this time. */
const LOOK_AGAIN_MS = 1_000;
/** How long a thread leaves a lock to the thread that it has just woken. */
const GIVE_WAY_MS = 5;

/** The holder that the thread of short jobs is; a lane's is its place. */
export const JOBS_HOLDER = 1_000_000;

/** Ends the holding; calling it again does nothing. */
export type ReleaseLock = () => void;

/** The memory for all locks of one store, all of them free. */
export function createPathLocks(): SharedArrayBuffer {
  return new SharedArrayBuffer(LOCKS * Int32Array.BYTES_PER_ELEMENT);
}

/** Frees whatever a thread held that is dead. */
export function freeLocksOf(shared: SharedArrayBuffer, holder: number): void {
  const locks = new Int32Array(shared);
  const held = markOf(holder);
  for (let index = 0; index < locks.length; index += 1) {
    if (Atomics.compareExchange(locks, index, held, FREE) === held) Atomics.notify(locks, index);
  }
}

/** What a lock that this thread holds contains. */
function markOf(holder: number): number {
  return holder + 1;
}

/** The locks as one thread sees them. */
export class PathLocks {
  private readonly locks: Int32Array;
  private readonly mark: number;
  /** Who of this thread waits for its turn, for every lock that the thread holds or competes for. */
  private readonly queues = new Map<number, ((givesWay: boolean) => void)[]>();

  /** `holder` is a number that no other thread has. */
  constructor(shared: SharedArrayBuffer, holder: number) {
    this.locks = new Int32Array(shared);
    this.mark = markOf(holder);
  }

  /** Resolves when the path with this hash is the caller's: first come, first served within a thread. */
  async acquire(keyHash: string): Promise<ReleaseLock> {
    const index = indexOf(keyHash);
    await this.take(index, await this.turn(index));
    return this.releaser(index);
  }

  /** The same without waiting; null: somebody else is at it. */
  tryAcquire(keyHash: string): ReleaseLock | null {
    const index = indexOf(keyHash);
    if (this.queues.has(index)) return null;
    if (Atomics.compareExchange(this.locks, index, FREE, this.mark) !== FREE) return null;
    this.queues.set(index, []);
    return this.releaser(index);
  }

  /** Within the thread. Resolves to whether another thread has to be let in first. */
  private turn(index: number): Promise<boolean> | false {
    const queue = this.queues.get(index);
    if (queue !== undefined) return new Promise((resolve) => queue.push(resolve));
    this.queues.set(index, []);
    return false;
  }

  /** Among the threads; only one of each competes. */
  private async take(index: number, givesWay: boolean): Promise<void> {
    if (givesWay) await Atomics.waitAsync(this.locks, index, FREE, GIVE_WAY_MS).value;
    for (;;) {
      const seen = Atomics.compareExchange(this.locks, index, FREE, this.mark);
      if (seen === FREE) return;
      await Atomics.waitAsync(this.locks, index, seen, LOOK_AGAIN_MS).value;
    }
  }

  private releaser(index: number): ReleaseLock {
    let isHeld = true;
    return () => {
      if (isHeld) this.release(index);
      isHeld = false;
    };
  }

  private release(index: number): void {
    Atomics.store(this.locks, index, FREE);
    const isAwaited = Atomics.notify(this.locks, index, 1) > 0;
    const next = this.queues.get(index)?.shift();
    if (next === undefined) this.queues.delete(index);
    else next(isAwaited);
  }
}

function indexOf(keyHash: string): number {
  return Number.parseInt(keyHash.slice(0, DIGITS), 16);
}
