/**
 * Writes a commented configuration file from the table of keys: what `init` makes, and the `config.toml` that comes with the
 * server. Keys without a value stand there as comments with their default.
 */

import { type ConfigKey, type KeyTopic, laterNote } from './config-key.ts';
import { type ConfigKeyName, configKeyNames, rowOf } from './config-schema.ts';
import { type GivenValue, tomlString } from './given-value.ts';

const LINE_WIDTH = 100;

/** The headings, in the order in which operators meet them. */
export const topics: readonly KeyTopic[] = [
  'Listening',
  'Secrets',
  'Storage',
  'Transfers',
  'Versions and expiry',
  'Log and metrics',
  'Webhooks',
];

/** Settings with which a first start on any machine works and exposes nothing. */
export const startSettings: Partial<Record<ConfigKeyName, GivenValue>> = {
  ListenPort: { type: 'string', value: '127.0.0.1:8080' },
  StoreDir: { type: 'string', value: './uploads' },
  UploadSubDir: { type: 'string', value: 'files' },
  MetricsEnabled: { type: 'boolean', value: true },
  MetricsPort: { type: 'string', value: '127.0.0.1:9090' },
};

const HEADER = `# Configuration of HMAC File Server. docs/configuration.md describes every key.
#
# A key behind a # shows its default; remove the # to change it. "check-config" finds mistakes.
# Keys marked (reload) take effect on SIGHUP, all others on the next start. Every key can also be set
# in the environment: HMAC_FILE_SERVER_LISTENPORT=":8080".
`;

/** A value as TOML text. */
export function formatToml(value: GivenValue): string {
  if (value.type === 'string') return tomlString(value.value);
  if (value.type === 'array') return `[${value.items.map(formatToml).join(', ')}]`;
  return 'value' in value ? String(value.value) : value.text;
}

function comment(text: string): string {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.replaceAll('`', '').split(' ')) {
    if (line.length + word.length + 1 > LINE_WIDTH) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return `${[...lines, line].join('\n')}\n`;
}

function renderKey(name: ConfigKeyName, row: ConfigKey<unknown>, value: GivenValue | null): string {
  const reload = row.isReloadable ? ' (reload)' : '';
  const notes = [row.notes, laterNote(row)].map((text) => (text === '' ? '' : comment(text))).join('');
  const setting = value === null ? `# ${name} = ${example(row)}` : `${name} = ${formatToml(value)}`;
  return `${comment(row.summary + reload)}${comment(`Accepted: ${row.accepts}.`)}${notes}${setting}\n`;
}

function example(row: ConfigKey<unknown>): string {
  return row.default === null ? '"..."' : formatToml(row.default);
}

/** The whole file. Keys that are not in `values` become comments. */
export function renderConfigFile(values: Partial<Record<ConfigKeyName, GivenValue>>): string {
  let text = HEADER;
  for (const topic of topics) {
    text += `\n${`# ---- ${topic} `.padEnd(LINE_WIDTH, '-')}\n`;
    for (const name of configKeyNames) {
      const row = rowOf(name);
      if (row.topic === topic) text += `\n${renderKey(name, row, values[name] ?? null)}`;
    }
  }
  return text;
}
