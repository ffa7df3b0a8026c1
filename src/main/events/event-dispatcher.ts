/**
 * Takes facts from every part of the server and hands them to whoever asked for them: later, in order, and never inside
 * the code path of a request. What a subscriber does, throws or forgets reaches neither the publisher nor the others.
 */

import type {
  EventOf,
  EventPublisher,
  EventStamp,
  ServerEvent,
  ServerEventBody,
  ServerEventType,
} from '../../shared/events.ts';
import { EventQueue } from './event-queue.ts';

/** Asynchronous handlers are not awaited: a promise that never settles holds up nobody. */
export type EventHandler<E extends ServerEvent> = (event: E) => void | Promise<void>;

/** What subscribers see of the dispatcher. */
export interface EventSubscriptions {
  /**
   * Calls `handler` for every event of the type that is delivered from now on, `'*'` for all of them. The function it
   * returns ends that, at once, also from inside a handler.
   */
  on<T extends ServerEventType>(type: T, handler: EventHandler<EventOf<T>>): () => void;
  on(type: '*', handler: EventHandler<ServerEvent>): () => void;
}

export interface EventDispatcherOptions {
  /** Told of every handler that threw or rejected. */
  readonly onHandlerError?: (error: unknown, event: ServerEvent) => void;
  /** Events kept while they wait. */
  readonly capacity?: number;
  /** Milliseconds since the epoch. */
  readonly wallClockMs?: () => number;
  /** Milliseconds since any moment, never going back. */
  readonly monotonicMs?: () => number;
}

/** What somebody can subscribe to. */
export type EventInterest = ServerEventType | '*';

interface Subscription {
  readonly type: EventInterest;
  readonly handler: EventHandler<ServerEvent>;
  isActive: boolean;
}

const DEFAULT_CAPACITY = 10_000;
/** Time that one turn of the event loop spends on delivery. */
const TURN_BUDGET_MS = 5;
/** The same when the queue is more than half full: a slow turn is better than lost events. */
const PRESSED_TURN_BUDGET_MS = 50;

export class EventDispatcher implements EventPublisher, EventSubscriptions {
  private readonly queue: EventQueue<ServerEvent>;
  private readonly onHandlerError: (error: unknown, event: ServerEvent) => void;
  private readonly wallClockMs: () => number;
  private readonly monotonicMs: () => number;
  private subscriptions: readonly Subscription[] = [];
  private readonly interestListeners = new Set<() => void>();
  /** Who gets which type, in order of subscription; built when first asked for. */
  private readonly byType = new Map<ServerEventType, readonly Subscription[]>();
  /** Handlers of `server.stopped` that have not settled. */
  private readonly lastWords = new Set<Promise<void>>();
  private seq = 0;
  private failedCalls = 0;
  private isScheduled = false;

  constructor(options: EventDispatcherOptions = {}) {
    this.queue = new EventQueue(options.capacity ?? DEFAULT_CAPACITY);
    this.onHandlerError = options.onHandlerError ?? (() => {});
    this.wallClockMs = options.wallClockMs ?? Date.now;
    this.monotonicMs = options.monotonicMs ?? (() => performance.now());
  }

  /** Events that were published, wanted, and given up because the queue was full. */
  get droppedEvents(): number {
    return this.queue.droppedEvents;
  }

  /** Calls of handlers that threw or rejected. */
  get handlerErrors(): number {
    return this.failedCalls;
  }

  on<T extends ServerEventType>(type: T, handler: EventHandler<EventOf<T>>): () => void;
  on(type: '*', handler: EventHandler<ServerEvent>): () => void;
  on(type: ServerEventType | '*', handler: EventHandler<never>): () => void {
    const subscription: Subscription = { type, handler: handler as EventHandler<ServerEvent>, isActive: true };
    this.replaceSubscriptions([...this.subscriptions, subscription]);
    return () => {
      subscription.isActive = false;
      this.replaceSubscriptions(this.subscriptions.filter((other) => other !== subscription));
    };
  }

