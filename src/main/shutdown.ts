/**
 * The end of the process: no new connections, what runs is finished within its time, the rest is cut, and the
 * last lines are written. A second signal ends it at once. When another server waits to follow, it gets first the port,
 * then the store; without one that takes the port the end is called off.
 */

import type { App } from './app.ts';
import type { EventDispatcher } from './events/event-dispatcher.ts';
import type { ServerLogger } from './events/logger.ts';

const POLL_MS = 20;
/** Kept connections are used or closed within this time: the library ends those that idle for longer. */
const PORT_LIMIT_MS = 10_000;
/** A successor that was let listen does so at once. */
const LISTEN_LIMIT_MS = 5_000;
/** The last connections that were taken have brought a request by then. */
const LATE_REQUEST_MS = 2_000;
/** How long subscribers and the log get for their last words. */
const LAST_WORDS_MS = 1_000;

export interface ShutdownParts {
  readonly app: App;
  readonly events: EventDispatcher;
  readonly logger: ServerLogger;
  readonly webhooks: { stop(): Promise<void> } | null;
  readonly timeoutMs: number;
}

/**
 * Lets the successor take the port, and goes on accepting until then, while connections that are kept come to their end:
 * so nobody waits for long. False: the successor is gone, and everything is as before.
 */
export async function handOverPort(app: App, timeoutMs: number): Promise<boolean> {
  app.drain();
  await becomesTrue(() => app.idleConnections <= 0, performance.now() + Math.min(PORT_LIMIT_MS, timeoutMs));
  const isTaken = await app.successor.takesPort(LISTEN_LIMIT_MS);
  if (!isTaken) app.resume();
  // Whoever has connected to us before is accepted in the next turn.
  await nextTurn();
  await nextTurn();
  return isTaken;
}

/** Stops everything. True when all that ran was finished. */
export async function shutDown(parts: ShutdownParts, signal: string): Promise<boolean> {
  const { app, events, logger, webhooks, timeoutMs } = parts;
  const startedMs = performance.now();
  const deadlineMs = startedMs + timeoutMs;
  events.publish({ type: 'server.stopping', signal, inFlight: app.inFlight, deadlineMs: timeoutMs });
  app.stopAccepting();
  if (app.successor.isThere) await handOverStore(app, deadlineMs);
  const isClean = await becomesTrue(() => app.inFlight === 0, deadlineMs);
  await app.stop();
  events.publish({ type: 'server.stopped', isClean, durationMs: performance.now() - startedMs });
  await events.drain(LAST_WORDS_MS);
  await webhooks?.stop();
  await logger.flush(LAST_WORDS_MS);
  return isClean;
}

/** What writes is finished, and connections that were taken last have brought their request. */
async function handOverStore(app: App, deadlineMs: number): Promise<void> {
  const lateMs = performance.now() + LATE_REQUEST_MS;
  const isQuiet = (): boolean => app.writing === 0 && (app.idleConnections <= 0 || performance.now() > lateMs);
  if (await becomesTrue(isQuiet, deadlineMs)) await app.handOverStore();
}

async function becomesTrue(condition: () => boolean, deadlineMs: number): Promise<boolean> {
  while (!condition()) {
    if (performance.now() >= deadlineMs) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
