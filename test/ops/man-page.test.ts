/** The manual page as its reader formats it. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from '../support/program.ts';
import { projectRoot } from '../support/project-root.ts';

const BACKSPACE = String.fromCharCode(8);
const page = join(projectRoot, 'deploy', 'man', 'hmac-file-server.1');

test('mandoc has nothing to complain of', async () => {
  const { status, stdout, stderr } = await runProgram('mandoc', ['-Tlint', '-Wwarning', page], { debian: 'mandoc' });
  assert.deepEqual([status, stdout], [0, ''], stderr);
});

test('every section has text', async () => {
  const { stdout } = await runProgram('mandoc', ['-Tascii', page], { debian: 'mandoc' });
  // Bold letters are a letter, a backspace and the letter again.
  const text = stdout.replaceAll(new RegExp(`.${BACKSPACE}`, 'g'), '');
  for (const title of [
    'NAME',
    'SYNOPSIS',
    'DESCRIPTION',
    'ENVIRONMENT',
    'FILES',
    'EXIT STATUS',
    'SIGNALS',
    'SEE ALSO',
  ]) {
    assert.match(text, new RegExp(`^${title}\\n {5}\\S`, 'm'));
  }
});
