/** Completion of command lines in real shells: what a person gets who presses the tabulator key. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../support/command-run.ts';
import { runProgram } from '../support/program.ts';

let folder = '';

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'));
  for (const shell of ['bash', 'zsh']) {
    writeFileSync(join(folder, `completion.${shell}`), (await run(['completion', shell])).stdout);
  }
  writeFileSync(join(folder, 'mine.toml'), '');
});

after(() => rmSync(folder, { recursive: true }));

/** Words that bash offers for the last of these. */
async function bashOffers(...words: readonly string[]): Promise<string[]> {
  const script = `set -u
source completion.bash
complete -p hmac-file-server >/dev/null || exit 9
COMP_WORDS=(hmac-file-server "$@")
COMP_CWORD=$#
_hmac_file_server
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const args = ['--norc', '-c', script, 'bash', ...words];
  const { status, stdout, stderr } = await runProgram('bash', args, { debian: 'bash', cwd: folder });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter((word) => word !== '');
}

/** What stands in the line editor of an interactive zsh after somebody typed each of these and the tabulator key. */
async function zshLines(...lines: readonly string[]): Promise<string[]> {
  // The shell under test runs in a terminal of its own (zpty); a key of our own prints the line that is being edited.
  const script = String.raw`zmodload zsh/zpty
read_until() {
  local text= chunk
  while [[ $text != *$~1* ]]; do zpty -r -m shell chunk '*' && text+=$chunk; done
  print -r -- "$text"
}
zpty -b shell env -i HOME=$PWD TERM=dumb PATH=$PATH zsh -f -i
zpty -w shell 'PS1=; autoload -Uz compinit; compinit -u -D; source ./completion.zsh; unsetopt list_beep'
zpty -w shell 'show() { print -r -- "<$BUFFER>" }; zle -N show; bindkey "^T" show; print -r -- ready-$((1 + 1))'
read_until 'ready-2' >/dev/null
for line in "$@"; do
  zpty -w -n shell $'\C-u'"$line"$'\t\C-t'
  read_until '<hmac*>'
done
zpty -d shell`;
  const { stdout, stderr } = await runProgram('zsh', ['-f', '-c', script, 'zsh', ...lines], {
    debian: 'zsh',
    cwd: folder,
  });
  const found = [...stdout.matchAll(/<(hmac[^>]*)>/g)].map(([, line = '']) => line.trimEnd());
  assert.equal(found.length, lines.length, stdout + stderr);
  return found;
}

test('bash offers commands, and options that belong to no command', async () => {
  assert.deepEqual(await bashOffers('s'), ['serve', 'sign', 'scrub']);
  assert.deepEqual(await bashOffers('--'), ['--config', '--help', '--version']);
});

test('bash offers options of the command, and words where few are possible', async () => {
  assert.deepEqual(await bashOffers('versions', '--'), ['--json', '--config', '--help']);
  assert.deepEqual(await bashOffers('sign', 'a.txt', '5', '--protocol', 'v'), ['v', 'v2', 'v3']);
  assert.deepEqual(await bashOffers('help', 'che'), ['check-config']);
  assert.deepEqual(await bashOffers('completion', ''), ['bash', 'zsh', '--help']);
});

test('bash leaves names of files to itself, and offers nothing where nothing can be known', async () => {
  assert.deepEqual(await bashOffers('serve', '--config', 'mi'), []);
  assert.deepEqual(await bashOffers('sign', '--type', 'x'), []);
});

test('zsh completes commands, options, words and names of files', async () => {
  const rows: readonly (readonly [typed: string, completed: string])[] = [
    ['che', 'check-config'],
    ['--conf', '--config'],
    ['versions --js', 'versions --json'],
    ['sign a 5 --protocol to', 'sign a 5 --protocol token'],
    ['serve --config mi', 'serve --config mine.toml'],
    ['init mi', 'init mine.toml'],
    ['help res', 'help restore'],
    ['completion ba', 'completion bash'],
  ];
  const lines = await zshLines(...rows.map(([typed]) => `hmac-file-server ${typed}`));
  assert.deepEqual(
    lines,
    rows.map(([, completed]) => `hmac-file-server ${completed}`),
  );
});
