/** Reads the arguments of one command. What is not understood is an error with a hint, never a silent default. */

import { parseArgs } from 'node:util';
import { nearestName } from '../config/nearest-name.ts';
import { type Command, type CommandInput, UsageError } from './command.ts';

export interface ParsedArguments extends CommandInput {
  readonly wantsHelp: boolean;
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

/** `-config FILE`, as programs in Go take it, is `--config FILE`. There are no bundles of short options. */
function withTwoDashes(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return args.map((argument, index) =>
    (end === -1 || index < end) && /^-[A-Za-z][\w-]+/.test(argument) ? `-${argument}` : argument,
  );
}

function checkOption(token: OptionToken, command: Command): string {
  const option = command.options[token.name];
  if (option === undefined) {
    const hints = new Map([['secret', 'the secret is read from the configuration, never from the command line']]);
    const nearest = nearestName(token.name, [...Object.keys(command.options), 'help']);
    const hint = hints.get(token.name) ?? (nearest === null ? null : `did you mean "--${nearest}"?`);
    throw new UsageError(`unknown option "${token.rawName}"${hint === null ? '' : ` - ${hint}`}`);
  }
  if (option.value === null) {
    if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
    return '';
  }
  if (token.value === undefined)
    throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${option.value}`);
  // `--config --help` is a forgotten value, `--config=--help` an odd file name.
  if (!token.inlineValue && /^-./.test(token.value)) {
    throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${option.value}`);
  }
  return token.value;
}

function checkPositionals(positionals: readonly string[], command: Command): void {
  const missing = command.arguments.slice(positionals.length).find((name) => !name.startsWith('['));
  if (missing !== undefined) throw new UsageError(`${command.name} needs ${missing}`);
  const surplus = positionals[command.arguments.length];
  if (surplus !== undefined) throw new UsageError(`unexpected argument "${surplus}"`);
}

/**
 * @param args What follows the name of the command.
 * @throws {UsageError}
 */
export function parseOptions(args: readonly string[], command: Command): ParsedArguments {
  const { tokens } = parseArgs({
    args: [...withTwoDashes(args)],
    options: {
      help: { type: 'boolean', short: 'h' },
      ...Object.fromEntries(
        Object.entries(command.options).map(([name, { value }]) => {
          return [name, { type: value === null ? ('boolean' as const) : ('string' as const) }];
        }),
      ),
    },
    strict: false,
    tokens: true,
  });
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) {
    return { options: new Map(), positionals: [], wantsHelp: true };
  }
  const options = new Map<string, string>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'option') options.set(token.name, checkOption(token, command));
    if (token.kind === 'positional') positionals.push(token.value);
  }
  checkPositionals(positionals, command);
  return { options, positionals, wantsHelp: false };
}
