/** SIGHUP: what a new configuration changes at once, what an invalid one does not, and the log file after a rename. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content, put, store } from '../support/paced-transfer.ts';
import { reload } from '../support/reload.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { slotTarget } from '../support/sign.ts';

const NEW_SECRET = 'another-secret-that-only-tests-know';
const BODY = content('reload', 5_000);

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-reload-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

async function putSigned(server: ServerProcess, secret: string, key: string): Promise<number> {
  const target = slotTarget(secret, '/files/', key, BODY.length);
  const response = await fetch(server.origin + target, { method: 'PUT', body: BODY });
  await response.arrayBuffer();
  return response.status;
}

test('F69 a new Secret works after SIGHUP without a restart, and the old one no longer', async () => {
  const server = await ServerProcess.start();
  try {
    assert.equal(await putSigned(server, TEST_SECRET, 'a.bin'), 201);
    assert.equal(await putSigned(server, NEW_SECRET, 'b.bin'), 403);
    const line = await reload(server, (text) => text.replace(TEST_SECRET, NEW_SECRET));
    assert.deepEqual(line['changed'], ['Secret']);
    assert.deepEqual(line['need_restart'], []);
    assert.equal(await putSigned(server, NEW_SECRET, 'b.bin'), 201);
    assert.equal(await putSigned(server, TEST_SECRET, 'c.bin'), 403);
    await reload(server, (text) => `${text}PreviousSecrets = [${JSON.stringify(TEST_SECRET)}]\n`);
    assert.equal(await putSigned(server, TEST_SECRET, 'c.bin'), 201);
    const text = JSON.stringify(server.lines) + server.errors;
    assert.ok(!text.includes(TEST_SECRET) && !text.includes(NEW_SECRET));
  } finally {
    await server.stop();
  }
});

test('F69 an invalid configuration keeps the old settings and says why', async () => {
  const server = await ServerProcess.start();
  try {
    const invalid = [
      (text: string) => text.replace(/^Secret = .*$/m, 'Secret = ""'),
      (text: string) => `${text}MaxUploadSizes = 5\n`,
      (text: string) => `${text}= broken\n`,
    ];
    const file = join(server.folder, 'config.toml');
    const valid = readFileSync(file, 'utf8');
    for (const [index, change] of invalid.entries()) {
      const line = await reload(server, () => change(valid), 'config.rejected');
      assert.match(String(line['error']), /config\.toml:\d+/);
      assert.equal(await putSigned(server, TEST_SECRET, `kept-${index}.bin`), 201);
    }
    rmSync(file);
    const seen = server.lines.length;
    server.kill('SIGHUP');
    await server.event('config.rejected', 10_000, (line) => server.lines.indexOf(line) >= seen);
    assert.equal(await putSigned(server, TEST_SECRET, 'kept.bin'), 201);
    assert.equal((await fetch(`${server.operatorOrigin}/readyz`)).status, 200);
  } finally {
    await server.stop();
  }
});

test('SIGHUP names the keys that need a restart, and takes the limits that do not', async () => {
  const server = await ServerProcess.start();
  try {
    const line = await reload(server, (text) => `${text}ChunkSize = 8192\nMaxUploadSize = 100\n`);
    assert.deepEqual(line['need_restart'], ['ChunkSize']);
    assert.deepEqual(line['changed'], ['MaxUploadSize']);
    assert.equal(await put(server, 'large.bin', BODY), 413);
    await reload(server, (text) => `${text}AllowedExtensions = [".txt"]\n`);
    assert.equal(await put(server, 'small.bin', content('small', 50)), 403);
    assert.equal(await put(server, 'small.txt', content('small', 50)), 201);
  } finally {
    await server.stop();
  }
});

test('F69 no request fails while the configuration is read again and again', async () => {
  const server = await ServerProcess.start();
  try {
    const uploads = Array.from({ length: 100 }, async (_, index) => store(server, `load-${index}.bin`, BODY));
    for (let index = 0; index < 10; index += 1) await reload(server, (text) => text);
    await Promise.all(uploads);
  } finally {
    await server.stop();
  }
});

test('F69 a log file that was moved away is opened anew on SIGHUP, and no line is lost', async () => {
  const logFile = join(folder, 'server.log');
  const server = await ServerProcess.start({ settings: { LogFile: logFile } });
  try {
    await store(server, 'before.bin', BODY);
    await server.event('upload.completed');
    renameSync(logFile, `${logFile}.1`);
    await reload(server, (text) => text);
    await store(server, 'after.bin', BODY);
  } finally {
    await server.stop();
  }
  const [old, young] = [`${logFile}.1`, logFile].map((file) => readFileSync(file, 'utf8'));
  assert.ok(old?.includes('/files/before.bin') && !old.includes('/files/after.bin'));
  assert.ok(young?.includes('/files/after.bin') && young.includes('"event":"server.stopped"'));
  const lines = `${old}${young}`.trimEnd().split('\n').length;
  assert.equal(lines, server.lines.length);
  assert.equal(statSync(logFile).mode & 0o777, 0o640);
});
