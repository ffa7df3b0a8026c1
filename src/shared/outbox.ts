/**
 * What one thread has to say to another. Each crossing costs a wake-up and a copy of its own, so what is said in one
 * turn of the event loop goes out together; but whoever is given much to do is not kept waiting for the rest.
 */

const POST_AT_BYTES = 256 * 1024;
const POST_AT_MESSAGES = 16;

export interface OutboxOptions<M> {
  readonly post: (messages: readonly M[], moved: readonly ArrayBuffer[]) => void;
  /** Called at the end of a turn, before its messages go out: time to add what was waiting for that. */
  readonly onTurnEnd?: () => void;
}

export class Outbox<M> {
  private readonly options: OutboxOptions<M>;
  private messages: M[] = [];
  private moved: ArrayBuffer[] = [];
  private bytes = 0;
  private isScheduled = false;

  constructor(options: OutboxOptions<M>) {
    this.options = options;
  }

  /** Sends a message at the end of the turn at the latest. `bytes`: how much work or memory waits for it. */
  put(message: M, buffer: ArrayBuffer | null, bytes: number): void {
    this.messages.push(message);
    if (buffer !== null) this.moved.push(buffer);
    this.bytes += bytes;
    if (this.bytes >= POST_AT_BYTES || this.messages.length >= POST_AT_MESSAGES) this.post();
    else this.schedule();
  }

  /** Makes sure that the end of this turn is noticed. */
  schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.options.onTurnEnd?.();
      this.post();
    });
  }

  /** Sends what there is now. */
  post(): void {
    if (this.messages.length === 0) return;
    const { messages, moved } = this;
    this.clear();
    this.options.post(messages, moved);
  }

  /** Forgets what was not sent. */
  clear(): void {
    this.messages = [];
    this.moved = [];
    this.bytes = 0;
  }
}
