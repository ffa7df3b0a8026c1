/** Sends a row of requests over a few connections, outside of any measurement: uploads before it, checks and deletions after it. */

import { nowMs } from '../clock.ts';
import { ClientConnection, type ConnectionSettings } from './connection.ts';
import type { OutgoingRequest } from './exchange.ts';

export interface BatchResult {
  readonly sent: number;
  readonly errors: Readonly<Record<string, number>>;
}

const SWEEP_MS = 500;

/** Sends all requests, `width` at a time, and counts what went wrong. Stops early after a thousand errors. */
export async function sendAll(
  settings: ConnectionSettings,
  requests: Iterable<OutgoingRequest>,
  width: number,
): Promise<BatchResult> {
  const errors: Record<string, number> = {};
  const source = requests[Symbol.iterator]();
  let sent = 0;
  let failed = 0;
  const runOne = (): Promise<void> =>
    new Promise((resolve) => {
      const advance = (connection: ClientConnection): void => {
        const next = failed < 1000 ? source.next() : { done: true as const };
        if (next.done === true) {
          clearInterval(sweep);
          connection.close();
          resolve();
          return;
        }
        sent += 1;
        connection.send(next.value, nowMs());
      };
      const own = new ClientConnection(settings, ({ failure }, connection) => {
        if (failure === null) {
          advance(connection);
          return;
        }
        failed += 1;
        errors[failure] = (errors[failure] ?? 0) + 1;
        setTimeout(() => advance(connection), 5);
      });
      const sweep = setInterval(() => own.checkTimeout(nowMs()), SWEEP_MS);
      advance(own);
    });
  await Promise.all(Array.from({ length: width }, runOne));
  return { sent, errors };
}
