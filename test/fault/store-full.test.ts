/**
 * A full disk: a small tmpfs is mounted for the store, and filled up while the server uses it. Needs root, and fails
 * without it: a promise about full disks that nobody checks is worth nothing.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, before, test } from 'node:test';
import { content, PacedClient, put, store, urlOf } from '../support/paced-transfer.ts';
import { ServerProcess, TEST_SECRET, type TomlSettings } from '../support/server-process.ts';
import { encodePath, signV2 } from '../support/sign.ts';
import { eventually, publicTreeOf, treeOf } from '../support/store-state.ts';

const MIB = 1024 * 1024;

let folder: string | null = null;
let server: ServerProcess | null = null;

before(() => {
  assert.equal(process.geteuid?.(), 0, 'these tests mount file systems: run them as root');
});

afterEach(async () => {
  await server?.stop();
  server = null;
  if (folder !== null) unmount(folder);
  folder = null;
});

function run(command: string, ...args: readonly string[]): void {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(result.status, 0, `${command} ${args.join(' ')}: ${result.stderr}`);
}

function unmount(path: string): void {
  run('umount', path);
  rmdirSync(path);
}

/** Starts a server whose store is a file system of its own. */
async function startOn(options: string, settings: TomlSettings = { MinFreeInodes: 0 }): Promise<ServerProcess> {
  const path = mkdtempSync(join(tmpdir(), 'hmac-full-'));
  run('mount', '-t', 'tmpfs', '-o', options, 'none', path);
  folder = path;
  server = await ServerProcess.start({ storeDir: join(path, 'store'), settings });
  return server;
}

