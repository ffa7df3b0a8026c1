/** The life of listener threads: start, end under load, and what happens when one of them dies of a bug. */

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { failingListener } from '../support/failing-listener.ts';
import { ListenerClient, listenersOf } from '../support/listener-client.ts';
import { content, PacedClient, put, store } from '../support/paced-transfer.ts';
import { type LogLine, ServerProcess, type TomlSettings } from '../support/server-process.ts';
import { eventually, publicTreeOf } from '../support/store-state.ts';

const TRANSFERS = 40;
const UPLOAD_BYTES = 64 * 1024;
/** More than the kernel takes for a client that does not read. */
const LARGE = content('listeners', 6 * 1024 * 1024);

const bodyOf = (index: number): Buffer => content(`upload ${index}`, UPLOAD_BYTES);

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-listeners-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

function start(
  settings: TomlSettings = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  return ServerProcess.start({ settings: { Listeners: 2, ...settings }, environment });
}

async function failsToStart(
  settings: TomlSettings,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const server = ServerProcess.spawn({ settings: { Listeners: 2, ...settings }, environment });
  const exit = await server.exited;
  await server.stop();
  assert.deepEqual(exit, { status: 1, signal: null }, server.errors);
  assert.equal(server.errors.trimEnd().split('\n').length, 1, server.errors);
  assert.ok(!server.lines.some(({ event }) => event === 'server.started'));
  return server.errors;
}

/** Opens uploads on all listeners and sends half of each. */
async function beginUploads(server: ServerProcess, count: number): Promise<readonly ListenerClient[]> {
  const clients = await ListenerClient.connectAll(server, count);
  for (const [index, client] of clients.entries()) {
    await client.beginUpload(`upload-${index}.bin`, bodyOf(index), UPLOAD_BYTES / 2);
  }
  await eventually(() => server.stagingFiles().length === count, 'all uploads are being received');
  return clients;
}

async function finishUpload(client: ListenerClient, index: number): Promise<number> {
  await client.connection.send(bodyOf(index).subarray(UPLOAD_BYTES / 2));
  return (await client.connection.finalResponse()).status;
}

function count(lines: readonly LogLine[], event: string): number {
  return lines.filter((line) => line.event === event).length;
}

test('F67 SIGTERM finishes what all listeners have begun, and no event of it is lost', async () => {
  const server = await start({ ShutdownTimeout: '30s' });
  try {
    await store(server, 'large.bin', LARGE);
    const downloads = await Promise.all(
      Array.from({ length: TRANSFERS }, () => PacedClient.openDownload(server, 'large.bin')),
    );
    for (const client of downloads) await client.receiveHead();
    const uploads = await beginUploads(server, TRANSFERS);
    assert.equal(listenersOf(uploads).length, 2);
    server.kill('SIGTERM');
    assert.equal((await server.event('server.stopping'))['in_flight'], 2 * TRANSFERS);
    await assert.rejects(PacedClient.connect(server), { code: 'ECONNREFUSED' });
    assert.equal((await fetch(`${server.operatorOrigin}/readyz`)).status, 503);
    const statuses = await Promise.all(uploads.map((client, index) => finishUpload(client, index)));
    assert.deepEqual(new Set(statuses), new Set([201]));
    for (const client of downloads) assert.ok((await client.receive(LARGE.length)).equals(LARGE));
    assert.deepEqual(await server.exited, { status: 0, signal: null });
    const { lines } = server;
    assert.equal(lines.at(-1)?.event, 'server.stopped');
    assert.equal(lines.at(-1)?.['clean'], true);
    assert.equal(count(lines, 'upload.completed'), TRANSFERS + 1);
    assert.equal(count(lines, 'download.completed'), TRANSFERS);
    assert.equal(count(lines, 'request.completed'), count(lines, 'request.received'));
    assert.equal(count(lines, 'connection.closed'), count(lines, 'connection.opened'));
    for (let index = 0; index < TRANSFERS; index += 1) {
      assert.ok(readFileSync(join(server.storeDir, `upload-${index}.bin`)).equals(bodyOf(index)));
    }
  } finally {
    await server.stop();
  }
});

test('F67 what is not done within ShutdownTimeout is cut and kept unseen, and is told event by event', async () => {
  const server = await start({ ShutdownTimeout: '1s' });
  try {
    const uploads = await beginUploads(server, 20);
    server.kill('SIGINT');
    assert.deepEqual(await server.exited, { status: 0, signal: null }, server.errors);
    await Promise.all(uploads.map(({ connection }) => connection.closed()));
    const { lines } = server;
    assert.equal((await server.event('server.stopped'))['clean'], false);
    assert.equal(count(lines, 'upload.suspended'), 20);
    assert.deepEqual(new Set(lines.flatMap((line) => line['reason'] ?? [])), new Set(['shutdown', 'ok']));
    assert.equal(count(lines, 'request.failed'), 20);
    assert.deepEqual([server.stagingFiles(), publicTreeOf(server.storeDir)], [[], []]);
    assert.equal(server.errors, '');
  } finally {
    await server.stop();
  }
});

