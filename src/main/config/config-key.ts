/** What one configuration key is: the row type of the table in `config-schema.ts`. */

import type { GivenValue } from './given-value.ts';
import type { Check } from './value-checks.ts';

/** How a value is written in TOML. */
export type KeyType = 'string' | 'boolean' | 'integer' | 'array of strings';

/** Headings under which keys are shown to people. */
export type KeyTopic =
  | 'Listening'
  | 'Secrets'
  | 'Storage'
  | 'Transfers'
  | 'Versions and expiry'
  | 'Log and metrics'
  | 'Webhooks';

export interface ConfigKey<T> {
  readonly type: KeyType;
  readonly topic: KeyTopic;
  /** What the value counts or means: `bytes`, `path`, `duration`; an empty text when the type says it all. */
  readonly unit: string;
  /** The value when nobody gives one; null: there is none. */
  readonly default: GivenValue | null;
  /** The forms that are taken, in words and examples, as Markdown. */
  readonly accepts: string;
  /** One sentence. */
  readonly summary: string;
  /** What else an operator has to know, as Markdown; an empty text for most. */
  readonly notes: string;
  /** SIGHUP puts a new value into effect. */
  readonly isReloadable: boolean;
  /** Never shown. */
  readonly isSecret: boolean;
  /** Read and checked already, while what it switches comes with a later release; says what happens until then. */
  readonly untilThen: string | null;
  readonly check: Check<T>;
}

type Optional = 'unit' | 'notes' | 'isReloadable' | 'isSecret' | 'untilThen';

/** Fills in what most keys have in common. */
export function configKey<T>(key: Omit<ConfigKey<T>, Optional> & Partial<Pick<ConfigKey<T>, Optional>>): ConfigKey<T> {
  return { unit: '', notes: '', isReloadable: false, isSecret: false, untilThen: null, ...key };
}

/** What people are told about a key whose time has not come; an empty text for all others. */
export function laterNote(key: ConfigKey<unknown>): string {
  return key.untilThen === null ? '' : `Comes with a later release; until then it has no effect: ${key.untilThen}.`;
}
