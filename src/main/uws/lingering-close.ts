/**
 * The end of a connection whose client has its answer and goes on sending. Closing at once would reset the connection,
 * and a reset overtakes the answer; so what still comes is read and dropped, within limits, and then the connection is
 * closed (RFC 9112 §9.6). For the library the answer is still open, so that nothing behind the body is served.
 */

import type { HttpResponse } from 'uWebSockets.js';

const TICK_MS = 1_000;
/** A client that has read its answer stops sending. */
const MAX_SILENT_TICKS = 2;
const MAX_TICKS = 30;
/** The library's own timer, of 8 s at least, is shorter than an honest client may take: it is restarted so often. */
const REARM_TICKS = 4;
const MAX_BYTES = 64 * 1024 * 1024;

export class LingeringClose {
  private readonly res: HttpResponse;
  private readonly timer: NodeJS.Timeout;
  private ticks = 0;
  private silentTicks = 0;
  private bytes = 0;
  private isOver = false;

  constructor(res: HttpResponse) {
    this.res = res;
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  /** More of the body has come. */
  received(byteLength: number, isLast: boolean): void {
    this.silentTicks = 0;
    this.bytes += byteLength;
    // In a later turn: the answer may have been written in this one.
    if (isLast || this.bytes > MAX_BYTES) setImmediate(() => this.close());
  }

  /** The connection is gone. */
  stop(): void {
    this.isOver = true;
    clearInterval(this.timer);
  }

  private tick(): void {
    this.ticks += 1;
    this.silentTicks += 1;
    if (this.silentTicks > MAX_SILENT_TICKS || this.ticks > MAX_TICKS) this.close();
    else if (this.ticks % REARM_TICKS === 0) {
      this.res.pause();
      this.res.resume();
    }
  }

  private close(): void {
    // Ends in `stop`, by way of the exchange.
    if (!this.isOver) this.res.close();
  }
}
