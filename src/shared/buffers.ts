/**
 * Buffers that carry body bytes between threads. Bounded in number, last in first out so that warm memory is used
 * again, and given back to the system when a burst is over.
 */

export class BufferPool {
  readonly bufferBytes: number;
  readonly maxBuffers: number;
  private readonly idle: ArrayBuffer[] = [];
  /** Smallest number of idle buffers since the last trim: so many were not needed at all. */
  private leastIdle = 0;
  private taken = 0;
  private readonly waiting: ((buffer: ArrayBuffer) => void)[] = [];
  private onReturn: () => void = () => {};

  constructor(limits: { bufferBytes: number; maxBuffers: number }) {
    this.bufferBytes = limits.bufferBytes;
    this.maxBuffers = limits.maxBuffers;
  }

  /** Buffers in use, wherever they are. */
  get inUse(): number {
    return this.taken;
  }

  /** How many more could be taken. */
  get available(): number {
    return this.maxBuffers - this.taken;
  }

  /** A buffer with unspecified content; null when the limit is reached. */
  take(): ArrayBuffer | null {
    if (this.taken >= this.maxBuffers) return null;
    this.taken += 1;
    const buffer = this.idle.pop();
    if (this.idle.length < this.leastIdle) this.leastIdle = this.idle.length;
    return buffer ?? new ArrayBuffer(this.bufferBytes);
  }

  /** Calls back with a buffer: at once, or in its turn when one comes home. Whoever no longer wants it gives it back. */
  whenAvailable(callback: (buffer: ArrayBuffer) => void): void {
    const buffer = this.waiting.length === 0 ? this.take() : null;
    if (buffer !== null) callback(buffer);
    else this.waiting.push(callback);
  }

  /** Calls back whenever fewer buffers are in use than before. One listener. */
  watch(listener: () => void): void {
    this.onReturn = listener;
  }

  /** True when somebody waits for a buffer. */
  get isShort(): boolean {
    return this.waiting.length > 0;
  }

  /** Takes a buffer back. One that this pool did not give out is ignored. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength !== this.bufferBytes) return;
    const next = this.waiting.shift();
    if (next !== undefined) {
      next(buffer);
      return;
    }
    this.taken -= 1;
    this.idle.push(buffer);
    this.onReturn();
  }

  /** Buffers that will not come back, because the thread that held them died. */
  forget(count: number): void {
    this.taken -= count;
    while (this.waiting.length > 0 && this.taken < this.maxBuffers) {
      const buffer = this.take();
      if (buffer !== null) this.waiting.shift()?.(buffer);
    }
    this.onReturn();
  }

  /** Lets go of buffers that nobody needed since the last call. Call it every few seconds. */
  trim(): void {
    this.idle.splice(0, this.leastIdle);
    this.leastIdle = this.idle.length;
  }
}
