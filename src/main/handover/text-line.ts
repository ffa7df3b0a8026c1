/** A socket as a conversation in short lines, read one at a time. Whoever says more than fits into one is cut off. */

import type { Socket } from 'node:net';

const MAX_LINE_LENGTH = 1_024;

export class TextLine {
  private readonly socket: Socket;
  private received = '';
  private isEnded = false;
  private wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      if (this.received.length > MAX_LINE_LENGTH) socket.destroy();
      this.wake();
    });
    // An error is an end like any other; `close` follows.
    socket.on('error', () => {});
    socket.once('close', () => {
      this.isEnded = true;
      this.wake();
    });
  }

  get isOpen(): boolean {
    return !this.isEnded;
  }

  say(line: string): void {
    this.socket.write(`${line}\n`);
  }

  /** The next line; null when the other side has gone, or after the time (null: there is none). */
  async hear(timeoutMs: number | null): Promise<string | null> {
    let isLate = false;
    const late = (): void => {
      isLate = true;
      this.wake();
    };
    const timer = timeoutMs === null ? undefined : setTimeout(late, timeoutMs);
    while (!this.received.includes('\n') && !this.isEnded && !isLate) await this.change();
    clearTimeout(timer);
    const end = this.received.indexOf('\n');
    if (end === -1) return null;
    const line = this.received.slice(0, end);
    this.received = this.received.slice(end + 1);
    return line;
  }

  /** Resolves when the other side has gone. */
  async closed(): Promise<void> {
    while (!this.isEnded) await this.change();
  }

  end(): void {
    this.socket.destroy();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}
