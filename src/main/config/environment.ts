/**
 * Settings from the environment: `HMAC_FILE_SERVER_` and the key in capitals. The texts are read by the rules of the file,
 * without its quotes.
 */

import type { ConfigKey } from './config-key.ts';
import type { ConfigProblem } from './config-problem.ts';
import { type ConfigKeyName, configKeyNames, rowOf } from './config-schema.ts';
import { accepted, type Checked, formatGiven, type GivenValue, refused } from './given-value.ts';
import { nearestName } from './nearest-name.ts';
import { readTomlEntries } from './toml-entries.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'HMAC_FILE_SERVER_';

/** Names a file that holds the secret. */
export const SECRET_FILE_VARIABLE = `${PREFIX}SECRET_FILE`;

/** What Kubernetes sets for a service that is called `hmac-file-server`: no settings. */
const KUBERNETES = /^(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

export interface EnvironmentSetting {
  readonly name: ConfigKeyName;
  readonly variable: string;
  readonly value: GivenValue;
}

export interface EnvironmentSettings {
  readonly settings: readonly EnvironmentSetting[];
  readonly problems: readonly ConfigProblem[];
}

/** The environment variable of a key. */
export function variableOf(name: ConfigKeyName): string {
  return `${PREFIX}${name.toUpperCase()}`;
}

const variables: ReadonlyMap<string, ConfigKeyName> = new Map(configKeyNames.map((name) => [variableOf(name), name]));

/** A value in TOML's notation, for numbers and arrays. */
function readTomlValue(text: string): GivenValue | null {
  const { entries, errors } = readTomlEntries(`value = ${text}`);
  const [entry] = entries;
  return errors.length > 0 || entries.length !== 1 || entry?.path.length !== 1 ? null : entry.value;
}

function toGiven(text: string, { type }: ConfigKey<unknown>): Checked<GivenValue> {
  switch (type) {
    case 'string':
      return accepted({ type: 'string', value: text });
    case 'boolean': {
      if (text === 'true' || text === 'false') return accepted({ type: 'boolean', value: text === 'true' });
      return refused('is no boolean; write true or false');
    }
    case 'integer': {
      const value = readTomlValue(text);
      if (value?.type === 'integer' || value?.type === 'large-integer') return accepted(value);
      return refused('is no whole number; write digits only');
    }
    case 'array of strings': {
      if (text.trimStart().startsWith('[')) {
        const value = readTomlValue(text);
        return value?.type === 'array' ? accepted(value) : refused('is no array; write ["...", "..."] or a, b');
      }
      const items = text.split(',').map((item) => item.trim());
      return accepted({
        type: 'array',
        items: items.filter((item) => item !== '').map((value) => ({ type: 'string', value })),
      });
    }
    default:
      return type satisfies never;
  }
}

function explainUnknownVariable(variable: string): string {
  const nearest = nearestName(variable.slice(PREFIX.length), [...configKeyNames, 'SECRET_FILE']);
  const name = nearest === null ? null : `${PREFIX}${nearest.toUpperCase()}`;
  return name === null ? 'no setting has this name; unset it' : `no setting has this name - did you mean ${name}?`;
}

/** Collects the settings among the environment variables. */
export function readEnvironment(environment: Environment): EnvironmentSettings {
  const settings: EnvironmentSetting[] = [];
  const problems: ConfigProblem[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (text === undefined || !variable.startsWith(PREFIX) || variable === SECRET_FILE_VARIABLE) continue;
    if (KUBERNETES.test(variable.slice(PREFIX.length))) continue;
    const name = variables.get(variable);
    const place = { kind: 'environment', variable } as const;
    if (name === undefined) {
      problems.push({ place, key: null, message: explainUnknownVariable(variable) });
      continue;
    }
    const row = rowOf(name);
    const value = toGiven(text, row);
    if (value.ok) {
      settings.push({ name, variable, value: value.value });
    } else {
      const shown = row.isSecret ? '' : `${formatGiven({ type: 'string', value: text })} `;
      problems.push({ place, key: name, message: `${shown}${value.message}` });
    }
  }
  return { settings, problems };
}
