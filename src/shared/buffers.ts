/**
 * Buffers that carry body bytes between threads. Bounded in bytes, last in first out so that warm memory is used again,
 * and given back to the system when a burst is over: at once, since the garbage collector of a thread that has nothing to
 * do is in no hurry.
 */

export interface BufferPoolLimits {
  /**
   * Lengths in bytes that there are, ascending; one that stands twice counts once. Small bodies in large buffers would keep
   * the garbage collector busy.
   */
  readonly sizes: readonly [number, ...number[]];
  /** Bytes of all buffers in use together. */
  readonly maxBytes: number;
  /** So many of them are never in the largest buffers: small ones can still be had when those are all in use. */
  readonly reservedBytes?: number;
}

/** Idle buffers of one length. */
interface Shelf {
  readonly bytes: number;
  readonly idle: ArrayBuffer[];
  /** Smallest number of idle buffers since the last trim: so many were not needed at all. */
  leastIdle: number;
}

export class BufferPool {
  /** Length of the smallest buffers. */
  readonly leastBytes: number;
  /** Length of the largest buffers. */
  readonly bufferBytes: number;
  readonly maxBytes: number;
  private readonly shelves: readonly Shelf[];
  private readonly largest: Shelf;
  private readonly maxBytesForLargest: number;
  private takenBytes = 0;
  private readonly waiting: ((buffer: ArrayBuffer) => void)[] = [];
  private onReturn: () => void = () => {};
  private onShortage: () => void = () => {};

  constructor({ sizes, maxBytes, reservedBytes = 0 }: BufferPoolLimits) {
    this.shelves = [...new Set(sizes)].map(emptyShelf);
    this.leastBytes = sizes[0];
    this.largest = this.shelves.at(-1) ?? emptyShelf(this.leastBytes);
    this.bufferBytes = this.largest.bytes;
    this.maxBytes = maxBytes;
    this.maxBytesForLargest = maxBytes - reservedBytes;
  }

  /** Bytes of all buffers in use, wherever they are. */
  get inUseBytes(): number {
    return this.takenBytes;
  }

  /** True when one of the largest buffers could be taken. */
  get hasRoom(): boolean {
    return this.takenBytes + this.bufferBytes <= this.maxBytesForLargest;
  }

  /** True for a buffer that may come from this pool. */
  owns(buffer: ArrayBuffer): boolean {
    return this.shelfOf(buffer) !== undefined;
  }

  /** Memory for so many bytes that is none of this pool's, and cannot be taken for it. */
  allocateApart(bytes: number): ArrayBuffer {
    const isLikeOurs = this.shelves.some((shelf) => shelf.bytes === bytes);
    return new ArrayBuffer(isLikeOurs ? bytes + 1 : bytes);
  }

  /** The smallest buffer for so many bytes, or the largest that there is; its content is unspecified. null: none is left. */
  take(wantedBytes: number = this.bufferBytes): ArrayBuffer | null {
    const shelf = this.shelves.find(({ bytes }) => bytes >= wantedBytes) ?? this.largest;
    const maxBytes = shelf === this.largest ? this.maxBytesForLargest : this.maxBytes;
    if (this.takenBytes + shelf.bytes > maxBytes) return null;
    this.takenBytes += shelf.bytes;
    const buffer = shelf.idle.pop();
    if (shelf.idle.length < shelf.leastIdle) shelf.leastIdle = shelf.idle.length;
    return buffer ?? new ArrayBuffer(shelf.bytes);
  }

  /** Calls back with one of the largest buffers, at once or in its turn. Whoever no longer wants it gives it back. */
  whenAvailable(callback: (buffer: ArrayBuffer) => void): void {
    const buffer = this.waiting.length === 0 ? this.take() : null;
    if (buffer !== null) callback(buffer);
    else {
      this.waiting.push(callback);
      this.onShortage();
    }
  }

  /** Calls back whenever fewer bytes are in use than before. One listener. */
  watch(listener: () => void): void {
    this.onReturn = listener;
  }

  /** Calls back whenever somebody has to wait for a buffer. One listener. */
  watchShortage(listener: () => void): void {
    this.onShortage = listener;
  }

  /** True when somebody waits for a buffer. */
  get isShort(): boolean {
    return this.waiting.length > 0;
  }

  /** Takes a buffer back. One that this pool did not give out is ignored. */
  give(buffer: ArrayBuffer): void {
    const shelf = this.shelfOf(buffer);
    if (shelf === undefined) return;
    const next = shelf === this.largest ? this.waiting.shift() : undefined;
    if (next !== undefined) {
      next(buffer);
      return;
    }
    this.takenBytes -= shelf.bytes;
    shelf.idle.push(buffer);
    this.serveWaiting();
    this.onReturn();
  }

  /** Buffers of so many bytes in all will not come back, because the thread that held them died. */
  forget(bytes: number): void {
    this.takenBytes -= bytes;
    this.serveWaiting();
    this.onReturn();
  }

  /** Lets go of buffers that nobody needed since the last call. Call it every few seconds. */
  trim(): void {
    for (const shelf of this.shelves) {
      freeBuffers(shelf.idle.splice(0, shelf.leastIdle));
      shelf.leastIdle = shelf.idle.length;
    }
  }

  private shelfOf(buffer: ArrayBuffer): Shelf | undefined {
    return this.shelves.find(({ bytes }) => bytes === buffer.byteLength);
  }

  private serveWaiting(): void {
    while (this.waiting.length > 0) {
      const buffer = this.take();
      if (buffer === null) return;
      this.waiting.shift()?.(buffer);
    }
  }
}

const nowhere = closedPort();

/**
 * Gives the memory of buffers back now. What is posted to a closed port is moved out of this thread all the same, and freed
 * (HTML, message port post message steps).
 */
export function freeBuffers(buffers: readonly ArrayBuffer[]): void {
  nowhere.postMessage(null, buffers);
}

function closedPort(): { postMessage(message: null, moved: readonly ArrayBuffer[]): void } {
  const { port1 } = new MessageChannel();
  port1.close();
  return port1;
}

function emptyShelf(bytes: number): Shelf {
  return { bytes, idle: [], leastIdle: 0 };
}
