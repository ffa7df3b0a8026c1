/** What is said about each type of event: the form of the rules by which events become lines of the log. */

import type { EventOf, ServerEventType } from '../../shared/events.ts';
import type { LogLevel } from '../config/config.ts';
import type { LogFields } from './log-line.ts';

/** How events of one type are written down. */
export interface LineRule<T extends ServerEventType> {
  /** One level, or the gravest that can occur together with how to find out. */
  readonly level: LogLevel | { readonly gravest: LogLevel; readonly of: (event: EventOf<T>) => LogLevel };
  readonly msg: string | ((event: EventOf<T>) => string);
  readonly fields: (event: EventOf<T>) => LogFields;
  /** Set for lines that one client or one broken disk can cause without end. */
  readonly limit?: LineLimit<T>;
}

/** Lines of one kind are written so many times a second, the others are counted; kind null: no limit. */
export interface LineLimit<T extends ServerEventType> {
  readonly perSecond: number;
  readonly kind: (event: EventOf<T>) => string | null;
}

export type LineRules = { readonly [T in ServerEventType]: LineRule<T> };
