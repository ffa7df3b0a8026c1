/** What is made from the table of commands: the manual page that ships, and the completions. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commands } from '../../src/main/cli/command-line.ts';
import { manPage } from '../../src/main/cli/man-page.ts';
import { run } from '../support/command-run.ts';
import { projectRoot } from '../support/project-root.ts';

const optionNames = [...new Set(commands.flatMap(({ options }) => Object.keys(options)))];

test('the manual page is what the table of commands says (npm run docs:man)', () => {
  const written = readFileSync(join(projectRoot, 'deploy', 'man', 'hmac-file-server.1'), 'utf8');
  assert.equal(written, manPage(commands));
});

test('the manual page names every command and every option', () => {
  const page = manPage(commands);
  for (const { name } of commands) assert.ok(page.includes(`.Cm ${name.replaceAll('-', '\\-')}\n`), name);
  for (const name of optionNames) assert.ok(page.includes(`.It Fl \\-${name.replaceAll('-', '\\-')}`), name);
});

test('completions offer every command and every option', async () => {
  for (const shell of ['bash', 'zsh']) {
    const { status, stdout } = await run(['completion', shell]);
    assert.equal(status, 0);
    for (const { name } of commands) assert.match(stdout, new RegExp(`\\b${name}\\b`), `${shell} ${name}`);
    for (const name of optionNames) assert.ok(stdout.includes(`--${name}`), `${shell} --${name}`);
  }
});

test('the page of operations has a row for every command', () => {
  const page = readFileSync(join(projectRoot, 'docs', 'operations.md'), 'utf8');
  for (const { name } of commands) assert.match(page, new RegExp(`^\\| \`${name}\\b`, 'm'), name);
});
