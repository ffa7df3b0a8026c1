/** What shells can offer for an argument or the value of an option, decided by its name in the table of commands. */

import type { Command, CommandOption } from './command.ts';

/** `files`: names of files; a list: one of these words; null: nothing can be guessed. */
export type Offer = 'files' | readonly string[] | null;

/** Values of an option. */
export function offerOfOption({ value, choices }: CommandOption): Offer {
  if (choices !== undefined) return choices;
  return value === 'FILE' ? 'files' : null;
}

/** A positional argument, as it stands in `Command.arguments`. */
export function offerOfArgument(argument: string, commands: readonly Command[]): Offer {
  switch (argument.replaceAll(/[[\]]/g, '')) {
    case 'FILE':
      return 'files';
    case 'COMMAND':
      return commands.map(({ name }) => name);
    case 'SHELL':
      return SHELLS;
    default:
      return null;
  }
}

/** Shells that there is a completion for. */
export const SHELLS = ['bash', 'zsh'] as const;
export type Shell = (typeof SHELLS)[number];
