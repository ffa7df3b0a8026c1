/**
 * Attacks by what lies in the store: names that collide, links, things that are no files. Each title begins with the
 * number of the attack.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { linesUpToNow } from '../support/log-marker.ts';
import { exchange, get, put, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { publicTreeOf, settledTree, treeOf } from '../support/store-state.ts';

const BODY = 'abc';
const OUTSIDE = 'outside of the store';

let server: ServerProcess;
/** A folder that no request may reach. */
let outside: string;

before(async () => {
  // One lane each way: whatever hangs it hangs every test behind it.
  server = await ServerProcess.start({ settings: { UploadLanes: 1, DownloadLanes: 1 } });
  outside = mkdtempSync(join(tmpdir(), 'hmac-file-server-outside-'));
  writeFileSync(join(outside, 'secret'), OUTSIDE);
});

after(async () => {
  await server.stop();
  rmSync(outside, { recursive: true });
});

async function upload(key: string, body = BODY): Promise<number> {
  return (await put(server.port, server.signedTarget(key, body.length), body)).status;
}

async function assertNotServed(key: string): Promise<void> {
  const path = `/files/${key.split('/').map(encodeURIComponent).join('/')}`;
  for (const method of ['GET', 'HEAD']) {
    const { status } = await exchange(server.port, requestBytes(method, path), { isToHead: method === 'HEAD' });
    assert.equal(status, 404, `${method} ${key}`);
  }
}

function inStore(...names: readonly string[]): string {
  return join(server.storeDir, ...names);
}

/** The only record of a long name. */
function recordOf(longFile: string): string {
  const hash = longFile.slice(longFile.lastIndexOf('/') + 1);
  const folder = inStore('.hfs/records', hash.slice(0, 2), hash);
  const [name = ''] = readdirSync(folder);
  return join(folder, name);
}

test('A17 a long name whose record names another path, or is gone, is 404', async () => {
  const names = ['first-'.repeat(50), 'other-'.repeat(50)];
  for (const name of names) assert.equal(await upload(name), 201);
  const files = treeOf(inStore('.hfs/long')).filter((path) => !path.endsWith('/'));
  const [first = '', other = ''] = files.map(recordOf);
  const firstText = readFileSync(first);
  writeFileSync(first, readFileSync(other));
  writeFileSync(other, firstText);
  for (const name of names) await assertNotServed(name);
  writeFileSync(other, readFileSync(first));
  writeFileSync(first, firstText);
  for (const name of names) assert.equal((await get(server.port, `/files/${name}`)).body.toString(), BODY);
  unlinkSync(first);
  const statuses = await Promise.all(names.map(async (name) => (await get(server.port, `/files/${name}`)).status));
  assert.deepEqual(statuses.toSorted(), [200, 404]);
});

test('A18 a file where a folder is needed, and a folder where a file is needed, are 409 and leave nothing', async () => {
  assert.equal(await upload('file'), 201);
  assert.equal(await upload('folder/file'), 201);
  const before = await settledTree(server);
  for (const key of ['file/below', 'file/far/below', 'folder', 'folder/file/below']) {
    assert.equal(await upload(key), 409, key);
    assert.deepEqual(await settledTree(server), before);
  }
  await assertNotServed('file/below');
  await assertNotServed('folder');
});

test('A19 unsigned uploads to 1,000 new folders are 403 and make none', async () => {
  const before = await settledTree(server);
  const connection = await RawConnection.open(server.port);
  for (let count = 0; count < 1_000; count += 1) {
    const query = ['', '?v=', `?v=${'0'.repeat(64)}`, '?v=zz'][count % 4] ?? '';
    await connection.send(requestBytes('PUT', `/files/unsigned-${count}/deep/x${query}`, {}, ''));
    assert.equal((await connection.response()).status, 403);
  }
  connection.drop();
  assert.deepEqual(await settledTree(server), before);
});

test('A20 symbolic links are never followed: 404 for GET, 409 for PUT, and the target is untouched', async () => {
  symlinkSync(join(outside, 'secret'), inStore('link-to-file'));
  symlinkSync(outside, inStore('link-to-folder'));
  symlinkSync(join(outside, 'new'), inStore('dangling'));
  symlinkSync(inStore('loop-b'), inStore('loop-a'));
  symlinkSync(inStore('loop-a'), inStore('loop-b'));
  mkdirSync(inStore('real'));
  symlinkSync('../../..', inStore('real/up'));
  symlinkSync('file', inStore('link-inside'));
  const keys = [
    'link-to-file',
    'link-to-folder',
    'link-to-folder/secret',
    'link-to-folder/new',
    'link-to-folder/new/deep',
    'dangling',
    'dangling/x',
    'loop-a',
    'loop-a/x',
    'real/up',
    'real/up/etc/passwd',
    'link-inside',
  ];
  const before = await settledTree(server);
  for (const key of keys) {
    await assertNotServed(key);
    assert.equal(await upload(key), 409, key);
  }
  assert.deepEqual(await settledTree(server), before);
  assert.deepEqual(readdirSync(outside), ['secret']);
  assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), OUTSIDE);
});

