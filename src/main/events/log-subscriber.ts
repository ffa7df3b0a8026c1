/**
 * Writes events to the log. It asks for an event only while the level lets its line through, so publishers are not
 * charged for lines that nobody writes.
 */

import type { EventOf, ServerEventType } from '../../shared/events.ts';
import type { EventSubscriptions } from './event-dispatcher.ts';
import { LINE_RULES } from './event-lines.ts';
import { LineLimiter } from './line-limiter.ts';
import type { LineRule } from './line-rules.ts';
import type { LogFields } from './log-line.ts';
import type { ServerLogger } from './logger.ts';

export interface LogSubscriberOptions {
  readonly events: EventSubscriptions;
  readonly logger: Pick<ServerLogger, 'isEnabled' | 'log' | 'onLevelChange'>;
}

/** Subscribes the log to all events, also when its level changes; the function it returns ends that. */
export function subscribeLog({ events, logger }: LogSubscriberOptions): () => void {
  let subscriptions: (() => void)[] = [];
  const unsubscribe = (): void => {
    for (const end of subscriptions.splice(0)) end();
  };
  const subscribe = (): void => {
    unsubscribe();
    for (const type in LINE_RULES) {
      const end = subscribeType(type as ServerEventType, events, logger);
      if (end !== null) subscriptions.push(end);
    }
  };
  subscribe();
  const endLevels = logger.onLevelChange(subscribe);
  return () => {
    endLevels();
    unsubscribe();
    subscriptions = [];
  };
}

function subscribeType<T extends ServerEventType>(
  type: T,
  events: EventSubscriptions,
  logger: LogSubscriberOptions['logger'],
): (() => void) | null {
  const rule: LineRule<T> = LINE_RULES[type];
  if (!logger.isEnabled(typeof rule.level === 'string' ? rule.level : rule.level.gravest)) return null;
  const limiter = rule.limit === undefined ? null : new LineLimiter(rule.limit.perSecond);
  return events.on(type, (event: EventOf<T>) => {
    const level = typeof rule.level === 'string' ? rule.level : rule.level.of(event);
    if (!logger.isEnabled(level)) return;
    const suppressed = admit(limiter, rule, event);
    if (suppressed === null) return;
    const msg = typeof rule.msg === 'string' ? rule.msg : rule.msg(event);
    const fields: LogFields = { event: type, ...rule.fields(event) };
    logger.log(level, msg, suppressed === 0 ? fields : { ...fields, suppressed_lines: suppressed }, event.time);
  });
}

/** Null: not to be written; otherwise how many lines of this kind were held back before it. */
function admit<T extends ServerEventType>(
  limiter: LineLimiter | null,
  rule: LineRule<T>,
  event: EventOf<T>,
): number | null {
  const kind = rule.limit?.kind(event) ?? null;
  return limiter === null || kind === null ? 0 : limiter.admit(kind, event.time);
}
