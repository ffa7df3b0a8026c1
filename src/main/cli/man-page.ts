/** The manual page in mdoc, made from the table of commands. `npm run docs:man` writes it, a test compares it. */

import type { Command } from './command.ts';
import { PROGRAM } from './help-text.ts';

/** When its text outside of the table last changed. */
const DATE = 'November 24, 2026';

/** Text as mdoc takes it: a backslash, a dash, and a dot or a quote at the beginning of a line mean something there. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^([.'])/gm, '\\&$1');
}

/** Each sentence begins a line, and no line is longer than 78 characters. */
function filled(text: string): string {
  return text
    .replaceAll('\n', ' ')
    .split(/(?<=\.) /)
    .flatMap((sentence) => sentence.split(/(?<=^.{60,78}) (?=.)/))
    .map((line) => `${escaped(line)}\n`)
    .join('');
}

function sentence(text: string): string {
  return filled(`${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`);
}

/** Each argument on a line of its own. */
function argumentMacros(names: readonly string[]): string {
  return names.map((name) => (name.startsWith('[') ? `.Op Ar ${name.slice(1, -1)}\n` : `.Ar ${name}\n`)).join('');
}

/** Paragraphs; indented ones are shown as they are. */
function paragraphs(text: string): string {
  return text
    .split('\n\n')
    .map((paragraph) =>
      paragraph.startsWith('  ')
        ? `.Bd -literal -offset indent\n${escaped(paragraph.replaceAll(/^ {2}/gm, ''))}\n.Ed\n`
        : filled(paragraph),
    )
    .join('');
}

function options({ options: table }: Command): string {
  const items = Object.entries(table).map(
    ([name, { value, help }]) =>
      `.It Fl \\-${escaped(name)}${value === null ? '' : ` Ar ${value}`}\n${filled(`${help}.`)}`,
  );
  return items.length === 0 ? '' : `.Bl -tag -width Ds\n${items.join('')}.El\n`;
}

function section(command: Command): string {
  const { name, arguments: names, summary, details } = command;
  const title = names
    .filter((argument) => argument !== '...')
    .map((argument) => ` ${argument.replaceAll(/[[\]]/g, '')}`);
  return `.Ss ${escaped(name)}${title.join('')}
${sentence(summary)}${details === '' ? '' : paragraphs(details)}${options(command)}`;
}

export function manPage(commands: readonly Command[]): string {
  const synopsis = commands
    .map(({ name, arguments: names }) => `.Nm\n.Cm ${escaped(name)}\n${argumentMacros(names)}.Op Ar options\n`)
    .join('');
  return `.\\" Made by "npm run docs:man" from the table of commands.
.Dd ${DATE}
.Dt HMAC-FILE-SERVER 1
.Os
.Sh NAME
.Nm ${PROGRAM}
.Nd takes signed uploads and serves the files
.Sh SYNOPSIS
${synopsis}.Sh DESCRIPTION
.Nm
takes uploads by HTTP PUT that carry an HMAC signature in their URL,
and serves the files.
Without a command the server runs.
Every command explains itself with
.Fl \\-help .
${commands.map(section).join('')}.Sh ENVIRONMENT
Every key of the configuration can be set in the environment:
.Ev HMAC_FILE_SERVER_LISTENPORT=:8080 .
.Bl -tag -width Ds
.It Ev HMAC_FILE_SERVER_SECRET_FILE
Names a file that holds the secret, such as a credential of systemd.
.El
.Sh FILES
.Bl -tag -width Ds
.It Pa config.toml
The configuration, unless
.Fl \\-config
names another file.
.It Pa StoreDir.secret
The secret that the first start made, beside the folder that holds the files.
.El
.Sh EXIT STATUS
.Bl -tag -width Ds
.It 0
Done; a stop by a signal included.
.It 1
Failed; what to do is said on standard error.
.It 2
Wrong command line.
.It 78
Wrong configuration.
.El
.Sh SIGNALS
.Bl -tag -width Ds
.It Dv SIGTERM , SIGINT
No new connections; running transfers are finished within
.Ic ShutdownTimeout .
A second one ends the process at once.
.It Dv SIGHUP
Reads the configuration again, and opens the log file anew.
.El
.Sh SEE ALSO
.Xr curl 1 ,
.Xr logrotate 8
.Pp
The folder
.Pa docs
of the package.
`;
}
