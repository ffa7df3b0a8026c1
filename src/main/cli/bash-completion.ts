/** Completion for bash, made from the table of commands. */

import type { Command } from './command.ts';
import { type Offer, offerOfArgument, offerOfOption } from './completed-words.ts';

const FILES = 'compopt -o default 2>/dev/null; return';

function wordsOf(offer: Offer): string {
  if (offer === 'files') return FILES;
  return offer === null ? 'return' : `words='${offer.join(' ')}'`;
}

/** What may follow an option that takes a value. */
function valueCases({ name, options }: Command): string {
  return Object.entries(options)
    .filter(([, { value }]) => value !== null)
    .map(([option, rest]) => `    '${name} --${option}') ${wordsOf(offerOfOption(rest))} ;;\n`)
    .join('');
}

/** What a command takes: its options, and the first of its arguments that can be guessed. */
function commandCase(command: Command, commands: readonly Command[]): string {
  const { name } = command;
  if (command.readsOwnArguments) return `    ${name}) ${FILES} ;;\n`;
  const options = [...Object.keys(command.options), 'help'].map((option) => `--${option}`);
  const offers = command.arguments.map((argument) => offerOfArgument(argument, commands));
  const files = offers.includes('files') ? '[[ $word == -* ]] || compopt -o default 2>/dev/null; ' : '';
  const words = offers.flatMap((offer) => (offer === 'files' || offer === null ? [] : offer));
  return `    ${name}) ${files}words='${[...words, ...options].join(' ')}' ;;\n`;
}

export function bashCompletion(program: string, commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const own = program.replaceAll('-', '_');
  return `# bash completion for ${program}, made by "${program} completion bash".

_${own}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command='' words='' match index
  for ((index = 1; index < COMP_CWORD; index += 1)); do
    case "\${COMP_WORDS[index]}" in
      ${names.join(' | ')}) command=\${COMP_WORDS[index]}; break ;;
    esac
  done
  COMPREPLY=()
  case "\${command:-serve} $before" in
${commands.map(valueCases).join('')}    *) case "$command" in
${commands.map((command) => commandCase(command, commands).replaceAll(/^/gm, '  ').trimEnd()).join('\n')}
      *) words='${names.join(' ')} --config --help --version' ;;
    esac ;;
  esac
  while IFS='' read -r match; do COMPREPLY+=("$match"); done < <(compgen -W "$words" -- "$word")
}

complete -F _${own} ${program}
`;
}
