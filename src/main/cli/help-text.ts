/** The help texts, made from the table of commands. */

import type { Command } from './command.ts';

export const PROGRAM = 'hmac-file-server';

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('');
}

function withArguments({ name, arguments: names }: Command): string {
  return [name, ...names].join(' ');
}

/** Help for the program as a whole. */
export function programHelp(commands: readonly Command[], version: string): string {
  return `${PROGRAM} ${version}: takes signed uploads and serves the files.

Usage: ${PROGRAM} [COMMAND] [OPTIONS]

Commands:
${columns(commands.map((command) => [withArguments(command), command.summary]))}
Options:
${columns([
  ['--help', 'this text; after a command, the help of the command'],
  ['--version', 'the version'],
])}
Without a command the server runs. Its settings are in config.toml, which docs/configuration.md
describes, and in the environment: HMAC_FILE_SERVER_LISTENPORT=:8080.

Exit status: 0 done, 1 failed, 2 wrong command line, 78 wrong configuration.
`;
}

/** Help for one command. */
export function commandHelp(command: Command): string {
  const options = Object.entries(command.options).map(([name, { value, help }]): readonly [string, string] => {
    return [value === null ? `--${name}` : `--${name} ${value}`, help];
  });
  const details = command.details === '' ? '' : `\n${command.details}\n`;
  return `Usage: ${PROGRAM} ${withArguments(command)} [OPTIONS]

${command.summary[0]?.toUpperCase() ?? ''}${command.summary.slice(1)}.
${details}
Options:
${columns([...options, ['--help', 'this text']])}`;
}
