/**
 * Sends messages until each is taken: a few at a time, again after a failure, with pauses that grow while the receiver
 * fails. Only 2xx counts; a redirect is not followed, because the signature was made for one receiver.
 */

import { messageFields, type WebhookMessage } from './webhook-message.ts';

const MAX_IN_FLIGHT = 8;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;
/** A message that nobody took for so long is given up. */
const MAX_AGE_MS = 72 * 3_600_000;

export interface WebhookSenderOptions {
  readonly url: string;
  readonly secret: string;
  /** Messages that may wait. */
  readonly capacity: number;
  /** An attempt may last so long. */
  readonly timeoutMs: number;
  /** The pause after the first failure in a row; it doubles with each further one. */
  readonly firstPauseMs?: number;
  /** The message is done with: taken, or given up. */
  readonly onDone: (id: string) => void;
  /** Told once when the receiver begins to fail, and once when it takes messages again (null). */
  readonly onTrouble: (reason: string | null) => void;
}

/** What became of messages since the start. */
export interface WebhookFigures {
  readonly delivered: number;
  /** Attempts that failed. */
  readonly failed: number;
  /** Given up: the queue was full, or nobody took them for three days. */
  readonly dropped: number;
  readonly queued: number;
}

export class WebhookSender {
  private readonly options: WebhookSenderOptions;
  private readonly queue: WebhookMessage[] = [];
  private readonly stopping = new AbortController();
  private readonly attempts = new Set<Promise<void>>();
  private delivered = 0;
  private failed = 0;
  private dropped = 0;
  private failuresInRow = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(options: WebhookSenderOptions) {
    this.options = options;
  }

  get figures(): WebhookFigures {
    const { delivered, failed, dropped } = this;
    return { delivered, failed, dropped, queued: this.queue.length + this.attempts.size };
  }

  /** False: there is no room, and the message is dropped. Returns at once. */
  offer(message: WebhookMessage): boolean {
    if (this.queue.length + this.attempts.size >= this.options.capacity) {
      this.dropped += 1;
      return false;
    }
    this.queue.push(message);
    this.sendNext();
    return true;
  }

  /** Ends attempts that are under way. What was not taken is still not done with. */
  async stop(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.stopping.abort();
    await Promise.all(this.attempts);
  }

  private sendNext(): void {
    // While the receiver fails, one attempt at a time finds out whether it still does.
    const limit = this.failuresInRow === 0 ? MAX_IN_FLIGHT : 1;
    while (this.timer === null && this.attempts.size < limit && !this.stopping.signal.aborted) {
      const message = this.queue.shift();
      if (message === undefined) return;
      const attempt = this.attempt(message).finally(() => {
        this.attempts.delete(attempt);
        this.sendNext();
      });
      this.attempts.add(attempt);
    }
  }

  private async attempt(message: WebhookMessage): Promise<void> {
    const reason = await this.send(message);
    if (this.stopping.signal.aborted && reason !== null) return;
    if (reason === null) {
      this.delivered += 1;
      if (this.failuresInRow > 0) this.options.onTrouble(null);
      this.failuresInRow = 0;
      this.options.onDone(message.id);
      return;
    }
    this.failed += 1;
    // Those that failed together failed once.
    if (this.timer === null) this.failuresInRow += 1;
    if (this.timer === null && this.failuresInRow === 1) this.options.onTrouble(reason);
    if (Date.now() - message.createdMs > MAX_AGE_MS) {
      this.dropped += 1;
      this.options.onDone(message.id);
    } else this.queue.push(message);
    this.pause();
  }

  /** Resolves to null when the message was taken, otherwise to the reason. Never rejects. */
  private async send(message: WebhookMessage): Promise<string | null> {
    const { url, secret, timeoutMs } = this.options;
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: messageFields(message, secret, Date.now()),
        body: message.body,
        signal: AbortSignal.any([this.stopping.signal, AbortSignal.timeout(timeoutMs)]),
      });
      // Whatever it says: the connection can be used again only when it was read or dropped.
      await response.body?.cancel();
      return response.ok ? null : `status ${response.status}`;
    } catch (error) {
      if (!(error instanceof Error)) return String(error);
      return error.cause instanceof Error ? error.cause.message : error.message;
    }
  }

  /** Between half and the whole of what is due, so that many servers do not come back at the same moment. */
  private pause(): void {
    if (this.timer !== null) return;
    const firstPauseMs = this.options.firstPauseMs ?? FIRST_PAUSE_MS;
    const dueMs = Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** (this.failuresInRow - 1));
    this.timer = setTimeout(
      () => {
        this.timer = null;
        this.sendNext();
      },
      dueMs * (0.5 + Math.random() / 2),
    ).unref();
  }
}
