/**
 * When a transfer is too slow. The library's own timer cuts honest slow clients and never ends some dead ones; this
 * clock replaces it with minimum rates that are written down.
 */

import type { Exchange } from '../http/exchange.ts';

/** An upload must bring this many bytes in each window: 1 KiB a second. */
const UPLOAD_WINDOW_MS = 30_000;
const UPLOAD_WINDOW_BYTES = 30 * 1024;
/** How long we may keep a client from sending; meanwhile its disappearance goes unnoticed. */
const MAX_PAUSE_MS = 30_000;
/** How long a complete request may wait for its answer: the sync of a very large file on a slow disk. */
const MAX_ANSWER_MS = 600_000;
/** What counts of the time between two looks: while the event loop is held nobody can take anything. */
const MAX_LOOK_GAP_MS = 2_000;
/** The library's timer is restarted this often on slow transfers; its granularity is 4 seconds. */
const UPLOAD_REARM_MS = 1_000;
const DOWNLOAD_REARM_MS = 4_000;

/** What the clock sees of an exchange. */
export interface Transfer extends Pick<Exchange, 'state' | 'bytesIn' | 'bytesOut' | 'isBodyComplete'> {
  /** The client has not taken all that it was offered. */
  readonly isHeldBack: boolean;
}

/** How many milliseconds a reader may take nothing that has taken nothing for so many; 0: it is not held back. */
export type ReaderPatience = (stillMs: number) => number;

export class TransferClock {
  private pausedSince: number | null = null;
  private windowStart: number;
  private windowBytes = 0;
  private lastLook: number;
  /** For how long the client of a download has taken nothing. */
  private stillMs = 0;
  private lastBytesOut = 0;
  private lastRearm: number;
  private completeSince: number | null = null;

  constructor(nowMs: number) {
    this.windowStart = nowMs;
    this.lastLook = nowMs;
    this.lastRearm = nowMs;
  }

  get isPaused(): boolean {
    return this.pausedSince !== null;
  }

  /** We keep the client from sending: no rate is expected of it. */
  pause(nowMs: number): void {
    this.pausedSince ??= nowMs;
  }

  resume(nowMs: number, bytesIn: number): void {
    this.pausedSince = null;
    this.windowStart = nowMs;
    this.windowBytes = bytesIn;
  }

  /** True at most once a second, while the client is not paused. */
  wantsRearm(): boolean {
    if (this.pausedSince !== null) return false;
    const nowMs = performance.now();
    if (nowMs - this.lastRearm < UPLOAD_REARM_MS) return false;
    this.lastRearm = nowMs;
    return true;
  }

  /** What is to be done with an unfinished exchange at this moment. */
  look(nowMs: number, exchange: Transfer, patienceMs: ReaderPatience): 'wait' | 'rearm' | 'close' {
    if (exchange.state === 'streaming') return this.lookAtDownload(nowMs, exchange, patienceMs);
    if (this.pausedSince !== null) return nowMs - this.pausedSince > MAX_PAUSE_MS ? 'close' : 'wait';
    if (exchange.isBodyComplete) {
      this.completeSince ??= nowMs;
      return nowMs - this.completeSince > MAX_ANSWER_MS ? 'close' : 'wait';
    }
    return this.lookAtUpload(nowMs, exchange.bytesIn);
  }

  private lookAtUpload(nowMs: number, bytesIn: number): 'wait' | 'close' {
    if (nowMs - this.windowStart < UPLOAD_WINDOW_MS) return 'wait';
    const isTooSlow = bytesIn - this.windowBytes < UPLOAD_WINDOW_BYTES;
    this.windowStart = nowMs;
    this.windowBytes = bytesIn;
    return isTooSlow ? 'close' : 'wait';
  }

  private lookAtDownload(
    nowMs: number,
    { bytesOut, isHeldBack }: Transfer,
    patienceMs: ReaderPatience,
  ): 'wait' | 'rearm' | 'close' {
    const sinceLook = Math.min(nowMs - this.lastLook, MAX_LOOK_GAP_MS);
    this.stillMs = bytesOut === this.lastBytesOut ? this.stillMs + sinceLook : 0;
    this.lastBytesOut = bytesOut;
    this.lastLook = nowMs;
    if (this.stillMs > patienceMs(isHeldBack ? this.stillMs : 0)) return 'close';
    if (nowMs - this.lastRearm < DOWNLOAD_REARM_MS) return 'wait';
    this.lastRearm = nowMs;
    return 'rearm';
  }
}
