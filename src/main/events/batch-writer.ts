/**
 * Gathers log lines in memory and appends them to one target, one write at a time. Bounded in bytes; a target that is
 * full, slow or gone costs lines, which are counted, never the process, and it is tried again for ever.
 *
 * `node:fs` on the main thread is allowed for the log beside the configuration: the log must not depend on workers, which
 * it reports on. Every write is asynchronous, except `flushSync` at exit.
 */

import { write, writeSync } from 'node:fs';
import { LineChunk } from './line-chunk.ts';

/** Something open for appending. */
export interface LogTarget {
  readonly fd: number;
  close(): Promise<void>;
}

export interface BatchWriterOptions {
  readonly target: LogTarget;
  /** Opens the target anew, for `reopen`. */
  readonly open: () => Promise<LogTarget>;
  /** Bytes that may wait. */
  readonly maxBytes?: number;
  /** Told after lines were lost and the target takes lines again. */
  readonly onGap?: (droppedLines: number) => void;
}

const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
/** How long a line waits for company. */
const BATCH_DELAY_MS = 25;
/** Enough company: what one write takes, unless a single line is longer. */
const CHUNK_BYTES = 64 * 1024;
/** Pause after a reader that took nothing, and after a disk that refused. */
const SLOW_READER_RETRY_MS = 25;
const REFUSED_RETRY_MS = 250;
/** Lines that a target refuses for longer than this are given up. */
const PATIENCE_MS = 1000;
/** How long `flushSync` waits for a slow reader. */
const EXIT_PATIENCE_MS = 200;

export class BatchWriter {
  private readonly open: () => Promise<LogTarget>;
  private readonly maxBytes: number;
  private readonly onGap: (droppedLines: number) => void;
  private target: LogTarget;
  /** Filled one after the other, oldest first. */
  private waiting: LineChunk[] = [];
  /** Being written, or refused and to be tried again. */
  private chunk: LineChunk | null = null;
  /** A written chunk, to be filled again. */
  private spare: LineChunk | null = null;
  /** Unwritten bytes in `waiting` and `chunk`. */
  private pendingBytes = 0;
  private writing: Promise<unknown> = Promise.resolve();
  private isRunning = false;
  private timer: NodeJS.Timeout | null = null;
  private refusedSinceMs: number | null = null;
  private dropped = 0;
  private reported = 0;
  private waiters: (() => void)[] = [];

  constructor(options: BatchWriterOptions) {
    this.target = options.target;
    this.open = options.open;
    this.maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.onGap = options.onGap ?? (() => {});
  }

  /** Lines lost since the start. */
  get droppedLines(): number {
    return this.dropped;
  }

  /** Takes one line of ASCII that ends in a line feed. Never throws, never waits. */
  append(line: string): void {
    if (this.pendingBytes + line.length > this.maxBytes) {
      this.dropped += 1;
      return;
    }
    if (this.waiting.at(-1)?.add(line) !== true) this.startChunk(line);
    this.pendingBytes += line.length;
    if (this.isRunning) return;
    if (this.pendingBytes >= CHUNK_BYTES && this.refusedSinceMs === null) void this.run();
    else this.timer ??= setTimeout(() => void this.run(), BATCH_DELAY_MS);
  }

  /** Settles when every line so far is written, or the target has refused one. Never rejects. */
  async flush(): Promise<void> {
    if (!this.isRunning && this.pendingBytes === 0) return;
    const done = new Promise<void>((resolve) => this.waiters.push(resolve));
    if (!this.isRunning) void this.run();
    await done;
  }

  /**
   * Writes what waits, on the spot: for a process that ends now. A write that is under way is left to finish, since Node
   * waits for it before it exits. What the target does not take is lost and counted.
   */
  flushSync(): void {
    this.stopTimer();
    const deadlineMs = performance.now() + EXIT_PATIENCE_MS;
    if (this.chunk !== null && !this.isRunning) {
      this.writeNow(this.chunk, deadlineMs);
      this.chunk = null;
    }
    for (const chunk of this.waiting.splice(0)) this.writeNow(chunk, deadlineMs);
  }