test('A22 what is no regular file is 404 and 409, and hangs no lane', async () => {
  execFileSync('mkfifo', [inStore('fifo')]);
  const listener = createServer().listen(inStore('socket'));
  await new Promise((resolve) => listener.once('listening', resolve));
  const keys = ['fifo', 'socket'];
  // Only root can make one.
  if (process.getuid?.() === 0) {
    execFileSync('mknod', [inStore('device'), 'c', '1', '5']);
    keys.push('device');
  }
  try {
    for (const key of keys) {
      await assertNotServed(key);
      assert.equal(await upload(key), 409, key);
      assert.equal(await upload(`${key}/below`), 409, key);
    }
  } finally {
    listener.close();
  }
  assert.equal(await upload('after-the-fifo'), 201);
  assert.equal((await get(server.port, '/files/after-the-fifo')).body.toString(), BODY);
});

test('A22 a hard link is a regular file: served, and never written through', async () => {
  linkSync(join(outside, 'secret'), inStore('hard-link'));
  assert.equal((await get(server.port, '/files/hard-link')).body.toString(), OUTSIDE);
  assert.equal(await upload('hard-link', 'x'.repeat(OUTSIDE.length)), 409);
  assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), OUTSIDE);
});

/** Swaps a folder for a link to another and back, as fast as it can, until it is told to stop. */
const swapper = `
  const { workerData, parentPort } = require('node:worker_threads');
  const { renameSync, rmSync, symlinkSync } = require('node:fs');
  const { folder, kept, outside, stop } = workerData;
  const flag = new Int32Array(stop);
  let swaps = 0;
  const attempt = (action) => { try { action(); return true; } catch { return false; } };
  while (Atomics.load(flag, 0) === 0) {
    const isSwapped =
      attempt(() => renameSync(folder, kept)) &&
      attempt(() => symlinkSync(outside, folder)) &&
      attempt(() => rmSync(folder)) &&
      attempt(() => renameSync(kept, folder));
    if (isSwapped) swaps += 1;
    // An upload has made the folder anew: it gives way.
    else if (attempt(() => rmSync(folder, { recursive: true, force: true }))) attempt(() => renameSync(kept, folder));
  }
  parentPort.postMessage(swaps);
`;

/** GETs and PUTs below the folder, one after the other. Resolves to the bodies that were served. */
async function race(client: number): Promise<readonly string[]> {
  const bodies: string[] = [];
  const connection = await RawConnection.open(server.port);
  try {
    for (let count = 0; count < 125; count += 1) {
      await connection.send(requestBytes('GET', '/files/swapped/secret'));
      const response = await connection.response();
      if (response.status === 200) bodies.push(response.body.toString());
      await connection.send(requestBytes('PUT', server.signedTarget(`swapped/new-${client}-${count}`, 3), {}, BODY));
      await connection.response();
    }
  } finally {
    connection.drop();
  }
  return bodies;
}

test('A21 a folder that is swapped for a link during 2,000 requests never leads out of the store, and degrades nothing', async () => {
  mkdirSync(inStore('swapped'));
  writeFileSync(inStore('swapped/secret'), 'inside');
  const stop = new SharedArrayBuffer(4);
  const places = { folder: inStore('swapped'), kept: inStore('swapped-kept'), outside, stop };
  const worker = new Worker(swapper, { eval: true, workerData: places });
  const swaps = new Promise<number>((resolve) => worker.once('message', resolve));
  const bodies = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(race)).finally(() => {
    Atomics.store(new Int32Array(stop), 0, 1);
  });
  assert.ok((await swaps) > 100);
  assert.deepEqual([...new Set(bodies.flat())], ['inside']);
  assert.deepEqual(readdirSync(outside), ['secret']);
  // A name that is gone is no broken disk.
  const lines = await linesUpToNow(server);
  const degraded = lines.filter((line) => line.event === 'storage.degraded').map((line) => line['code']);
  assert.deepEqual(degraded, []);
});

test('nothing but uploads was ever stored, and no unfinished one is left', async () => {
  await settledTree(server);
  assert.ok(!existsSync(join(outside, 'new')));
  assert.ok(publicTreeOf(server.storeDir).includes('file'));
});
