/**
 * The programs of docs/signing.md, as printed: each signs URLs, and what they print uploads and fetches. Needs Debian's
 * packages `python3`, `lua5.4`, `prosody` (its hash functions), `openssl` and `curl`.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { programsIn } from '../support/code-blocks.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';

const runFile = promisify(execFile);

/** What runs a program of each language. */
const interpreters: Readonly<Record<string, string>> = {
  'sign.mjs': process.execPath,
  'sign.py': '/usr/bin/python3',
  'sign.lua': 'lua5.4',
  'sign.sh': 'sh',
  'upload.sh': 'bash',
};
const LUA_CPATH = '/usr/lib/prosody/?.so';

const paths = ['plain.txt', "folder/Ünïcödé 😀 + a%41?b=c&v=d;'(1).png"];

const programs = programsIn('docs/signing.md');
let folder: string;
let server: ServerProcess;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signing-programs-'));
  for (const [name, code] of programs) writeFileSync(join(folder, name), code);
  server = await ServerProcess.start();
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function runProgram(name: string, args: readonly string[]): Promise<string> {
  const interpreter = interpreters[name];
  assert.ok(interpreter !== undefined, `nothing is known to run ${name}`);
  const env = { ...process.env, SECRET: TEST_SECRET, LUA_CPATH };
  const { stdout } = await runFile(interpreter, [join(folder, name), ...args], { cwd: folder, env });
  return stdout.trimEnd();
}

test('the document shows a program for every language that it promises', () => {
  assert.deepEqual([...programs.keys()].toSorted(), Object.keys(interpreters).toSorted());
});

for (const program of ['sign.mjs', 'sign.py', 'sign.lua', 'sign.sh']) {
  describe(program, () => {
    for (const path of paths) {
      for (const type of [[], ['image/x-test']]) {
        test(`signs ${path} ${type.length === 0 ? 'without' : 'with'} a type`, async () => {
          const file = join(folder, 'body');
          const content = randomBytes(1_000);
          writeFileSync(file, content);
          const key = [program, ...type, path].join('/');
          const url = await runProgram(program, [`${server.origin}/files/`, key, '1000', ...type]);
          const again = await runProgram('upload.sh', [file, url, ...type]);
          assert.equal(again, '');
          const response = await fetch(url.slice(0, url.lastIndexOf('?')));
          assert.deepEqual(Buffer.from(await response.arrayBuffer()), content);
          if (type.length > 0) assert.equal(response.headers.get('content-type'), type[0]);
        });
      }
    }
  });
}

test('upload.sh fails, and says why, when the signature is wrong', async () => {
  const file = join(folder, 'body');
  writeFileSync(file, 'x');
  const url = await runProgram('sign.mjs', [`${server.origin}/files/`, 'other', '2']);
  await assert.rejects(runProgram('upload.sh', [file, url]), { stdout: 'Invalid MAC\n' });
});
