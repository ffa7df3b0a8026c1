/** Real wget and aria2 resuming and splitting downloads. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content, store } from '../support/paced-transfer.ts';
import { type ProgramRun, runProgram } from '../support/program.ts';
import { ServerProcess } from '../support/server-process.ts';

const FILE = content('resuming', 4 * 1024 * 1024);

let server: ServerProcess;
let url: string;
let folder: string;

before(async () => {
  // aria2 asks for a digest in each request, and fails a download whose digest is wrong.
  server = await ServerProcess.start({ settings: { StoreDigest: true } });
  url = await store(server, 'file.bin', FILE);
  folder = mkdtempSync(join(tmpdir(), 'hmac-resuming-'));
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function wget(target: string): Promise<ProgramRun> {
  const args = ['--no-config', '--continue', '--tries=1', '--output-document', target, url];
  return runProgram('wget', args, { debian: 'wget' });
}

test('D-52 wget -c completes a partial file', async () => {
  const target = join(folder, 'partial.bin');
  writeFileSync(target, FILE.subarray(0, 1_000_001));
  const run = await wget(target);
  assert.equal(run.status, 0, run.stderr);
  assert.ok(readFileSync(target).equals(FILE));
  assert.match(run.stderr, /206 Partial Content/);
});

test('D-53 wget -c on a complete file keeps it', async () => {
  const target = join(folder, 'complete.bin');
  writeFileSync(target, FILE);
  const run = await wget(target);
  assert.equal(run.status, 0, run.stderr);
  assert.ok(readFileSync(target).equals(FILE));
  assert.match(run.stderr, /416 Range Not Satisfiable/);
});

test('D-54 aria2c -x4 -s4 builds the file from its parts, and is told the right digest', async () => {
  const options = ['--no-conf', '-x4', '-s4', '-k1M', '--console-log-level=info', '--dir', folder];
  const run = await runProgram('aria2c', [...options, '--out', 'parts.bin', url], { debian: 'aria2' });
  assert.equal(run.status, 0, run.stdout);
  assert.ok(readFileSync(join(folder, 'parts.bin')).equals(FILE));
  // How many of the parts it has to ask for depends on how fast the first one comes.
  const digest = createHash('sha256').update(FILE).digest('base64');
  assert.ok(run.stdout.includes(`\nDigest: SHA-256=${digest}\r\n`), run.stdout);
});
