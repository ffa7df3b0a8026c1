/**
 * What has arrived of a body that another request goes on with. It lies in the socket and is read to its end, so that
 * nothing of it has to be sent again: a turn of the event loop in which the socket was read from and gave nothing is that
 * end. Bounded, since the client may be alive and go on sending, and the disk may be too slow to read on.
 */

/** More than kernels keep for one connection by default. */
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_MS = 2_000;

export interface LastBytesDependencies {
  /** Of the body, so far. */
  readonly receivedBytes: () => number;
  /** The socket is not read from. */
  readonly isPaused: boolean;
  /** Called once, in a later turn, unless it is stopped before. */
  readonly onEnd: () => void;
}

export class LastBytes {
  private readonly receivedBytes: () => number;
  private readonly onEnd: () => void;
  private readonly maxReceivedBytes: number;
  private readonly timer: NodeJS.Timeout;
  private isPaused: boolean;
  private isLooking = false;
  private isOver = false;
  /** What had been received at the last look; null: the socket was not read from all the time since then. */
  private seenBytes: number | null = null;

  constructor({ receivedBytes, isPaused, onEnd }: LastBytesDependencies) {
    this.receivedBytes = receivedBytes;
    this.onEnd = onEnd;
    this.maxReceivedBytes = receivedBytes() + MAX_BYTES;
    this.isPaused = isPaused;
    this.timer = setTimeout(() => this.end(), MAX_MS);
    this.lookLater();
  }

  /** Too many bytes wait for the disk. */
  paused(): void {
    this.isPaused = true;
    this.seenBytes = null;
  }

  resumed(): void {
    this.isPaused = false;
    this.lookLater();
  }

  stop(): void {
    this.isOver = true;
    clearTimeout(this.timer);
  }

  /** Between two of these lies a whole round of the event loop over all sockets. */
  private lookLater(): void {
    if (this.isLooking || this.isPaused) return;
    this.isLooking = true;
    setImmediate(() => {
      this.isLooking = false;
      this.look();
    });
  }

  private look(): void {
    if (this.isOver || this.isPaused) return;
    const bytes = this.receivedBytes();
    if (bytes === this.seenBytes || bytes >= this.maxReceivedBytes) {
      this.end();
      return;
    }
    this.seenBytes = bytes;
    this.lookLater();
  }

  private end(): void {
    this.stop();
    this.onEnd();
  }
}
