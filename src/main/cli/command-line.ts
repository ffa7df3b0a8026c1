/** The command line: finds the command, reads its arguments, runs it, and answers the exit status. */

import { nearestName } from '../config/nearest-name.ts';
import { readProductVersion } from '../config/product-version.ts';
import { bashCompletion } from './bash-completion.ts';
import { benchCommand } from './bench.ts';
import { checkConfigCommand } from './check-config.ts';
import { type Command, type CommandIo, exitStatus, UsageError } from './command.ts';
import { SHELLS, type Shell } from './completed-words.ts';
import { commandHelp, PROGRAM, programHelp } from './help-text.ts';
import { initCommand } from './init.ts';
import { parseOptions } from './parse-options.ts';
import { putCommand } from './put.ts';
import { restoreCommand } from './restore.ts';
import { scrubCommand } from './scrub.ts';
import { serveCommand } from './serve.ts';
import { signCommand } from './sign.ts';
import { versionsCommand } from './versions.ts';
import { zshCompletion } from './zsh-completion.ts';

const helpCommand: Command = {
  name: 'help',
  arguments: ['[COMMAND]'],
  summary: 'explains a command',
  details: '',
  options: {},
  run: async ({ positionals: [name] }, { stdout }) => {
    stdout.write(name === undefined ? programHelp(commands, readProductVersion()) : commandHelp(findCommand(name)));
    return exitStatus.ok;
  },
};

const completions: Readonly<Record<Shell, (program: string, commands: readonly Command[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
};

const completionCommand: Command = {
  name: 'completion',
  arguments: ['SHELL'],
  summary: 'prints what makes bash or zsh complete command lines',
  details: `SHELL is bash or zsh.

  hmac-file-server completion bash >/etc/bash_completion.d/hmac-file-server
  hmac-file-server completion zsh >/usr/local/share/zsh/site-functions/_hmac-file-server`,
  options: {},
  run: async ({ positionals: [name = ''] }, { stdout }) => {
    const shell = SHELLS.find((candidate) => candidate === name);
    if (shell === undefined)
      throw new UsageError(`there is no completion for "${name}"; SHELL is ${SHELLS.join(' or ')}`);
    stdout.write(completions[shell](PROGRAM, commands));
    return exitStatus.ok;
  },
};

/** Everything that the program can do: help, completion and the manual page are made from it. */
export const commands: readonly Command[] = [
  serveCommand,
  checkConfigCommand,
  initCommand,
  signCommand,
  putCommand,
  versionsCommand,
  restoreCommand,
  scrubCommand,
  benchCommand,
  completionCommand,
  helpCommand,
];

/** @throws {UsageError} */
function findCommand(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  if (name.endsWith('.toml')) throw new UsageError(`unknown command "${name}" - did you mean "--config ${name}"?`);
  const nearest = nearestName(
    name,
    commands.map((candidate) => candidate.name),
  );
  throw new UsageError(`unknown command "${name}"${nearest === null ? '' : ` - did you mean "${nearest}"?`}`);
}

async function dispatch(argv: readonly string[], io: CommandIo): Promise<number> {
  const [first = ''] = argv;
  if (/^--?version$/.test(first)) {
    io.stdout.write(`${readProductVersion()}\n`);
    return exitStatus.ok;
  }
  if (/^(?:-h|--?help)$/.test(first)) {
    io.stdout.write(programHelp(commands, readProductVersion()));
    return exitStatus.ok;
  }
  const hasName = first !== '' && !first.startsWith('-');
  const command = hasName ? findCommand(first) : serveCommand;
  if (command.readsOwnArguments) return command.run({ options: new Map(), positionals: argv.slice(1) }, io);
  const input = parseOptions(hasName ? argv.slice(1) : argv, command);
  if (input.wantsHelp) {
    io.stdout.write(commandHelp(command));
    return exitStatus.ok;
  }
  return command.run(input, io);
}

function whereToLook([first]: readonly string[]): string {
  const command = commands.find(({ name }) => name === first);
  if (command === undefined) return `"${PROGRAM} --help" shows the commands and options`;
  return `"${PROGRAM} ${command.name} --help" shows its arguments and options`;
}

/**
 * Runs what the command line asks for.
 *
 * @param argv What follows the name of the program.
 * @returns The exit status: 0, 1 failed, 2 wrong command line, 78 wrong configuration, or what `io.serve` answers.
 */
export async function runCommandLine(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`${error.message}\n${whereToLook(argv)}\n`);
    return exitStatus.usage;
  }
}
