/** SharedPort: a server is started beside another one and takes over its port and its store; nobody is turned away. */

import assert from 'node:assert/strict';
import { lstatSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findFreePort } from '../support/free-port.ts';
import { content, PacedClient, pathOf, put, store } from '../support/paced-transfer.ts';
import { exchange, fieldOf, requestBytes } from '../support/raw-http.ts';
import { RequestLoad } from '../support/request-load.ts';
import { ServerProcess, TEST_SECRET, type TomlSettings } from '../support/server-process.ts';

const BODY = content('handover', 50_000);
const LARGE = content('large', 32 * 1024 * 1024);
const HANDOVERS = 3;
const CLIENTS = 16;
const REQUESTS_BETWEEN = 200;

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-handover-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

async function start(name: string, settings: TomlSettings = {}): Promise<ServerProcess> {
  const ListenPort = `127.0.0.1:${await findFreePort()}`;
  const shared = { SharedPort: true, ListenPort, ...settings };
  return ServerProcess.start({ storeDir: join(folder, name), settings: shared });
}

/** A second server beside the first, on the same port; not awaited. */
function spawnBeside(first: ServerProcess, settings: TomlSettings = {}): ServerProcess {
  const ListenPort = `127.0.0.1:${first.port}`;
  const server = ServerProcess.spawn({
    storeDir: first.storeDir,
    settings: { SharedPort: true, ListenPort, ...settings },
  });
  server.port = first.port;
  return server;
}

for (const listeners of [1, 2]) {
  test(`a unix socket changes hands under load without a failed request, with ${listeners} listener(s)`, async () => {
    const socketPath = join(folder, `load-${listeners}.sock`);
    const settings = { ListenPort: socketPath, UnixSocket: true, Listeners: listeners, LogLevel: 'info' };
    let server = await start(`load-${listeners}`, settings);
    const load = new RequestLoad({ socketPath }, CLIENTS);
    for (let round = 0; round < HANDOVERS; round += 1) {
      await load.reaches(load.count + REQUESTS_BETWEEN);
      const next = await start(`load-${listeners}`, settings);
      assert.deepEqual(await server.exited, { status: 0, signal: null });
      await server.stop();
      server = next;
    }
    await load.reaches(load.count + REQUESTS_BETWEEN);
    const { requests, failures } = await load.stop();
    assert.ok(requests > HANDOVERS * REQUESTS_BETWEEN);
    assert.deepEqual(failures, []);
    assert.equal(statSync(socketPath).mode & 0o777, 0o660);
    await server.stop();
    assert.equal(lstatSync(socketPath, { throwIfNoEntry: false }), undefined);
  });
}

test('an upload that runs is finished by the old server, and the store changes hands after it', async () => {
  const old = await start('upload');
  const upload = await PacedClient.openUpload(old, 'running.bin', BODY.length);
  await upload.send(BODY.subarray(0, 10_000));
  await old.event('upload.created');
  const next = spawnBeside(old);
  await old.event('server.stopping');
  const waiting = exchange(next.port, requestBytes('GET', pathOf(next, 'running.bin')), { timeoutMs: 10_000 });
  await upload.send(BODY.subarray(10_000));
  assert.equal((await upload.receiveAnswer()).status, 201);
  await next.event('server.started');
  assert.equal((await old.exited).status, 0);
  assert.ok((await waiting).body.equals(BODY), 'a request that came in between has waited for the store');
  assert.equal(await put(next, 'next.bin', BODY), 201);
  const ready = next.lines.find(({ msg }) => msg === 'Store directory is ready');
  assert.equal(ready?.['after_clean_stop'], true);
  await Promise.all([old.stop(), next.stop()]);
});

test('a download that runs goes on, while the new server serves already', async () => {
  const old = await start('download');
  await store(old, 'large.bin', LARGE);
  const download = await PacedClient.openDownload(old, 'large.bin');
  const { status } = await download.receiveHead();
  assert.equal(status, 200);
  const next = spawnBeside(old);
  await next.event('server.started');
  assert.equal(await put(next, 'meanwhile.bin', BODY), 201);
  assert.ok((await download.receive(LARGE.length)).equals(LARGE));
  assert.equal((await old.exited).status, 0);
  await Promise.all([old.stop(), next.stop()]);
});

test('a successor that fails before it has the port leaves the old server as it was', async () => {
  const old = await start('failing');
  const next = ServerProcess.spawn({
    storeDir: old.storeDir,
    settings: { SharedPort: true, ListenPort: '192.0.2.1:8080' },
  });
  assert.equal((await next.exited).status, 1);
  assert.match(next.errors, /^ListenPort 192\.0\.2\.1:8080: the address does not belong to this host/);
  await old.message('The server that was to follow is gone; this one goes on');
  assert.equal(await put(old, 'still.bin', BODY), 201);
  const answer = await exchange(old.port, requestBytes('GET', pathOf(old, 'still.bin')));
  assert.deepEqual([answer.status, fieldOf(answer, 'connection')], [200, null]);
  assert.equal((await fetch(`${old.operatorOrigin}/readyz`)).status, 200);
  assert.equal((await old.stop()).status, 0);
  await next.stop();
});

test('a server without SharedPort keeps what it has, and the second one says why it does not start', async () => {
  const old = await start('alone', { SharedPort: false });
  const next = spawnBeside(old);
  assert.equal((await next.exited).status, 1);
  assert.match(next.errors, /is in use by process \d+, which does not hand it over: it runs without SharedPort = true/);
  assert.equal(await put(old, 'still.bin', BODY), 201);
  await Promise.all([old.stop(), next.stop()]);
});

test('without SharedPort of its own a second server does not start, and the first one goes on', async () => {
  const old = await start('shared');
  const next = spawnBeside(old, { SharedPort: false });
  assert.equal((await next.exited).status, 1);
  assert.match(next.errors, /is in use by process \d+\n/);
  assert.equal(await put(old, 'still.bin', BODY), 201);
  await Promise.all([old.stop(), next.stop()]);
});

test('a server with another Secret does not follow, one that knows the old one does', async () => {
  const old = await start('secrets');
  const stranger = spawnBeside(old, { Secret: 'another-secret-of-a-test' });
  assert.equal((await stranger.exited).status, 1);
  assert.match(stranger.errors, /which does not hand it over: it has another Secret/);
  const rotated = { Secret: 'another-secret-of-a-test', PreviousSecrets: [TEST_SECRET] };
  const next = spawnBeside(old, rotated);
  await next.event('server.started');
  assert.equal((await old.exited).status, 0);
  await Promise.all([old.stop(), stranger.stop(), next.stop()]);
});

test('strangers on the socket of the lock take nothing from anybody, and do not keep the server from stopping', async () => {
  const server = await start('stranger');
  const { dev, ino } = statSync(server.storeDir, { bigint: true });
  const words = ['', 'x'.repeat(10_000), 'welcome\nlisten\nlistens\n', `${'0'.repeat(64)}\nlistens\n`];
  const strangers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => {
      const stranger = connect({ path: `\0hmac-file-server-${dev}-${ino}` });
      stranger.on('error', () => {});
      stranger.write(words[index % words.length] ?? '');
      return new Promise<Socket>((resolve) => stranger.once('connect', () => resolve(stranger)));
    }),
  );
  assert.equal(await put(server, 'still.bin', BODY), 201);
  const startedMs = performance.now();
  server.kill('SIGTERM');
  assert.deepEqual(await server.exited, { status: 0, signal: null });
  assert.ok(performance.now() - startedMs < 2_000);
  for (const stranger of strangers) stranger.destroy();
  await server.stop();
});
