/**
 * What `put` shows while it works: on a terminal one line that is drawn anew, with a bar, the rate and the time that is
 * left; elsewhere plain lines now and then, as logs want them.
 */

import type { PutView } from './put-file.ts';
import { bytesText, durationText } from './quantity-text.ts';
import { TransferRate } from './transfer-rate.ts';

/** Where the text goes. */
export interface ProgressSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
}

export interface ProgressOptions {
  readonly sink: ProgressSink;
  readonly name: string;
  readonly size: number;
  readonly now: () => number;
  /** The terminal shows block characters. */
  readonly hasBlocks: boolean;
}

export interface Progress extends PutView {
  /** Takes an unfinished line off the terminal. */
  clear(): void;
  /** The last line: how long it took. */
  done(): void;
}

const REDRAW_MS = 100;
const LINE_MS = 10_000;
const DEFAULT_COLUMNS = 80;
const LONGEST_BAR = 30;
const SHORTEST_BAR = 5;
const CLEAR_LINE = '\r\x1b[K';
const PARTS_OF_BLOCK = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

export function createProgress(options: ProgressOptions): Progress {
  return options.sink.isTTY === true ? new TerminalProgress(options) : new LineProgress(options);
}

/** The figures that both show. */
class Figures {
  private readonly rate = new TransferRate();
  private readonly size: number;
  private readonly startedMs: number;
  /** Where this run began. */
  private firstByte: number | null = null;
  bytes = 0;

  constructor({ size, now }: ProgressOptions) {
    this.size = size;
    this.startedMs = now();
  }

  take(nowMs: number, bytes: number): void {
    this.bytes = bytes;
    this.firstByte ??= bytes;
    this.rate.sample(nowMs, bytes);
  }

  /** What was sent in all this time, waits included. */
  summary(nowMs: number): string {
    const seconds = (nowMs - this.startedMs) / 1_000;
    const sent = this.bytes - (this.firstByte ?? 0);
    const rate = seconds > 0 ? `, ${bytesText(sent / seconds)}/s` : '';
    return `${bytesText(sent)} in ${seconds < 10 ? `${seconds.toFixed(1)} s` : durationText(seconds)}${rate}`;
  }

  get share(): number {
    return this.size === 0 ? 1 : this.bytes / this.size;
  }

  get percent(): string {
    return `${Math.floor(this.share * 100)}%`;
  }

  get rateText(): string {
    const rate = this.rate.bytesPerSecond;
    return rate === null ? '' : `${bytesText(rate)}/s`;
  }

  get leftText(): string {
    const rate = this.rate.bytesPerSecond;
    return rate === null || rate <= 0 ? '' : durationText((this.size - this.bytes) / rate);
  }
}

class TerminalProgress implements Progress {
  private readonly options: ProgressOptions;
  private readonly figures: Figures;
  private drawnMs = Number.NEGATIVE_INFINITY;
  private isDrawn = false;

  constructor(options: ProgressOptions) {
    this.options = options;
    this.figures = new Figures(options);
  }

  sent(bytes: number): void {
    const nowMs = this.options.now();
    this.figures.take(nowMs, bytes);
    const isLast = bytes === this.options.size;
    if (isLast || nowMs - this.drawnMs >= REDRAW_MS) this.draw(nowMs);
  }

  waiting(reason: string, delayMs: number): void {
    this.line(`${reason}; trying again in ${(delayMs / 1_000).toFixed(1)} s`);
  }

  goingOn(offset: number): void {
    this.line(`going on after ${bytesText(offset)} of ${bytesText(this.options.size)}`);
  }

  checking(): void {
    this.clear();
    this.options.sink.write(fit(`${this.options.name}  comparing what has arrived`, this.columns));
    this.isDrawn = true;
  }

  clear(): void {
    if (this.isDrawn) this.options.sink.write(CLEAR_LINE);
    this.isDrawn = false;
  }

  done(): void {
    const { name, now } = this.options;
    this.line(`${name}  ${this.figures.summary(now())}`);
  }

  private line(text: string): void {
    this.clear();
    this.options.sink.write(`${text}\n`);
  }

  private get columns(): number {
    return this.options.sink.columns || DEFAULT_COLUMNS;
  }

  private draw(nowMs: number): void {
    this.drawnMs = nowMs;
    const { name, size, sink, hasBlocks } = this.options;
    const { share, percent, bytes, rateText, leftText } = this.figures;
    const amount = `${bytesText(bytes).padStart(6)} of ${bytesText(size)}`;
    const eta = leftText === '' ? '' : `${leftText} left`;
    // Columns of one width, or the bar would twitch.
    const right = `${percent.padStart(4)}  ${amount}  ${rateText.padStart(9)}  ${eta.padEnd(10)}`;
    // The last column stays free: some terminals wrap there.
    const room = this.columns - 1 - right.length - 4;
    const width = Math.min(LONGEST_BAR, room - Math.min(name.length, Math.floor(room / 2)));
    const bar = width < SHORTEST_BAR ? '' : `  ${barText(share, width, hasBlocks)}`;
    const left = fit(name, Math.max(0, this.columns - 1 - right.length - bar.length - 1));
    sink.write(`${CLEAR_LINE}${fit(`${left}${bar} ${right}`, this.columns - 1)}`);
    this.isDrawn = true;
  }
}

class LineProgress implements Progress {
  private readonly options: ProgressOptions;
  private readonly figures: Figures;
  private shownMs: number;

  constructor(options: ProgressOptions) {
    this.options = options;
    this.figures = new Figures(options);
    this.shownMs = options.now();
  }

  sent(bytes: number): void {
    const nowMs = this.options.now();
    this.figures.take(nowMs, bytes);
    if (nowMs - this.shownMs < LINE_MS) return;
    this.shownMs = nowMs;
    const { percent, rateText, leftText } = this.figures;
    const figures = [percent, rateText, leftText === '' ? '' : `${leftText} left`].filter((text) => text !== '');
    this.line(figures.join(', '));
  }

  waiting(reason: string, delayMs: number): void {
    this.line(`${reason}; trying again in ${(delayMs / 1_000).toFixed(1)} s`);
  }

  goingOn(offset: number): void {
    this.line(`going on after ${offset} of ${this.options.size} bytes`);
  }

  checking(): void {}

  clear(): void {}

  done(): void {
    this.line(this.figures.summary(this.options.now()));
  }

  private line(text: string): void {
    this.options.sink.write(`${this.options.name}: ${text}\n`);
  }
}

/** A bar of exactly `width` characters. `share` is between 0 and 1. */
export function barText(share: number, width: number, hasBlocks: boolean): string {
  if (!hasBlocks) return `[${'#'.repeat(Math.floor(share * (width - 2))).padEnd(width - 2, '.')}]`;
  const eighths = Math.floor(share * width * 8);
  const text = '█'.repeat(Math.floor(eighths / 8)) + (PARTS_OF_BLOCK[eighths % 8] ?? '');
  return text.padEnd(width, '░');
}

function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
