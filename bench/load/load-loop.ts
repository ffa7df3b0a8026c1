/**
 * Runs one load in one thread: gives free connections the requests that are due, records how they end, and drains at the end, so
 * that an answer that never comes is counted too.
 */

import { nowMs } from '../clock.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Payload } from '../payload.ts';
import type { Load } from '../scenario.ts';
import { ClientConnection } from './connection.ts';
import type { Conversation } from './conversation.ts';
import type { Outcome } from './exchange.ts';
import { type LoadInterval, Recorder } from './recorder.ts';
import type { ResponseHead } from './response-parser.ts';
import type { Schedule } from './schedule.ts';

/** After a failure a connection rests, so that a dead server is not hammered. */
const REST_AFTER_FAILURE_MS = 50;
const SILENT_MS = 5000;

interface Seat {
  readonly conversation: Conversation;
  previous: ResponseHead | null;
  idleSinceMs: number;
}

export interface LoadLoopSettings {
  readonly load: Load;
  readonly endpoint: Endpoint;
  readonly payload: Payload;
  readonly readBuffer: Buffer;
  /** One per connection. */
  readonly conversations: readonly Conversation[];
  /** Called once, when the quota is used up and everything is answered, or when the drain after the end is over. */
  readonly onFinished: () => void;
}

export class LoadLoop {
  private readonly settings: LoadLoopSettings;
  private readonly recorder = new Recorder();
  private readonly seats = new Map<ClientConnection, Seat>();
  private readonly isOpenLoop: boolean;
  private idle: ClientConnection[] = [];
  private busy = 0;
  private schedule: Schedule | null = null;
  private endMs = Number.POSITIVE_INFINITY;
  /** Connections whose conversation has nothing more to ask for. */
  private retired = 0;
  private isFinished = false;

  constructor(settings: LoadLoopSettings) {
    this.settings = settings;
    this.isOpenLoop = settings.load.ratePerSecond !== null;
    for (const conversation of settings.conversations) {
      const connection = new ClientConnection(
        {
          endpoint: settings.endpoint,
          payload: settings.payload,
          readBuffer: settings.readBuffer,
          bytesPerSecond: settings.load.bytesPerSecond,
          isChurning: settings.load.isChurning,
          timeoutMs: settings.load.timeoutMs,
          countBytes: (count) => this.countBytes(count),
        },
        (outcome, self) => this.ended(outcome, self),
      );
      this.seats.set(connection, { conversation, previous: null, idleSinceMs: 0 });
      this.idle.push(connection);
    }
  }

  /** Opens the connections, without a request. */
  open(): void {
    for (const connection of this.seats.keys()) connection.open();
  }

  /** Begins. Nothing new after `endMs` (monotonic). */
  start(schedule: Schedule, endMs: number): void {
    this.schedule = schedule;
    this.end(endMs);
  }

  /** Begins every request that is due and has a free connection. */
  pump(): void {
    while (this.idle.length > 0) {
      const now = nowMs();
      const startMs = this.schedule?.take(now) ?? null;
      if (startMs === null) break;
      this.begin(startMs, now);
    }
    this.finishIfDone();
  }

  /** The measured time is over at `endMs`: what is under way may end, what was due by then is still sent. */
  end(endMs: number): void {
    this.endMs = Math.min(this.endMs, endMs);
    this.schedule?.end(this.endMs);
    if (this.settings.load.bytesPerSecond !== null && nowMs() >= this.endMs) this.close();
    else this.pump();
  }

  /** Fails requests in which nothing moves any more. To be called a few times a second. */
  checkTimeouts(): void {
    const now = nowMs();
    for (const connection of this.seats.keys()) connection.checkTimeout(now);
  }

  /** Ends the drain: requests in which nothing moves any more count as errors, long transfers that still move do not. */
  giveUp(): void {
    if (this.isFinished) return;
    const silentSinceMs = nowMs() - SILENT_MS;
    this.recorder.countError('never sent', this.schedule?.countWaiting() ?? 0);
    for (const connection of this.seats.keys()) connection.failIfSilent(silentSinceMs, 'unanswered at the end');
    this.close();
  }

  /** Closes all connections; requests under way are forgotten. */
  close(): void {
    for (const connection of this.seats.keys()) connection.close();
    this.idle = [];
    this.busy = 0;
    this.finish();
  }

  /** When the last right answer was complete, monotonic; 0: none yet. */
  get lastMs(): number {
    return this.recorder.lastMs;
  }

  takeInterval(): LoadInterval {
    return this.recorder.take();
  }

  private countBytes(count: number): number {
    if (count > 0 && nowMs() > this.endMs) return 0;
    this.recorder.countBytes(count);
    return count;
  }

  private begin(startMs: number, now: number): void {
    const connection = this.idle.shift();
    const seat = connection === undefined ? undefined : this.seats.get(connection);
    if (connection === undefined || seat === undefined) return;
    const request = seat.conversation.next(seat.previous);
    seat.previous = null;
    if (request === null) {
      this.retired += 1;
      return;
    }
    if (this.isOpenLoop) this.recorder.countLateness(now - Math.max(startMs, seat.idleSinceMs));
    this.busy += 1;
    connection.send(request, startMs);
  }

  private ended(outcome: Outcome, connection: ClientConnection): void {
    if (this.isFinished) return;
    const now = nowMs();
    this.busy -= 1;
    const seat = this.seats.get(connection);
    if (outcome.failure !== null) {
      this.recorder.countError(outcome.failure);
      setTimeout(() => this.rested(connection), REST_AFTER_FAILURE_MS);
    } else if (seat !== undefined) {
      this.recorder.countAnswer(now - outcome.startedMs, now, now <= this.endMs);
      seat.previous = outcome.head;
      seat.idleSinceMs = now;
      this.idle.push(connection);
    }
    this.pump();
  }

  private rested(connection: ClientConnection): void {
    if (this.isFinished) return;
    const seat = this.seats.get(connection);
    if (seat !== undefined) seat.idleSinceMs = nowMs();
    this.idle.push(connection);
    this.pump();
  }

  private finishIfDone(): void {
    if (this.busy === 0 && (this.retired === this.seats.size || this.schedule?.isOver === true)) this.finish();
  }

  private finish(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    for (const connection of this.seats.keys()) connection.close();
    this.settings.onFinished();
  }
}
