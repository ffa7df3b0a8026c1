/** The timing of a slow client: body bytes in small steps, ten a second or fewer, in either direction. */

import type { Socket } from 'node:net';

const STEPS_PER_SECOND = 10;

export class PacedSteps {
  /** Bytes of one step. */
  readonly stepBytes: number;
  private readonly stepMs: number;
  private timer: NodeJS.Timeout | null = null;

  constructor(bytesPerSecond: number) {
    this.stepBytes = Math.max(1, Math.floor(bytesPerSecond / STEPS_PER_SECOND));
    this.stepMs = (this.stepBytes / bytesPerSecond) * 1e3;
  }

  /** Runs `next` when the next step is due. */
  later(next: () => void): void {
    this.cancel();
    this.timer = setTimeout(next, this.stepMs);
  }

  /** Stops reading until as much time has passed as `bytes` may take. */
  holdReading(socket: Socket, bytes: number): void {
    socket.pause();
    this.cancel();
    this.timer = setTimeout(() => socket.resume(), (bytes / this.stepBytes) * this.stepMs);
  }

  cancel(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
