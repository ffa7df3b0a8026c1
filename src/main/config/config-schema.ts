/**
 * The one table of all keys: reading, the environment, `check-config`, `init` and the document follow from it. Its order
 * is the order of suggestions.
 */

import type { ConfigKey } from './config-key.ts';
import { keysOf202 } from './keys-of-2-0-2.ts';
import { keysOfTheEdge } from './keys-of-the-edge.ts';
import { keysOfThisServer } from './keys-of-this-server.ts';
import { keysOfWebhooks } from './keys-of-webhooks.ts';
import { comparableName } from './nearest-name.ts';

export const configKeys = { ...keysOf202, ...keysOfThisServer, ...keysOfTheEdge, ...keysOfWebhooks } as const;

export type ConfigKeyName = keyof typeof configKeys;

type ValueOf<K> = K extends ConfigKey<infer T> ? T : never;

/** Without a default: null when nobody gives them. */
type KeyWithoutDefault = 'Secret' | 'StoreDir';

/** A checked value for every key. */
export type Settings = {
  readonly [K in ConfigKeyName]: ValueOf<(typeof configKeys)[K]> | (K extends KeyWithoutDefault ? null : never);
};

function isKeyName(name: string): name is ConfigKeyName {
  return Object.hasOwn(configKeys, name);
}

export const configKeyNames: readonly ConfigKeyName[] = Object.keys(configKeys).filter(isKeyName);

/** Only A to Z: the Kelvin sign is no k. */
function lowerCaseAscii(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const namesInLowerCase: ReadonlyMap<string, ConfigKeyName> = new Map(
  configKeyNames.map((name) => [lowerCaseAscii(name), name]),
);

const comparableNames: ReadonlyMap<string, ConfigKeyName> = new Map(
  configKeyNames.map((name) => [comparableName(name), name]),
);

/** The key that a name stands for; ASCII case does not matter. */
export function findKey(name: string): ConfigKeyName | null {
  return namesInLowerCase.get(lowerCaseAscii(name)) ?? null;
}

/** The key that differs from a name by case, `_` and `-` only. */
export function findSimilarKey(name: string): ConfigKeyName | null {
  return comparableNames.get(comparableName(name)) ?? null;
}

/** The row of a key, whatever its value is. */
export function rowOf(name: ConfigKeyName): ConfigKey<unknown> {
  return configKeys[name];
}
