/** The script of docs/resumable.md, as printed, with the real curl and through a network that cuts. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { programsIn } from '../support/code-blocks.ts';
import { assertStored } from '../support/draft-wire.ts';
import { content } from '../support/paced-transfer.ts';
import { type ProgramRun, runProgram } from '../support/program.ts';
import { ServerProcess } from '../support/server-process.ts';
import { UnreliableNetwork } from '../support/unreliable-network.ts';

const SIZE = 2_000_000;
const BODY = content('resumable-documents', SIZE);

let server: ServerProcess;
let network: UnreliableNetwork;
let folder: string;

before(async () => {
  server = await ServerProcess.start();
  network = await UnreliableNetwork.start(server);
  folder = mkdtempSync(join(tmpdir(), 'hmac-resumable-documents-'));
  writeFileSync(join(folder, 'file.bin'), BODY);
  for (const [name, code] of programsIn('docs/resumable.md')) writeFileSync(join(folder, name), code);
});

after(async () => {
  await network.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function resume(target: string): Promise<ProgramRun> {
  return runProgram('sh', ['resume.sh', 'file.bin', network.origin + target], { debian: 'dash', cwd: folder });
}

test('resume.sh sends a file, and has nothing to do when it is there', async () => {
  for (const round of ['sent', 'there']) {
    const run = await resume(server.signedTarget('whole.bin', SIZE));
    assert.equal(run.status, 0, `${round} ${run.stderr}`);
    await assertStored(server, 'whole.bin', BODY);
  }
});

test('resume.sh goes on after a cut', async () => {
  const cut = network.cutAfter(900_000);
  const run = await resume(server.signedTarget('cut.bin', SIZE));
  await cut;
  assert.equal(run.status, 0, run.stderr);
  await assertStored(server, 'cut.bin', BODY);
  // The rest went out, not the whole.
  await server.event('request.completed', 10_000, ({ path, bytes_in: bytes }) => {
    return path === '/files/cut.bin' && Number(bytes) > 0 && Number(bytes) < SIZE;
  });
});

test('resume.sh says that it is refused', async () => {
  const run = await resume(server.signedTarget('refused.bin', SIZE - 1));
  assert.deepEqual([run.status, run.stderr.trim()], [1, 'refused: 403']);
});
