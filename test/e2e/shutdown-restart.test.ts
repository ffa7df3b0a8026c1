/** A crash and the next start: whatever was answered 201 is there and whole, and nothing else is left. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content, PacedClient, put, sha256, urlOf } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually, publicTreeOf } from '../support/store-state.ts';

const ROUNDS = 3;
const CLIENTS = 32;
/** Each round ends when so many uploads have been answered. */
const ANSWERS = 150;

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-restart-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

const sizeOf = (index: number): number => 1 + ((index * 7919) % 150_000);

/** Uploads without a pause until the server is killed, and answers which uploads were acknowledged. */
async function uploadUntilKilled(server: ServerProcess, round: number): Promise<ReadonlySet<string>> {
  const acknowledged = new Set<string>();
  let next = 0;
  const client = async (): Promise<void> => {
    while (acknowledged.size < ANSWERS) {
      const index = next;
      next += 1;
      const key = `round-${round}/folder-${index % 5}/${index}.bin`;
      if ((await put(server, key, content(key, sizeOf(index)))) === 201) acknowledged.add(key);
    }
    server.kill('SIGKILL');
  };
  // What is cut by the kill rejects: those uploads were never answered.
  await Promise.allSettled(Array.from({ length: CLIENTS }, client));
  return acknowledged;
}

test('F01 after kill -9 under load every 201 is readable and whole, nothing torn is served, staging is emptied', async () => {
  const storeDir = join(folder, 'killed');
  for (let round = 0; round < ROUNDS; round += 1) {
    const server = await ServerProcess.start({ storeDir, settings: { LogLevel: 'info' } });
    const cut = await Promise.all([1, 2, 3].map((index) => PacedClient.openUpload(server, `cut-${index}.bin`, 50_000)));
    await Promise.all(cut.map((client) => client.send('half')));
    await eventually(() => server.stagingFiles().length >= cut.length, 'uploads are in flight');
    const acknowledged = await uploadUntilKilled(server, round);
    await server.stop();
    assert.ok(acknowledged.size >= ANSWERS);
    const next = await ServerProcess.start({ storeDir });
    try {
      assert.deepEqual(next.stagingFiles(), []);
      const files = publicTreeOf(storeDir).filter(
        (path) => path.startsWith(`round-${round}/`) && path.endsWith('.bin'),
      );
      for (const key of acknowledged) assert.ok(files.includes(key), `${key} is lost`);
      for (const key of files) await isWhole(next, key);
      assert.ok(!publicTreeOf(storeDir).some((path) => path.startsWith('cut-')));
      assert.equal(await put(next, `cut-1.bin`, content('cut', 50_000)), 201);
      rmSync(join(storeDir, 'cut-1.bin'));
    } finally {
      await next.stop();
    }
  }
});

async function isWhole(server: ServerProcess, key: string): Promise<void> {
  const response = await fetch(urlOf(server, key));
  const bytes = new Uint8Array(await response.arrayBuffer());
  const index = Number(/(\d+)\.bin$/.exec(key)?.[1]);
  assert.equal(response.status, 200, key);
  assert.equal(sha256(bytes), sha256(content(key, sizeOf(index))), key);
}