  /** Opens the target anew (logrotate); rejects with the system's error and keeps the old one when that fails. */
  async reopen(): Promise<void> {
    const opened = await this.open();
    const old = this.target;
    const writing = this.writing;
    this.target = opened;
    this.refusedSinceMs = null;
    if (!this.isRunning && this.pendingBytes > 0) {
      this.rewind();
      void this.run();
    }
    await writing;
    await old.close();
  }

  async close(): Promise<void> {
    await this.flush();
    this.flushSync();
    await this.target.close();
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    this.stopTimer();
    let retryMs: number | null = null;
    while (retryMs === null) {
      this.chunk ??= this.waiting.shift() ?? null;
      if (this.chunk === null) break;
      retryMs = await this.appendChunk(this.chunk);
    }
    this.isRunning = false;
    if (retryMs !== null) this.timer = setTimeout(() => void this.run(), retryMs).unref();
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  /** Returns null when the chunk is done with, otherwise milliseconds to wait before the next attempt. */
  private async appendChunk(chunk: LineChunk): Promise<number | null> {
    while (!chunk.isWritten) {
      const target = this.target;
      const result = await this.write(target, chunk);
      if (typeof result === 'string') {
        const retryMs = this.refused(chunk, result);
        if (target !== this.target) this.rewind();
        return retryMs;
      }
      this.refusedSinceMs = null;
      if (target !== this.target && !chunk.isWritten) this.rewind();
    }
    this.chunk = null;
    if (chunk.capacityBytes === CHUNK_BYTES) this.spare = chunk;
    this.reportGap();
    return null;
  }

  /** One write; the system's error code when it failed. */
  private write(target: LogTarget, chunk: LineChunk): Promise<null | string> {
    const writing = new Promise<null | string>((resolve) => {
      write(target.fd, chunk.rest, (error, writtenBytes) => {
        if (error === null) this.advance(chunk, writtenBytes);
        resolve(error === null ? null : (error.code ?? 'unknown'));
      });
    });
    this.writing = writing;
    return writing;
  }

  private refused(chunk: LineChunk, code: string): number | null {
    if (code === 'EPIPE' || code === 'ECONNRESET') {
      // The reader is gone: keeping lines for it is pointless, and so is a timer.
      this.giveUp(chunk);
      this.chunk = null;
      this.refusedSinceMs = null;
      return null;
    }
    const nowMs = performance.now();
    this.refusedSinceMs ??= nowMs;
    if (nowMs - this.refusedSinceMs >= PATIENCE_MS) {
      const before = chunk.rest.length;
      this.dropped += chunk.dropWholeLines();
      this.pendingBytes -= before - chunk.rest.length;
      if (chunk.isWritten) this.chunk = null;
    }
    return code === 'EAGAIN' ? SLOW_READER_RETRY_MS : REFUSED_RETRY_MS;
  }

  private writeNow(chunk: LineChunk, deadlineMs: number): void {
    while (!chunk.isWritten) {
      try {
        this.advance(chunk, writeSync(this.target.fd, chunk.rest));
      } catch (error) {
        const isSlow = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
        if (!isSlow || performance.now() > deadlineMs) {
          this.giveUp(chunk);
          return;
        }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      }
    }
  }

  private startChunk(line: string): void {
    const isLong = line.length > CHUNK_BYTES;
    const chunk = isLong ? new LineChunk(line.length) : (this.spare ?? new LineChunk(CHUNK_BYTES));
    if (chunk === this.spare) this.spare = null;
    chunk.clear();
    chunk.add(line);
    this.waiting.push(chunk);
  }

  private advance(chunk: LineChunk, writtenBytes: number): void {
    chunk.advance(writtenBytes);
    this.pendingBytes -= writtenBytes;
  }

  private rewind(): void {
    if (this.chunk === null) return;
    this.pendingBytes -= this.chunk.rest.length;
    this.chunk.rewindToLine();
    this.pendingBytes += this.chunk.rest.length;
  }

  private giveUp(chunk: LineChunk): void {
    this.dropped += chunk.wholeLines;
    this.pendingBytes -= chunk.rest.length;
  }

  private reportGap(): void {
    const lines = this.dropped - this.reported;
    if (lines === 0) return;
    this.reported = this.dropped;
    this.onGap(lines);
  }

  private stopTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