  /** The types that somebody has subscribed to; `'*'` stands for all. */
  get interests(): readonly EventInterest[] {
    return [...new Set(this.subscriptions.map(({ type }) => type))];
  }

  /** Calls back whenever `interests` may have changed. */
  onInterestsChange(listener: () => void): void {
    this.interestListeners.add(listener);
  }

  wants(type: ServerEventType): boolean {
    return this.subscribersOf(type).length > 0;
  }

  /** Takes the object over: the publisher does not use it any more. */
  publish(event: ServerEventBody): void {
    if (this.wants(event.type)) this.enqueue(event, this.wallClockMs());
  }

  /** The same for an event of another thread: `time` is when it happened there. */
  publishAt(event: ServerEventBody, time: number): void {
    if (this.wants(event.type)) this.enqueue(event, time);
  }

  /**
   * Waits until everything published so far is delivered and the handlers of `server.stopped` have settled, in all at
   * most `timeoutMs`.
   */
  async drain(timeoutMs = 1000): Promise<void> {
    const deadline = this.monotonicMs() + timeoutMs;
    while (this.queue.length > 0 && this.monotonicMs() < deadline) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.lastWords.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, deadline - this.monotonicMs()));
    });
    await Promise.race([Promise.allSettled(this.lastWords), timeout]);
    clearTimeout(timer);
  }

  private replaceSubscriptions(subscriptions: readonly Subscription[]): void {
    this.subscriptions = subscriptions;
    this.byType.clear();
    for (const listener of this.interestListeners) listener();
  }

  private enqueue(event: ServerEventBody, time: number): void {
    this.seq += 1;
    if (this.queue.add(stamp(event, this.seq, time))) this.schedule();
  }

  private subscribersOf(type: ServerEventType): readonly Subscription[] {
    let subscribers = this.byType.get(type);
    if (subscribers === undefined) {
      subscribers = this.subscriptions.filter(
        (subscription) => subscription.type === type || subscription.type === '*',
      );
      this.byType.set(type, subscribers);
    }
    return subscribers;
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.deliverTurn();
      if (this.queue.length > 0) this.schedule();
    });
  }

  private deliverTurn(): void {
    const startedMs = this.monotonicMs();
    for (let event = this.queue.take(); event !== undefined; event = this.queue.take()) {
      this.deliver(event);
      const budgetMs = this.queue.isHalfFull ? PRESSED_TURN_BUDGET_MS : TURN_BUDGET_MS;
      if (this.monotonicMs() - startedMs >= budgetMs) return;
    }
  }

  private deliver(event: ServerEvent): void {
    for (const subscription of this.subscribersOf(event.type)) {
      if (!subscription.isActive) continue;
      try {
        const result = subscription.handler(event);
        if (result instanceof Promise) this.watch(result, event);
      } catch (error) {
        this.report(error, event);
      }
    }
  }

  private watch(result: Promise<void>, event: ServerEvent): void {
    const settled = result
      .catch((error: unknown) => this.report(error, event))
      .finally(() => this.lastWords.delete(settled));
    if (event.type === 'server.stopped') this.lastWords.add(settled);
  }

  private report(error: unknown, event: ServerEvent): void {
    this.failedCalls += 1;
    try {
      this.onHandlerError(error, event);
    } catch {
      // The reporter itself failed: it is counted, and there is nobody left to tell.
    }
  }
}

/** In place, since a copy costs ten times as much; but never an object that is frozen or was published before. */
function stamp(event: ServerEventBody, seq: number, time: number): ServerEvent {
  if (!Object.isExtensible(event) || 'seq' in event) return { ...event, seq, time };
  const stamped = event as ServerEventBody & { -readonly [K in keyof EventStamp]: EventStamp[K] };
  stamped.seq = seq;
  stamped.time = time;
  return stamped;
}
