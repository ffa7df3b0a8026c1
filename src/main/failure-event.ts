/** An exception that nobody expected, as an event: a bug, told with its stack. */

import type { ServerEventBody } from '../shared/events.ts';

export function failureEvent(code: string, reason: unknown, isFatal: boolean): ServerEventBody {
  const { message, stack = message } = reason instanceof Error ? reason : new Error(String(reason));
  return { type: 'server.failed', code, message, stack, isFatal };
}