/** Takes all room that is left, byte by byte at the end. Returns how to give it back. */
function fillUp(): () => void {
  const path = join(folder ?? '', 'filler');
  const fd = openSync(path, 'w');
  for (let length = MIB; length >= 1; length = Math.floor(length / 16)) {
    try {
      for (;;) writeSync(fd, Buffer.alloc(length));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
  closeSync(fd);
  return () => rmSync(path);
}

/** Makes empty files until so many inodes are left. */
function useInodes(left: number): void {
  const path = folder ?? '';
  const { ffree } = statfsSync(path);
  for (let index = 0; index < ffree - left; index += 1) closeSync(openSync(join(path, `inode-${index}`), 'w'));
  assert.equal(statfsSync(path).ffree, left);
}

test('F12 a disk that fills up during an upload: 507 within a second, nothing left, and the server goes on', async () => {
  const full = await startOn('size=20m');
  const kept = content('kept', 3 * MIB);
  await store(full, 'kept.bin', kept);
  const before = treeOf(full.storeDir);
  const bytes = content('too large', 12 * MIB);
  const client = await PacedClient.openUpload(full, 'too-large.bin', bytes.length);
  await client.send(bytes.subarray(0, 2 * MIB));
  await eventually(() => full.stagingFiles().length === 1, 'the upload is being received');
  const giveBack = fillUp();
  const startedMs = performance.now();
  const [answer] = await Promise.all([client.receiveAnswer(), client.send(bytes.subarray(2 * MIB))]);
  assert.equal(answer.status, 507);
  assert.equal(answer.body.toString(), 'Insufficient Storage\n');
  assert.ok(performance.now() - startedMs < 1_000);
  client.close();
  assert.deepEqual(full.stagingFiles(), []);
  assert.deepEqual(treeOf(full.storeDir), before);
  assert.equal(await put(full, 'small.bin', content('small', 100)), 201, 'the bytes of the failed upload are free');
  const response = await fetch(urlOf(full, 'kept.bin'));
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(kept));
  assert.equal((await fetch(`${full.operatorOrigin}/readyz`)).status, 200, 'a full disk is no broken disk');
  giveBack();
  assert.equal(await put(full, 'too-large.bin', bytes), 201);
});

test('F12 an upload that cannot fit is refused before its body', async () => {
  const full = await startOn('size=20m');
  const client = await PacedClient.openUpload(full, 'too-large.bin', 30 * MIB);
  assert.equal((await client.receiveHead()).status, 507);
  client.close();
  assert.deepEqual(publicTreeOf(full.storeDir), []);
});

test('F12 many uploads that fill the disk together are each whole or refused', async () => {
  const full = await startOn('size=20m');
  const bodies = Array.from({ length: 30 }, (_, index) => content(`crowd ${index}`, MIB));
  const statuses = await Promise.all(bodies.map((bytes, index) => put(full, `crowd-${index}.bin`, bytes)));
  assert.ok(
    statuses.every((status) => status === 201 || status === 507),
    statuses.join(),
  );
  assert.ok(statuses.filter((status) => status === 201).length >= 10, statuses.join());
  for (const [index, status] of statuses.entries()) {
    const response = await fetch(urlOf(full, `crowd-${index}.bin`));
    const body = Buffer.from(await response.arrayBuffer());
    assert.equal(response.status, status === 201 ? 200 : 404);
    if (status === 201) assert.ok(body.equals(bodies[index] ?? Buffer.alloc(0)));
  }
  assert.deepEqual(full.stagingFiles(), []);
});

test('F14 no room for a record: the upload fails whole, and leaves neither file nor record', async () => {
  const full = await startOn('size=20m');
  const bytes = content('typed', 4096);
  const client = await PacedClient.connect(full);
  const target = `/files/${encodePath('typed.bin')}?v2=${signV2(TEST_SECRET, 'typed.bin', bytes.length, 'image/x-own')}`;
  const head = `PUT ${target} HTTP/1.1\r\nHost: test\r\nContent-Type: image/x-own\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  await client.send(head);
  await client.send(bytes.subarray(0, bytes.length - 1));
  // Once the content has its page, only the record needs another.
  await eventually(() => stagedBytes(full) === bytes.length - 1, 'the bytes are written');
  const giveBack = fillUp();
  await client.send(bytes.subarray(bytes.length - 1));
  assert.equal((await client.receiveAnswer()).status, 507);
  client.close();
  giveBack();
  assert.deepEqual(full.stagingFiles(), []);
  assert.deepEqual(publicTreeOf(full.storeDir), []);
  const records = readdirSync(join(full.storeDir, '.hfs/records'), { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    records.filter((path) => path.endsWith('.json')),
    [],
  );
});

test('F15 without inodes uploads are 507, also with MinFreeInodes = 0, and succeed when there are some again', async () => {
  const full = await startOn('size=20m,nr_inodes=200');
  useInodes(0);
  assert.equal(await put(full, 'no-inode.bin', content('x', 10)), 507);
  rmSync(join(folder ?? '', 'inode-0'));
  rmSync(join(folder ?? '', 'inode-1'));
  await eventuallyPut(full, 'one-inode.bin', 201);
  assert.deepEqual(full.stagingFiles(), []);
});

test('F15 inodes that run out at the commit: 507, nothing left but empty folders', async () => {
  const full = await startOn('size=20m,nr_inodes=200');
  // One for the staging file, one for the first of two folders.
  useInodes(2);
  assert.equal(await put(full, 'folder/folder/file.bin', content('x', 10)), 507);
  assert.deepEqual(full.stagingFiles(), []);
  assert.ok(publicTreeOf(full.storeDir).every((path) => path.endsWith('/')));
  assert.equal((await fetch(`${full.operatorOrigin}/readyz`)).status, 200);
});

test('F15 MinFreeInodes refuses before the body, and its default is more than a small file system has', async () => {
  const full = await startOn('size=20m,nr_inodes=500', {});
  const client = await PacedClient.openUpload(full, 'file.bin', 10);
  assert.equal((await client.receiveHead()).status, 507);
  client.close();
  assert.deepEqual(publicTreeOf(full.storeDir), []);
});

test('F16 MinFreeSpace refuses before the body what would leave less, and takes what does not', async () => {
  const full = await startOn('size=20m', { MinFreeInodes: 0, MinFreeSpace: 10 * MIB });
  const client = await PacedClient.openUpload(full, 'large.bin', 11 * MIB);
  assert.equal((await client.receiveHead()).status, 507);
  client.close();
  assert.equal(await put(full, 'fits.bin', content('fits', 8 * MIB)), 201);
  assert.equal(await put(full, 'too-much.bin', content('too much', 3 * MIB)), 507);
  assert.equal(await put(full, 'small.bin', content('small', MIB)), 201);
});

test('F16 an upload that was let in is stored, with folder and record, though others have taken the space meanwhile', async () => {
  const full = await startOn('size=20m', { MinFreeInodes: 0, MinFreeSpace: 10 * MIB });
  const bytes = content('let in', MIB);
  const key = 'folder/let-in.bin';
  const mac = signV2(TEST_SECRET, key, bytes.length, 'image/x-own');
  const fields = `Host: test\r\nContent-Type: image/x-own\r\nContent-Length: ${bytes.length}\r\n`;
  const client = await PacedClient.connect(full);
  await client.send(`PUT /files/${key}?v2=${mac} HTTP/1.1\r\n${fields}\r\n`);
  await client.send(bytes.subarray(0, 1_000));
  await eventually(() => stagedBytes(full) === 1_000, 'the upload is let in');
  const filler = openSync(join(folder ?? '', 'filler'), 'w');
  writeSync(filler, Buffer.alloc(12 * MIB));
  closeSync(filler);
  await eventuallyPut(full, 'other.bin', 507);
  await client.send(bytes.subarray(1_000));
  assert.equal((await client.receiveAnswer()).status, 201);
  client.close();
});

/** Bytes of all unfinished uploads. */
function stagedBytes(full: ServerProcess): number {
  const sizes = full.stagingFiles().map((name) => statSync(join(full.storeDir, '.hfs/staging', name)).size);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** What the server knows of the disk may be a moment old. */
async function eventuallyPut(full: ServerProcess, key: string, expected: number): Promise<void> {
  const deadlineMs = performance.now() + 2_000;
  let status = 0;
  for (let count = 0; status !== expected && performance.now() < deadlineMs; count += 1) {
    status = await put(full, `${key}-${count}`, content(key, 10));
  }
  assert.equal(status, expected);
}
