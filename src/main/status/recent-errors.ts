/** The last things that went wrong, newest first: what an operator would look for in the log. Never a query. */

import type { EventOf } from '../../shared/events.ts';
import type { EventSubscriptions } from '../events/event-dispatcher.ts';

export interface RecentError {
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  /** What it happened to: a method and a path, a thread, the store. */
  readonly subject: string;
  readonly message: string;
}

const MAX_ERRORS = 20;
/** A path can be as long as a request head. */
const MAX_TEXT = 300;
/** Ends of requests that nobody here is to blame for. */
const NOT_OURS: ReadonlySet<string> = new Set(['client', 'timeout', 'shutdown']);

export class RecentErrors {
  private errors: readonly RecentError[] = [];

  get newestFirst(): readonly RecentError[] {
    return this.errors;
  }

  /** Returns what ends it. */
  listen(events: EventSubscriptions): readonly (() => void)[] {
    return [
      events.on('request.failed', (event) => this.requestFailed(event)),
      events.on('worker.crashed', ({ time, lane, code, transfers }) =>
        this.add(time, `worker ${lane}`, `${code}; ${transfers} transfers were lost`),
      ),
      events.on('storage.degraded', ({ time, code, recovered }) =>
        this.add(time, 'store', recovered ? `takes writes again (${code})` : `refuses writes: ${code}`),
      ),
      events.on('server.failed', ({ time, code, message }) => this.add(time, `server: ${code}`, message)),
      events.on('config.rejected', ({ time, message }) => this.add(time, 'configuration', message)),
    ];
  }

  private requestFailed({ time, method, path, status, code, message }: EventOf<'request.failed'>): void {
    if (NOT_OURS.has(code)) return;
    this.add(time, `${method} ${path}`, `${status ?? 'no answer'} ${code}: ${message}`);
  }

  private add(timeMs: number, subject: string, message: string): void {
    const error = { timeMs, subject: subject.slice(0, MAX_TEXT), message: message.slice(0, MAX_TEXT) };
    this.errors = [error, ...this.errors.slice(0, MAX_ERRORS - 1)];
  }
}