test('a second signal ends the process at once, with sockets open on every listener', async () => {
  const storeDir = join(folder, 'second-signal');
  const server = await ServerProcess.start({ settings: { Listeners: 2 }, storeDir });
  await beginUploads(server, 10);
  server.kill('SIGTERM');
  await server.event('server.stopping');
  const signalledMs = performance.now();
  server.kill('SIGTERM');
  assert.deepEqual(await server.exited, { status: 1, signal: null });
  assert.ok(performance.now() - signalledMs < 2_000);
  assert.equal(server.errors, '');
  await server.stop();
  const next = await ServerProcess.start({ settings: { Listeners: 2 }, storeDir });
  const left = [...next.stagingFiles(), ...publicTreeOf(storeDir)];
  await next.stop();
  assert.deepEqual(left, []);
});

test('a listener that dies of a bug takes its own connections with it, and another one takes its place', async () => {
  const trigger = join(folder, 'fail-now');
  const server = await start({}, failingListener(0, trigger));
  try {
    const clients = await beginUploads(server, 8);
    writeFileSync(trigger, '');
    const crash = await server.event('worker.crashed');
    assert.deepEqual([crash['worker'], crash['code'], crash['transfers']], ['listener-0', 'a bug in a listener', 4]);
    const failure = await server.event('server.failed');
    assert.match(String(failure['stack']), /failing-listener/);
    assert.equal(failure['level'], 'error');
    const closed = (): readonly ListenerClient[] => clients.filter(({ connection }) => connection.isClosed);
    await eventually(() => closed().length === 4, 'half of the connections are gone');
    assert.equal(listenersOf(closed()).length, 1);
    const survivors = clients.filter(({ connection }) => !connection.isClosed);
    for (const client of survivors) {
      assert.equal(await finishUpload(client, clients.indexOf(client)), 201);
    }
    assert.deepEqual(server.stagingFiles(), []);
    assert.equal((await fetch(`${server.operatorOrigin}/readyz`)).status, 200);
    await newListenerServes(server, listenersOf(clients));
    // Names of the uploads that were lost are free.
    for (const client of closed()) {
      assert.equal(await put(server, `upload-${clients.indexOf(client)}.bin`, content('again', 100)), 201);
    }
    for (const client of clients) client.drop();
    const metrics = await (await fetch(`${server.operatorOrigin}/metrics`)).text();
    assert.match(metrics, /^hmac_pool_worker_crashes_total 1$/m);
    assert.match(metrics, /^hmac_uploads_in_flight\{protocol="put"\} 0$/m);
  } finally {
    assert.deepEqual(await server.stop(), { status: 0, signal: null });
  }
});

/** Connects until a listener answers that is none of the known ones. */
async function newListenerServes(server: ServerProcess, known: readonly string[]): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const client = await ListenerClient.connect(server);
    client.drop();
    if (!known.includes(client.listener)) return;
  }
  assert.fail('no listener took the place of the one that died');
}

test('the only other listener serves everybody while one is gone', async () => {
  const trigger = join(folder, 'fail-under-load');
  const server = await start({}, failingListener(1, trigger));
  try {
    writeFileSync(trigger, '');
    await eventually(() => !existsSync(trigger), 'the bug has struck');
    await server.event('worker.crashed');
    for (let index = 0; index < 50; index += 1)
      assert.equal(await put(server, `after-${index}`, content('x', 100)), 201);
  } finally {
    assert.deepEqual(await server.stop(), { status: 0, signal: null });
  }
});

test('a listener that cannot start ends the start with 1 and its reason', async () => {
  const errors = await failsToStart({}, failingListener(1, null));
  assert.match(errors, /^Listeners: a listener cannot start: a listener that cannot start\n$/);
});

test('F53 a taken port is named and never shared, whatever the number of listeners on either side', async () => {
  const server = await start();
  try {
    const settings = { ListenPort: `127.0.0.1:${server.port}` };
    const message = /^ListenPort 127\.0\.0\.1:\d+: the port is taken by another process\n$/;
    assert.match(await failsToStart(settings), message);
    assert.match(await failsToStart({ ...settings, Listeners: 1 }), message);
    assert.equal(await put(server, 'still-here.bin', content('x', 100)), 201);
  } finally {
    await server.stop();
  }
});

test('UnixSocket = true shares the socket among the listeners', async () => {
  const path = join(folder, 'server.sock');
  const server = await start({ ListenPort: path, UnixSocket: true });
  try {
    for (let index = 0; index < 4; index += 1) assert.equal(await statusOver(path, `/files/over-socket-${index}`), 404);
    const received = (): readonly LogLine[] => server.lines.filter(({ event }) => event === 'request.received');
    await eventually(() => received().length === 4, 'four requests are logged');
    const listeners = received().map((line) => String(line['request_id']).split('-')[0]);
    assert.equal(new Set(listeners).size, 2);
  } finally {
    assert.deepEqual(await server.stop(), { status: 0, signal: null });
  }
  assert.equal(existsSync(path), false);
});

/** Status of a GET over a connection of its own. */
function statusOver(socketPath: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, agent: new Agent({ keepAlive: false }) }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}
