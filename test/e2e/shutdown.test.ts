/** The end of the process: what runs is finished, what cannot be finished is kept for its client and seen by nobody. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { content, PacedClient, put, store } from '../support/paced-transfer.ts';
import { type Exit, ServerProcess } from '../support/server-process.ts';
import { eventually, publicTreeOf } from '../support/store-state.ts';

const TRANSFERS = 100;
/** More than the kernel takes for a client that does not read, so that every download is still in flight. */
const LARGE = content('shutdown', 6 * 1024 * 1024);
const UPLOAD_BYTES = 64 * 1024;

const bodyOf = (index: number): Buffer => content(`upload ${index}`, UPLOAD_BYTES);

/** Opens uploads and sends half of each. */
async function openUploads(server: ServerProcess, count: number): Promise<readonly PacedClient[]> {
  const clients = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const client = await PacedClient.openUpload(server, `upload-${index}.bin`, UPLOAD_BYTES);
      await client.send(bodyOf(index).subarray(0, UPLOAD_BYTES / 2));
      return client;
    }),
  );
  await eventually(() => server.stagingFiles().length === count, 'all uploads are being received');
  return clients;
}

/** Opens downloads and reads the head of each. */
async function openDownloads(server: ServerProcess, count: number): Promise<readonly PacedClient[]> {
  await store(server, 'large.bin', LARGE);
  const clients = await Promise.all(Array.from({ length: count }, () => PacedClient.openDownload(server, 'large.bin')));
  await Promise.all(clients.map((client) => client.receiveHead()));
  return clients;
}

async function exitWithin(server: ServerProcess, timeoutMs: number): Promise<Exit> {
  const exit = await Promise.race([server.exited, delay(timeoutMs, null, { ref: false })]);
  assert.ok(exit !== null, `runs on after ${timeoutMs} ms`);
  return exit;
}

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-shutdown-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

test(`F67 finishes ${TRANSFERS} uploads and ${TRANSFERS} downloads after SIGTERM, and takes nothing new`, async () => {
  const server = await ServerProcess.start({ settings: { ShutdownTimeout: '30s' } });
  try {
    const idle = await PacedClient.connect(server);
    const downloads = await openDownloads(server, TRANSFERS);
    const uploads = await openUploads(server, TRANSFERS);
    server.kill('SIGTERM');
    const stopping = await server.event('server.stopping');
    assert.equal(stopping['in_flight'], 2 * TRANSFERS);
    await assert.rejects(PacedClient.connect(server), { code: 'ECONNREFUSED' });
    assert.equal((await fetch(`${server.operatorOrigin}/readyz`)).status, 503);
    assert.equal((await fetch(`${server.operatorOrigin}/healthz`)).status, 200);
    await idle.send('GET /files/none HTTP/1.1\r\nHost: test\r\n\r\n');
    assert.equal((await idle.receiveHead()).fields.get('connection'), 'close');
    await Promise.all(uploads.map((client, index) => finishUpload(client, index)));
    for (const client of downloads) assert.ok((await client.receive(LARGE.length)).equals(LARGE));
    assert.deepEqual(await exitWithin(server, 10_000), { status: 0, signal: null });
    assert.equal((await server.event('server.stopped'))['clean'], true);
    assert.deepEqual(server.stagingFiles(), []);
    for (let index = 0; index < TRANSFERS; index += 1) {
      assert.ok(readFileSync(join(server.storeDir, `upload-${index}.bin`)).equals(bodyOf(index)));
    }
  } finally {
    await server.stop();
  }
});

test('F67 cuts what is not done within ShutdownTimeout, keeps it unseen for its client, and exits 0', async () => {
  const server = await ServerProcess.start({ settings: { ShutdownTimeout: '1s' } });
  try {
    const downloads = await openDownloads(server, 20);
    const uploads = await openUploads(server, 20);
    server.kill('SIGINT');
    assert.deepEqual(await exitWithin(server, 10_000), { status: 0, signal: null });
    assert.equal((await server.event('server.stopped'))['clean'], false);
    const suspended = server.lines.filter((line) => line.event === 'upload.suspended');
    assert.deepEqual(
      suspended.map((line) => [line['reason'], line['offset']]),
      Array.from({ length: 20 }, () => ['shutdown', UPLOAD_BYTES / 2]),
    );
    assert.deepEqual(server.stagingFiles(), []);
    assert.deepEqual(publicTreeOf(server.storeDir), ['large.bin']);
    await Promise.all([...uploads, ...downloads].map((client) => client.drain()));
  } finally {
    await server.stop();
  }
});

test('a second SIGTERM ends the process at once, and the next start tidies up', async () => {
  const storeDir = join(folder, 'second-signal');
  // Several listeners let go of their sockets first, and what they had begun may be gone before the process is.
  const environment = { HMAC_FILE_SERVER_LISTENERS: '1' };
  const server = await ServerProcess.start({ storeDir, environment });
  await openUploads(server, 3);
  server.kill('SIGTERM');
  await server.event('server.stopping');
  server.kill('SIGTERM');
  const exit = await exitWithin(server, 10_000);
  assert.equal(exit.signal, null);
  await server.stop();
  assert.ok(server.stagingFiles().length > 0);
  const next = await ServerProcess.start({ storeDir });
  const left = [...next.stagingFiles(), ...publicTreeOf(storeDir)];
  assert.deepEqual(await next.stop(), { status: 0, signal: null });
  assert.deepEqual(left, []);
});

test('F68 SIGTERM at any moment of the start ends cleanly, and the next start is fine', async () => {
  const storeDir = join(folder, 'start');
  const startedMs = performance.now();
  const whole = await ServerProcess.start({ storeDir });
  const startMs = performance.now() - startedMs;
  await whole.stop();
  for (let part = 0.4; part < 1.1; part += 0.07) {
    const delayMs = Math.round(part * startMs);
    const server = ServerProcess.spawn({ storeDir });
    await delay(delayMs);
    server.kill('SIGTERM');
    const exit = await exitWithin(server, 10_000);
    // Before its handlers stand, the signal itself ends the process.
    const isClean = exit.status === 0 || exit.signal === 'SIGTERM';
    assert.ok(isClean, `after ${delayMs} ms: ${exit.status} ${server.errors}`);
    assert.equal(server.errors, '', `after ${delayMs} ms`);
    await server.stop();
  }
  const next = await ServerProcess.start({ storeDir });
  const status = await put(next, 'fine.bin', content('fine', 10));
  assert.deepEqual(await next.stop(), { status: 0, signal: null });
  assert.equal(status, 201);
  assert.deepEqual(readdirSync(join(storeDir, '.hfs/staging')), []);
});

test('F68 SIGTERM between the opening of the store and of the port ends cleanly', async () => {
  const server = ServerProcess.spawn();
  await eventually(() => server.lines.some(({ msg }) => msg === 'Store directory is ready'), 'store opened');
  server.kill('SIGTERM');
  assert.equal((await exitWithin(server, 10_000)).status, 0, server.errors);
  assert.equal(server.errors, '');
  await server.stop();
});

async function finishUpload(client: PacedClient, index: number): Promise<void> {
  await client.sendAtRate(bodyOf(index).subarray(UPLOAD_BYTES / 2), 20_000);
  const answer = await client.receiveAnswer();
  assert.equal(answer.status, 201);
  assert.equal(answer.fields.get('connection'), 'close');
}
