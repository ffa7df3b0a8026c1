/** What a server takes hold of while it runs and lets go of at its end: the store, the ports, the unix socket. */

import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content, put } from '../support/paced-transfer.ts';
import { ServerProcess, type TomlSettings } from '../support/server-process.ts';

const BODY = content('listening', 10_000);

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-listening-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a server that must not start, and answers what it said. */
async function failsToStart(settings: TomlSettings, storeDir?: string): Promise<string> {
  const server = ServerProcess.spawn({ settings, ...(storeDir === undefined ? {} : { storeDir }) });
  const exit = await server.exited;
  await server.stop();
  assert.deepEqual(exit, { status: 1, signal: null }, server.errors);
  assert.equal(server.errors.trimEnd().split('\n').length, 1, server.errors);
  assert.ok(!server.lines.some(({ event }) => event === 'server.started'));
  return server.errors;
}

test('F36 a second server on one store says so and exits 1, and the first goes on', async () => {
  const storeDir = join(folder, 'shared-store');
  const server = await ServerProcess.start({ storeDir });
  try {
    assert.match(await failsToStart({}, storeDir), /^StoreDir .*shared-store is in use by process \d+\n$/);
    assert.equal(await put(server, 'first.bin', BODY), 201);
  } finally {
    await server.stop();
  }
  const next = await ServerProcess.start({ storeDir });
  assert.equal((await next.stop()).status, 0);
});

test('F36 the same store by another name is the same store', async () => {
  const storeDir = join(folder, 'other-name');
  const server = await ServerProcess.start({ storeDir });
  try {
    const roundabout = `/proc/${server.pid}/root${storeDir}`;
    assert.match(await failsToStart({}, roundabout), /in use by process \d+/);
  } finally {
    await server.stop();
  }
});

test('F53 F72 a taken port is named, ends the start with 1, and is never shared', async () => {
  const server = await ServerProcess.start();
  try {
    const wanted = { ListenPort: `127.0.0.1:${server.port}` };
    assert.match(await failsToStart(wanted), /^ListenPort 127\.0\.0\.1:\d+: the port is taken by another process\n$/);
    const metrics = { MetricsPort: `127.0.0.1:${server.metricsPort}` };
    assert.match(await failsToStart(metrics), /^MetricsPort 127\.0\.0\.1:\d+: the port is taken by another process\n$/);
    assert.equal(await put(server, 'still-here.bin', BODY), 201);
  } finally {
    await server.stop();
  }
});

test('F53 an address of another host is named, too', async () => {
  assert.match(
    await failsToStart({ ListenPort: '192.0.2.1:8080' }),
    /^ListenPort 192\.0\.2\.1:8080: the address does not/,
  );
});

test('a store that cannot be used is named and ends the start with 1', async () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, 'text');
  assert.match(await failsToStart({}, file), /^StoreDir .*a-file: /);
  assert.match(await failsToStart({}, join(file, 'below')), /^StoreDir .*a-file\/below: /);
  assert.equal(readFileSync(file, 'utf8'), 'text');
});

/** One request over a unix socket. */
function overSocket(
  socketPath: string,
  method: string,
  path: string,
  body?: Buffer,
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath, method, path, headers: { 'Content-Length': body?.length ?? 0 } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

const onSocket = (path: string): TomlSettings => ({ ListenPort: path, UnixSocket: true });

test('UnixSocket = true serves on a socket of mode 0660, which is gone afterwards', async () => {
  const path = join(folder, 'server.sock');
  const server = await ServerProcess.start({ settings: onSocket(path) });
  try {
    assert.equal(statSync(path).mode & 0o777, 0o660);
    const target = server.signedTarget('by-socket.bin', BODY.length);
    assert.equal((await overSocket(path, 'PUT', target, BODY)).status, 201);
    const download = await overSocket(path, 'GET', target.split('?')[0] ?? '');
    assert.equal(download.status, 200);
    assert.ok(download.body.equals(BODY));
  } finally {
    assert.equal((await server.stop()).status, 0);
  }
  assert.equal(existsSync(path), false);
});

test('SocketMode decides who may connect, and what took the place of the socket outlives the server (A85)', async () => {
  const path = join(folder, 'mode.sock');
  const server = await ServerProcess.start({ settings: { ...onSocket(path), SocketMode: '0600' } });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  rmSync(path);
  writeFileSync(path, 'important');
  assert.equal((await server.stop()).status, 0);
  assert.equal(readFileSync(path, 'utf8'), 'important');
});

test('F54 a socket left by a crash is replaced', async () => {
  const path = join(folder, 'stale.sock');
  const crashed = await ServerProcess.start({ settings: onSocket(path) });
  crashed.kill('SIGKILL');
  await crashed.stop();
  assert.ok(lstatSync(path).isSocket());
  const server = await ServerProcess.start({ settings: onSocket(path) });
  assert.equal((await overSocket(path, 'GET', '/files/none')).status, 404);
  await server.stop();
});

test('A85 F54 a live socket, an ordinary file and a link are refused and left alone', async () => {
  const live = join(folder, 'live.sock');
  const owner = await listen(live);
  try {
    assert.match(await failsToStart(onSocket(live)), /^ListenPort: another process listens on .*live\.sock\n$/);
    assert.ok(lstatSync(live).isSocket());
  } finally {
    owner.close();
  }
  const file = join(folder, 'file.sock');
  writeFileSync(file, 'important');
  assert.match(await failsToStart(onSocket(file)), /^ListenPort: .*file\.sock exists and is no socket/);
  const link = join(folder, 'link.sock');
  symlinkSync(file, link);
  assert.match(await failsToStart(onSocket(link)), /^ListenPort: .*link\.sock exists and is no socket/);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(readFileSync(file, 'utf8'), 'important');
});

test('a start that fails leaves no socket behind and removes none of others', async () => {
  const path = join(folder, 'unused.sock');
  const storeDir = join(folder, 'socket-store');
  const server = await ServerProcess.start({ storeDir, settings: onSocket(path) });
  try {
    await failsToStart(onSocket(path), storeDir);
    assert.equal((await overSocket(path, 'GET', '/files/none')).status, 404);
  } finally {
    await server.stop();
  }
});

function listen(path: string): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(path, () => resolve(server));
  });
}
