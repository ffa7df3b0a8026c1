/**
 * Renders `docs/configuration.md` from the table of keys, so that document and program cannot disagree: a test compares the
 * two. `npm run docs:configuration` writes it.
 */

import { formatToml, topics } from './config-file-template.ts';
import { type ConfigKey, laterNote } from './config-key.ts';
import { type ConfigKeyName, configKeyNames, rowOf } from './config-schema.ts';
import { variableOf } from './environment.ts';

const INTRODUCTION = `# Configuration

<!-- Written by "npm run docs:configuration" from src/main/config; change it there. -->

The server reads one flat TOML file, \`config.toml\` in the working directory unless \`--config FILE\` names another.
\`hmac-file-server init\` writes a commented one with a fresh secret, \`hmac-file-server check-config\` finds mistakes and
prints what is in effect.

- Names of keys are compared without regard to case: \`listenport\` is \`ListenPort\`. A key set twice, an unknown key, a
  value of the wrong type or out of range, a table (\`[server]\`): the server does not start and names every mistake with
  line and column, exit status 78. Nothing is created or opened before the configuration is accepted.
- Relative paths begin at the working directory.
- Every key can be set in the environment, which beats the file: \`HMAC_FILE_SERVER_\` and the key in capitals, by the same
  rules. Text stands there without quotes, an array as \`a,b\` or \`["a", "b"]\`.
- The secret can come from a file of its own (systemd \`LoadCredential\`, Docker secrets):
  \`HMAC_FILE_SERVER_SECRET_FILE=/run/secrets/hmac\`. One line end at its end is dropped, everything else is the secret. It
  beats \`Secret\` in the file; together with \`HMAC_FILE_SERVER_SECRET\` it is an error.
- Without any secret the first start makes one, keeps it in \`<StoreDir>.secret\` (mode 0600) and says so. A file there that
  is blank, or that others may read, stops the start.
- SIGHUP reads the configuration again. The keys marked with "yes" under _reload_ take effect at once; of the others the
  log names those that need a restart. A file with mistakes changes nothing.
`;

const DURATIONS = `## Durations

\`\`\`
duration = "" | "0" | 1*( number unit )
number   = 1*9DIGIT
unit     = "s" | "m" | "h" | "d" | "w" | "y"
\`\`\`

Seconds, minutes, hours, days, weeks of 7 days and years of 365 days, added up in any order: \`"30d"\`, \`"90m"\`,
\`"1y30d12h"\`. Lower case, without spaces, signs and fractions; at most 100 years. A number without a unit is an error, in
quotes or not.
`;

/** A Markdown table with aligned columns. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => escapeCell(row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => escapeCell(cell).padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  return `${line(header)}${line(widths.map((width) => '-'.repeat(width)))}${rows.map(line).join('')}`;
}

const WARNINGS = `## Warnings

These do not stop the server. They stand in the log and in the output of \`check-config\`; those with a name are also shown
by the metric \`hmac_config_warnings\`.

${table(
  ['name', 'when'],
  [
    [
      '`placeholder_secret`',
      'a secret is that of a published example, or looks like a variable (`$NAME`): nothing is expanded',
    ],
    ['`short_secret`', 'a secret has fewer than 16 bytes'],
    ['`metrics_exposed`', '`MetricsPort` takes all interfaces'],
    ['`no_expiry`', '`FileTTL` is not set, and the file system of `StoreDir` has less than a tenth free'],
    ['`ttl_short`', '`FileTTL` is less than an hour'],
    ['', 'a secret begins or ends with white space; a previous secret is the current one'],
    ['', 'the configuration file holds a secret, and every user of the machine can read it'],
    ['', '`MaxVersions` without `EnableVersioning`; `ChunkSize` with `ChunkingEnabled = false`'],
    ['', '32 uploads at once would take more than a quarter of the memory with this `ChunkSize`'],
    ['', 'the certificate has expired; every user of the machine can read its key'],
    ['', '`SharedPort` while the kernel setting `net.ipv4.tcp_migrate_req` is 0'],
    ['', '`TrustedProxies` contains a network of all addresses; `AccelRedirectPrefix` without `TrustedProxies`'],
    ['', '`UploadSubDir` has characters that clients percent-encode'],
    ['', 'an entry of `AllowedExtensions` contains a dot, such as `.tar.gz`, and so never matches'],
  ],
)}`;

const OTHER_VERSIONS = `## Files of other versions

A file of HMAC File Server 2.0.2 starts this server as it is, with these differences in what its keys mean:

${table(
  ['key', '2.0.2', 'here'],
  [
    ['`Secret` absent or empty', 'everybody can sign', 'absent: a random one is generated; empty: error'],
    ['`LogLevel` absent', 'error', '`info`'],
    [
      '`MetricsPort`',
      'also on the public port; absent: a random port',
      'only there; absent: `127.0.0.1:9090`; a port without a colon is local',
    ],
    ['`UnixSocket`', 'a socket file left by a crash stops the start', 'it is removed when nobody answers on it'],
    ['`ChunkingEnabled = true`', 'uploads append, folders are not created', 'a unit of storage, invisible to clients'],
    ['unknown keys', 'ignored', 'error, with a suggestion'],
  ],
)}
The keys that 2.0.3 to 2.0.5 added, and the tables of 3.x (\`[server]\`, \`[security]\`), stop the start with a message for
each value: which flat key takes it, or what happens here instead.
`;

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function defaultOf({ default: value }: ConfigKey<unknown>): string {
  return value === null ? 'none' : `\`${formatToml(value)}\``;
}

function typeOf({ type, unit }: ConfigKey<unknown>): string {
  return unit === '' ? type : `${type}, ${unit}`;
}

function renderOverview(): string {
  const rows = configKeyNames.map((name) => {
    const row = rowOf(name);
    const reload = row.isReloadable ? 'yes' : '';
    return [`[\`${name}\`](#${name.toLowerCase()})`, typeOf(row), defaultOf(row), reload];
  });
  return `## All keys\n\n${table(['key', 'type, unit', 'default', 'reload'], rows)}`;
}

function renderKey(name: ConfigKeyName): string {
  const row = rowOf(name);
  const lines = [
    `### ${name}\n\n${row.summary}\n`,
    `- Accepted: ${row.accepts}.`,
    `- Default: ${defaultOf(row)}. Environment: \`${variableOf(name)}\`.${row.isReloadable ? ' Reloadable.' : ''}`,
  ];
  const paragraphs = [row.notes, laterNote(row)].filter((text) => text !== '');
  return `${lines.join('\n')}\n${paragraphs.map((text) => `\n${text}\n`).join('')}`;
}

function renderTopics(): string {
  const sections = topics.map((topic) => {
    const keys = configKeyNames.filter((name) => rowOf(name).topic === topic);
    return `## ${topic}\n\n${keys.map(renderKey).join('\n')}`;
  });
  return sections.join('\n');
}

/** The whole document, as Markdown. */
export function renderConfigurationDocument(): string {
  return [INTRODUCTION, renderOverview(), renderTopics(), DURATIONS, WARNINGS, OTHER_VERSIONS].join('\n');
}
