/** Settings of this server in the name of a target: `server?Listeners=2&Durability=full` compares what they bring. */

import { TargetError } from './target.ts';

/** By key; values as TOML text. */
export type ServerSettings = ReadonlyMap<string, string>;

/** What the harness decides itself, in lower case. */
const OWN_KEYS: ReadonlySet<string> = new Set([
  'listenport',
  'unixsocket',
  'uploadsubdir',
  'storedir',
  'secret',
  'metricsenabled',
]);

/** Reads what stands behind the `?`. Whether the server knows the keys is for the server to say. */
export function parseServerSettings(text: string): ServerSettings {
  const settings = new Map<string, string>();
  for (const part of text.split('&')) {
    const [, key, value] = /^([A-Za-z]+)=(.+)$/.exec(part) ?? [];
    if (key === undefined || value === undefined) throw new TargetError(`"${part}" is no setting; write Listeners=2`);
    if (OWN_KEYS.has(key.toLowerCase())) throw new TargetError(`${key} is what the harness sets itself`);
    settings.set(key, /^(?:true|false|-?\d+)$/.test(value) ? value : JSON.stringify(value));
  }
  return settings;
}

/** A configuration file of the settings, where those that come last win; keys are compared without case, as the server does. */
export function renderServerSettings(...layers: readonly ServerSettings[]): string {
  const lines = new Map<string, string>();
  for (const layer of layers) {
    for (const [key, value] of layer) lines.set(key.toLowerCase(), `${key} = ${value}\n`);
  }
  return [...lines.values()].join('');
}
