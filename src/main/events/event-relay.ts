/**
 * The dispatcher's stand-in on another thread: collects events for a moment and sends them over together, in order.
 * Bounded like the dispatcher's own queue, also while the other side is slow: at most so many batches are under way, and
 * the rest waits here.
 */

import type { EventPublisher, ServerEventBody, ServerEventType } from '../../shared/events.ts';
import type { EventInterest } from './event-dispatcher.ts';
import { EventQueue } from './event-queue.ts';

/** An event and when it happened, in milliseconds since the epoch. */
export type TimedEvent = ServerEventBody & { readonly time: number };

export interface EventBatch {
  readonly events: readonly TimedEvent[];
  /** Events that were given up since the start. */
  readonly dropped: number;
}

export interface EventRelayOptions {
  readonly interests: readonly EventInterest[];
  readonly send: (batch: EventBatch) => void;
  /** Events kept while they wait. */
  readonly capacity?: number;
}

const DEFAULT_CAPACITY = 10_000;
/** Events are sent after this time: waking the other thread for each would cost more than the event. */
const DELAY_MS = 10;
const MAX_BATCH = 1_000;
/** Batches that the other side has not taken yet. */
const MAX_UNDER_WAY = 2;

export class EventRelay implements EventPublisher {
  private readonly queue: EventQueue<TimedEvent>;
  private readonly send: (batch: EventBatch) => void;
  private interests: ReadonlySet<EventInterest>;
  private underWay = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(options: EventRelayOptions) {
    this.queue = new EventQueue(options.capacity ?? DEFAULT_CAPACITY);
    this.send = options.send;
    this.interests = new Set(options.interests);
  }

  /** What the dispatcher's subscribers ask for from now on. */
  setInterests(interests: readonly EventInterest[]): void {
    this.interests = new Set(interests);
  }

  wants(type: ServerEventType): boolean {
    return this.interests.has('*') || this.interests.has(type);
  }

  publish(event: ServerEventBody): void {
    if (!this.wants(event.type)) return;
    if (!this.queue.add({ ...event, time: Date.now() })) return;
    if (this.queue.length >= MAX_BATCH) this.sendReady();
    else this.timer ??= setTimeout(() => this.sendReady(), DELAY_MS);
  }

  /** The other side has taken a batch. */
  taken(): void {
    this.underWay -= 1;
    if (this.timer === null && this.queue.length > 0) this.sendReady();
  }

  /** Sends everything at once, however slow the other side is: for the end. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    while (this.queue.length > 0) this.sendBatch();
  }

  private sendReady(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    while (this.queue.length > 0 && this.underWay < MAX_UNDER_WAY) this.sendBatch();
  }

  private sendBatch(): void {
    const events: TimedEvent[] = [];
    for (let event = this.queue.take(); event !== undefined; event = this.queue.take()) {
      events.push(event);
      if (events.length === MAX_BATCH) break;
    }
    this.underWay += 1;
    this.send({ events, dropped: this.queue.droppedEvents });
  }
}
