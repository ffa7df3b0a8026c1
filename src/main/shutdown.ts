/**
 * The end of the process: no new connections, what runs is finished within its time, the rest leaves no trace, and the
 * last lines are written. A second signal ends it at once.
 */

import type { App } from './app.ts';
import type { EventDispatcher } from './events/event-dispatcher.ts';
import type { ServerLogger } from './events/logger.ts';

const POLL_MS = 20;
/** How long subscribers and the log get for their last words. */
const LAST_WORDS_MS = 1_000;

export interface ShutdownParts {
  readonly app: App;
  readonly events: EventDispatcher;
  readonly logger: ServerLogger;
  readonly timeoutMs: number;
}

/** Stops everything. True when all that ran was finished. */
export async function shutDown(parts: ShutdownParts, signal: string): Promise<boolean> {
  const { app, events, logger, timeoutMs } = parts;
  const startedMs = performance.now();
  events.publish({ type: 'server.stopping', signal, inFlight: app.inFlight, deadlineMs: timeoutMs });
  app.stopAccepting();
  const isClean = await becomesIdle(app, startedMs + timeoutMs);
  await app.stop();
  events.publish({ type: 'server.stopped', isClean, durationMs: performance.now() - startedMs });
  await events.drain(LAST_WORDS_MS);
  await logger.flush(LAST_WORDS_MS);
  return isClean;
}

async function becomesIdle(app: App, deadlineMs: number): Promise<boolean> {
  while (app.inFlight > 0) {
    if (performance.now() >= deadlineMs) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}
