/** Completion for zsh, made from the table of commands. */

import type { Command } from './command.ts';
import { type Offer, offerOfArgument, offerOfOption } from './completed-words.ts';

/** Text in single quotes, with what `_arguments` and `_describe` take for separators escaped. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[[\]:\\]/g, '\\$&').replaceAll("'", "'\\''")}'`;
}

/** Nothing to offer is a list without words: with no action at all zsh would not complete options in that place. */
function actionOf(offer: Offer): string {
  return offer === 'files' ? '_files' : `(${offer === null ? ' ' : offer.join(' ')})`;
}

function optionSpec(name: string, help: string, value: string | null, offer: Offer): string {
  const action = value === null ? '' : `':${value}:${actionOf(offer)}'`;
  return `'--${name}['${quoted(help)}']'${action}`;
}

function commandCase(command: Command, commands: readonly Command[]): string {
  const { name, options, arguments: names } = command;
  if (command.readsOwnArguments) return `        ${name}) _files ;;\n`;
  const specs = [
    ...Object.entries(options).map(([option, rest]) => optionSpec(option, rest.help, rest.value, offerOfOption(rest))),
    optionSpec('help', 'explains the command', null, null),
    ...names.map((argument, index) => {
      const title = argument.replaceAll(/[[\]]/g, '');
      const isOptional = argument !== title;
      return `'${index + 1}:${isOptional ? ':' : ''}${title}:${actionOf(offerOfArgument(argument, commands))}'`;
    }),
  ];
  return `        ${name}) _arguments ${specs.join(' ')} ;;\n`;
}

export function zshCompletion(program: string, commands: readonly Command[]): string {
  const own = program.replaceAll('-', '_');
  const described = commands.map(({ name, summary }) => `    ${quoted(name)}:${quoted(summary)}\n`).join('');
  return `#compdef ${program}
# zsh completion for ${program}, made by "${program} completion zsh".

_${own}() {
  local curcontext="$curcontext" context state state_descr line
  typeset -A opt_args
  local -a commands=(
${described}  )
  _arguments -C -A '-*' '--config[configuration file]:FILE:_files' '--help[explains the program]' '--version[names the version]' \\
    '1: :->command' '*:: :->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
${commands.map((command) => commandCase(command, commands)).join('')}      esac ;;
  esac
}

if [[ "$funcstack[1]" == _${own} ]]; then _${own} "$@"; else compdef _${own} ${program}; fi
`;
}
