/** Opening a store: in order before the port is opened, whatever a crash left, and never by two servers. */

import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content, PacedClient, put, urlOf } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually } from '../support/store-state.ts';

const FOLDERS = 1_000;
const FILES_EACH = 100;
const UNFINISHED = 500;

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-store-start-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

test(`F11 after an unclean stop a store of ${FOLDERS * FILES_EACH} files is ready within a second`, async (context) => {
  const storeDir = join(folder, 'large');
  const first = await ServerProcess.start({ storeDir });
  assert.equal(await put(first, 'kept.bin', content('kept', 1000)), 201);
  first.kill('SIGKILL');
  await first.exited;
  await first.stop();
  seed(storeDir);
  const server = await ServerProcess.start({ storeDir });
  try {
    const started = await server.event('server.started');
    const ready = server.lines.find(({ msg }) => msg === 'Store directory is ready');
    const [openMs, startMs] = [Number(ready?.['duration_ms']), Number(started['duration_ms'])];
    context.diagnostic(`store open after ${openMs} ms, ports after ${startMs} ms`);
    // The rest of a start is loading code, whatever the store holds.
    assert.ok(openMs < 1_000, `${openMs} ms`);
    assert.deepEqual(server.stagingFiles(), []);
    assert.equal(ready?.['after_clean_stop'], false);
    assert.equal(ready?.['removed_staging_files'], UNFINISHED);
    assert.equal((await fetch(urlOf(server, 'kept.bin'))).status, 200);
  } finally {
    await server.stop();
  }
  assert.equal(existsSync(join(storeDir, '.hfs/dirty')), false);
  const next = await ServerProcess.start({ storeDir });
  const ready = next.lines.find(({ msg }) => msg === 'Store directory is ready');
  await next.stop();
  assert.equal(ready?.['after_clean_stop'], true);
});

function seed(storeDir: string): void {
  for (let index = 0; index < FOLDERS; index += 1) {
    const path = join(storeDir, `folder-${index}`);
    mkdirSync(path);
    for (let file = 0; file < FILES_EACH; file += 1) closeSync(openSync(join(path, `file-${file}`), 'w'));
  }
  for (let index = 0; index < UNFINISHED; index += 1) {
    const prefix = index.toString(16).padStart(16, '0');
    writeFileSync(join(storeDir, '.hfs/staging', `${prefix}.0123456789abcdef0123456789abcdef`), 'unfinished');
  }
}

test('F36 a second server on a store says who holds it and ends; the first does not notice', async () => {
  const server = await ServerProcess.start();
  try {
    const second = ServerProcess.spawn({ storeDir: server.storeDir });
    assert.deepEqual(await second.exited, { status: 1, signal: null });
    assert.match(second.errors, new RegExp(`StoreDir .* is in use by process ${server.pid}\n$`));
    await second.stop();
    assert.equal(await put(server, 'after.bin', content('after', 100)), 201);
    assert.ok(existsSync(join(server.storeDir, '.hfs/lock')));
  } finally {
    await server.stop();
  }
});

test('F36 what kill -9 left of a lock does not block the next start', async () => {
  const storeDir = join(folder, 'killed');
  const first = await ServerProcess.start({ storeDir });
  const client = await PacedClient.openUpload(first, 'cut.bin', 1000);
  await client.send('half');
  await eventually(() => first.stagingFiles().length === 1, 'the upload is in flight');
  first.kill('SIGKILL');
  await first.exited;
  client.close();
  assert.ok(existsSync(join(storeDir, '.hfs/lock')));
  const second = await ServerProcess.start({ storeDir });
  assert.deepEqual(second.stagingFiles(), []);
  assert.deepEqual(await second.stop(), { status: 0, signal: null });
  await first.stop();
  assert.equal(existsSync(join(storeDir, '.hfs/lock')), false);
});

test('F35 a store that a later version made is refused with a message, and left as it is', async () => {
  const storeDir = join(folder, 'later');
  mkdirSync(join(storeDir, '.hfs'), { recursive: true });
  writeFileSync(join(storeDir, '.hfs/format.json'), '{"format":7}');
  const server = ServerProcess.spawn({ storeDir });
  assert.deepEqual(await server.exited, { status: 1, signal: null });
  assert.match(server.errors, /format\.json says format 7, which a later version made/);
  await server.stop();
  assert.equal(readFileSync(join(storeDir, '.hfs/format.json'), 'utf8'), '{"format":7}');
  assert.equal(existsSync(join(storeDir, '.hfs/staging')), false);
});
