/** `put` against the built server, through a network that cuts, freezes and comes back. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content } from '../support/paced-transfer.ts';
import { projectRoot } from '../support/project-root.ts';
import { put } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { tlsData } from '../support/test-certificate.ts';
import { TlsServer } from '../support/tls-server.ts';
import { assertStored } from '../support/tus-wire.ts';
import { UnreliableNetwork } from '../support/unreliable-network.ts';

const SIZE = 5_000_000;
const BODY = content('put-command', SIZE);

let server: ServerProcess;
let network: UnreliableNetwork;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'put-command-'));
  server = await ServerProcess.start({ settings: { MaxUploadSize: 10_000_000 } });
  network = await UnreliableNetwork.start(server);
});

after(async () => {
  await network.stop();
  await server.stop();
  rmSync(folder, { recursive: true });
});

interface PutRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunningPut {
  readonly child: ChildProcess;
  readonly ended: Promise<PutRun>;
}

function start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): RunningPut {
  const entry = join(projectRoot, 'dist/src/main/entry.cjs');
  const child = spawn(process.execPath, [entry, 'put', ...args], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    texts.stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    texts.stderr += chunk.toString();
  });
  const ended = new Promise<PutRun>((resolve) => child.once('close', (status) => resolve({ status, ...texts })));
  return { child, ended };
}

function run(...args: readonly string[]): Promise<PutRun> {
  return start(args).ended;
}

function write(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return name;
}

function urlOf(key: string, size: number): string {
  return `${network.origin}${server.signedTarget(key, size)}`;
}

test('stores a file, prints where it can be fetched, and says how fast it was', async () => {
  const { status, stdout, stderr } = await run(write('plain.bin', BODY), urlOf('plain.bin', SIZE));
  assert.equal(status, 0, stderr);
  assert.equal(stdout, `${network.origin}/files/plain.bin\n`);
  assert.match(stderr, /^plain\.bin: 5\.0 MB in [0-9.]+ s, [0-9.]+ [kMG]B\/s\n$/);
  await assertStored(server, 'plain.bin', BODY);
});

test('stores an empty file, and one of a single byte', async () => {
  for (const size of [0, 1]) {
    const key = `small-${size}`;
    const { status, stderr } = await run(write(key, BODY.subarray(0, size)), urlOf(key, size), '--quiet');
    assert.deepEqual([status, stderr], [0, '']);
    await assertStored(server, key, BODY.subarray(0, size));
  }
});

test('finds that the file is there already, and is content', async () => {
  const file = write('again', BODY.subarray(0, 1_000));
  await run(file, urlOf('again', 1_000));
  const { status, stdout, stderr } = await run(file, urlOf('again', 1_000));
  assert.deepEqual([status, stdout], [0, `${network.origin}/files/again\n`]);
  assert.match(stderr, /was there already/);
});

test('goes on after every cut, and sends almost nothing twice', async () => {
  const file = write('cut.bin', BODY);
  const sentBefore = network.sentBytes;
  const cuts = [1_500_000, 700_000, 900_000, 300_000].map((bytes) => network.cutAfter(bytes));
  const { status, stderr } = await run(file, urlOf('cut.bin', SIZE));
  assert.equal(status, 0, stderr);
  await Promise.all(cuts);
  assert.equal(stderr.match(/the connection was cut; trying again in/g)?.length, cuts.length, stderr);
  assert.match(stderr, /cut\.bin: going on after [0-9]+ of 5000000 bytes/);
  await assertStored(server, 'cut.bin', BODY);
  assert.ok(network.sentBytes - sentBefore < SIZE * 1.05, String(network.sentBytes - sentBefore));
});

test('notices a connection that has fallen silent, and goes on', async () => {
  const file = write('frozen.bin', BODY);
  const frozen = network.freezeAfter(3_000_000);
  const running = run(file, urlOf('frozen.bin', SIZE), '--stall', '2s');
  await frozen;
  const { status, stderr } = await running;
  assert.equal(status, 0, stderr);
  assert.match(stderr, /nothing moved for 2 s; trying again/);
  await assertStored(server, 'frozen.bin', BODY);
});

test('a command that was stopped goes on when it is run again', async () => {
  const file = write('stopped.bin', BODY);
  const frozen = network.freezeAfter(2_500_000);
  const first = start([file, urlOf('stopped.bin', SIZE)]);
  await frozen;
  first.child.kill('SIGINT');
  const stopped = await first.ended;
  assert.equal(stopped.status, 130);
  assert.match(stopped.stderr, /the same command goes on from there/);
  const { status, stderr } = await run(file, urlOf('stopped.bin', SIZE));
  assert.equal(status, 0, stderr);
  assert.match(stderr, /going on after [0-9]{7} of 5000000 bytes/);
  await assertStored(server, 'stopped.bin', BODY);
});

test('waits for a server that is started again, and goes on with what it had', async () => {
  const [first, file] = [await ServerProcess.start(), write('restart.bin', BODY)];
  const between = await UnreliableNetwork.start(first);
  const frozen = between.freezeAfter(3_000_000);
  const url = `${between.origin}${first.signedTarget('restart.bin', SIZE)}`;
  const running = start([file, url, '--stall', '2s', '--give-up-after', '1m']);
  await frozen;
  first.kill('SIGKILL');
  await first.exited;
  const second = await ServerProcess.start({ storeDir: first.storeDir });
  between.leadTo(second);
  const { status, stderr } = await running.ended;
  assert.equal(status, 0, stderr);
  assert.match(stderr, /going on after [0-9]{7} of 5000000 bytes/);
  await assertStored(second, 'restart.bin', BODY);
  await between.stop();
  await second.stop();
  await first.stop();
});

test('a refusal says what to do next, and ends with 3', async () => {
  const file = write('refused', BODY.subarray(0, 1_000));
  await put(server.port, server.signedTarget('taken', 1_000), Buffer.alloc(1_000));
  const large = write('large', Buffer.alloc(10_000_001));
  const refusals: readonly (readonly [file: string, url: string, said: RegExp])[] = [
    [file, urlOf('refused', 999), /403 Invalid MAC\n.*this file has 1000 bytes: get a URL for it/],
    [file, `${network.origin}/files/refused`, /403 No HMAC attached.*\n.*quote it on the command line/],
    [file, urlOf('taken', 1_000), /409 .*\n.*get a new URL/],
    [large, urlOf('large', 10_000_001), /413 .*\n.*takes no files of 10000001 bytes/],
    [file, `${network.origin}/elsewhere/a?v=1`, /404 .*\n.*UploadSubDir/],
  ];
  for (const [name, url, said] of refusals) {
    const { status, stdout, stderr } = await run(name, url);
    assert.deepEqual([status, stdout], [3, ''], stderr);
    assert.match(stderr, said);
  }
});

test('a full disk says so, and that the same command works later', async () => {
  const full = await ServerProcess.start({ settings: { MinFreeSpace: 9_000_000_000_000_000 } });
  const url = full.origin + full.signedTarget('full', 1_000);
  const { status, stderr } = await run(write('full', BODY.subarray(0, 1_000)), url);
  await full.stop();
  assert.equal(status, 3);
  assert.match(stderr, /507 .*\n.*disk is full: try the same command again later/);
});

test('a server without partial uploads gets the whole file again after a cut', async () => {
  const plain = await ServerProcess.start({ settings: { ResumableUploadsEnabled: false } });
  const between = await UnreliableNetwork.start(plain);
  const cut = between.cutAfter(3_000_000);
  const url = between.origin + plain.signedTarget('whole.bin', SIZE);
  const { status, stderr } = await run(write('whole.bin', BODY), url);
  await cut;
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stderr, /going on after/);
  await assertStored(plain, 'whole.bin', BODY);
  await between.stop();
  await plain.stop();
});

test('a certificate that is not trusted is told at once; one that is carries the upload', async () => {
  const tls = await TlsServer.start({});
  const { port } = tls.server;
  const file = write('secure.bin', BODY);
  const target = tls.server.signedTarget('secure.bin', SIZE);
  const strange = await run(file, `https://127.0.0.1:${port}${target}`);
  assert.equal(strange.status, 4);
  assert.match(strange.stderr, /^no secure connection: .*certificate.*\n.*NODE_EXTRA_CA_CERTS=FILE/);
  const plain = await run(file, `https://127.0.0.1:${server.port}${target}`, '--give-up-after', '2s');
  assert.equal(plain.status, 4, plain.stderr);
  const trust = { NODE_EXTRA_CA_CERTS: tlsData('first.pem') };
  const { status, stdout, stderr } = await start([file, `https://127.0.0.1:${port}${target}`], trust).ended;
  assert.deepEqual([status, stdout], [0, `https://127.0.0.1:${port}/files/secure.bin\n`], stderr);
  assert.ok((await tls.get('secure.bin')).body.equals(BODY));
  await tls.stop();
});

test('gives up after a while, and ends with 4', async () => {
  const closed = await UnreliableNetwork.start(server);
  const url = `${closed.origin}${server.signedTarget('nobody', 1_000)}`;
  await closed.stop();
  const { status, stderr } = await run(write('nobody', BODY.subarray(0, 1_000)), url, '--give-up-after', '1s');
  assert.equal(status, 4);
  assert.match(
    stderr,
    /the server refuses connections; trying again.*\n(?:.*\n)*gave up: the server refuses connections/,
  );
});

test('a file that is changed under way is not sent as a mixture, and ends with 1', async () => {
  const file = write('changing.bin', BODY);
  const frozen = network.freezeAfter(2_500_000);
  const running = start([file, urlOf('changing.bin', SIZE), '--stall', '2s']);
  await frozen;
  utimesSync(join(folder, file), 1, 1);
  const { status, stderr } = await running.ended;
  assert.equal(status, 1);
  assert.match(stderr, /the file was changed while it was being sent/);
});

test('what cannot be read, and a command line without sense, are told at once', async () => {
  const url = urlOf('a', 1);
  assert.deepEqual(await run('missing', url), { status: 1, stdout: '', stderr: 'missing: no such file\n' });
  assert.deepEqual(await run('.', url), { status: 1, stdout: '', stderr: '. is not a file\n' });
  for (const args of [
    ['-', url],
    ['a', 'ftp://x/'],
    ['a', 'nonsense'],
    ['a', url, '--stall', '0'],
  ]) {
    assert.equal((await run(...args)).status, 2, args.join(' '));
  }
});
