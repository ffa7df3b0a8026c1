/** A folder that prosody-filer or the Go server left, and upload URLs that were signed before the move (docs/migration.md). */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ServerProcess } from '../support/server-process.ts';

const FOLDER_MODE = 0o777;
const FILE_MODE = 0o644;

let folder: string;
let server: ServerProcess;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'migration-'));
  const slot = join(folder, 'a2f1', 'photo.png_versions');
  mkdirSync(slot, { recursive: true, mode: FOLDER_MODE });
  writeFileSync(join(folder, 'a2f1', 'photo.png'), 'a picture', { mode: FILE_MODE });
  writeFileSync(join(slot, 'photo.png.20240131-120000'), 'an old picture', { mode: FILE_MODE });
  server = await ServerProcess.start({ storeDir: folder });
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('files are served under their path, with the type of their extension', async () => {
  const response = await fetch(`${server.origin}/files/a2f1/photo.png`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'image/png');
  assert.equal(await response.text(), 'a picture');
});

test('folders of versions are public files as before', async () => {
  const response = await fetch(`${server.origin}/files/a2f1/photo.png_versions/photo.png.20240131-120000`);
  assert.equal(await response.text(), 'an old picture');
});

test('a slot that was used stays used, and an unused one of the same folder is good', async () => {
  const put = async (key: string, body: string): Promise<number> => {
    const target = server.signedTarget(key, body.length);
    return (await fetch(server.origin + target, { method: 'PUT', body })).status;
  };
  assert.equal(await put('a2f1/photo.png', 'another'), 409);
  assert.equal(await put('a2f1/second.png', 'another'), 201);
});
