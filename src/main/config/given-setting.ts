/** A setting that somebody gave, where it came from, and how a message names it. */

import type { Place } from './config-problem.ts';
import { type ConfigKeyName, rowOf } from './config-schema.ts';
import { formatGiven, type GivenValue } from './given-value.ts';

export interface GivenSetting {
  readonly value: GivenValue;
  readonly place: Place;
  readonly source: 'config' | 'environment' | 'secret-file';
}

export type GivenSettings = ReadonlyMap<ConfigKeyName, GivenSetting>;

/**
 * Completes the message of a check: `MetricsEnabled = "true" is a string; write true without quotes`. In the environment
 * the place names the key already. Secrets are named, never shown.
 */
export function explainRefusal(name: ConfigKeyName, setting: GivenSetting, message: string): string {
  if (message.startsWith(':')) return `${name}${message}`;
  if (rowOf(name).isSecret) return `${name} ${message}`;
  const shown = formatGiven(setting.value);
  return setting.place.kind === 'file' ? `${name} = ${shown} ${message}` : `${shown} ${message}`;
}
