/** Opening a store: what is made, what is checked, what an earlier run left, and what cannot be a store. */

import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Room, RoomLedger } from '../../src/shared/room-ledger.ts';
import { FilesystemStorage } from '../../src/workers/storage/filesystem-storage.ts';
import { prepareStore } from '../../src/workers/storage/prepare-store.ts';
import { probeStore, watchStore } from '../../src/workers/storage/store-probe.ts';
import { keep, keyOf, readFile, StoreFixture, settingsFor, stage } from '../support/store-fixture.ts';
import { treeOf } from '../support/store-state.ts';

const OWN_FOLDERS = ['.hfs/', '.hfs/long/', '.hfs/records/', '.hfs/staging/', '.hfs/uploads/'];
/** An account without privileges, for tests that run as root, whom no mode keeps out. */
const NOBODY = 65_534;

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-prepare-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

test('makes a missing StoreDir with its parents, and its own folders, for owner and group only', () => {
  const storeDir = join(folder, 'deep/er/store');
  const { device, inode } = prepareStore(storeDir);
  assert.deepEqual(treeOf(storeDir), OWN_FOLDERS);
  const stats = statSync(storeDir, { bigint: true });
  assert.deepEqual([device, inode], [stats.dev.toString(), stats.ino.toString()]);
  for (const path of ['', ...OWN_FOLDERS]) assert.equal(statSync(join(storeDir, path)).mode & 0o027, 0, path);
});

test('changes nothing when it is run again, and beside a running server', async () => {
  const store = new StoreFixture();
  try {
    await keep(store.storage, 'kept', 'kept', 'x/own');
    const upload = stage(store.storage, 'running', Buffer.from('running'));
    const before = treeOf(store.settings.storeDir);
    const first = prepareStore(store.settings.storeDir);
    assert.deepEqual(prepareStore(store.settings.storeDir), first);
    assert.deepEqual(treeOf(store.settings.storeDir), before);
    await upload.commit();
    assert.equal(readFile(store.storage, 'running').text, 'running');
  } finally {
    store.remove();
  }
});

test('takes a tree of files as it is', () => {
  const storeDir = join(folder, 'imported');
  mkdirSync(join(storeDir, 'a/b'), { recursive: true });
  writeFileSync(join(storeDir, 'a/b/file'), 'imported');
  prepareStore(storeDir);
  const storage = new FilesystemStorage(settingsFor(storeDir), 0);
  assert.equal(readFile(storage, 'a/b/file').text, 'imported');
});

test('refuses a file in place of the folder, or on the way to it, and leaves it alone', () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'text');
  for (const storeDir of [file, join(file, 'below')]) {
    assert.throws(() => prepareStore(storeDir), { name: 'StorageError', message: /^(EEXIST|ENOTDIR) / });
  }
  assert.equal(readFileSync(file, 'utf8'), 'text');
});

test('F26 refuses a folder that cannot be written, as an ordinary user', () => {
  const storeDir = join(folder, 'read-only');
  mkdirSync(storeDir);
  chmodSync(storeDir, 0o555);
  chmodSync(folder, 0o755);
  asOrdinaryUser(() => {
    assert.throws(() => prepareStore(storeDir), { name: 'StorageError', message: /^EACCES mkdir/ });
    assert.throws(() => prepareStore(join(storeDir, 'below')), { name: 'StorageError', message: /^EACCES mkdir/ });
  });
  assert.deepEqual(treeOf(storeDir), []);
});

test('a storage needs the folders that prepareStore makes', () => {
  const storeDir = join(folder, 'unprepared');
  mkdirSync(storeDir);
  assert.throws(() => new FilesystemStorage(settingsFor(storeDir), 0), {
    name: 'StorageError',
    code: 'store-unavailable',
  });
});

test('a probe writes and leaves nothing, and fails when the store is gone', () => {
  const store = new StoreFixture();
  const { storeDir } = store.settings;
  const before = treeOf(storeDir);
  probeStore(storeDir, store.identity);
  assert.deepEqual(treeOf(storeDir), before);
  store.remove();
  assert.throws(() => probeStore(storeDir, store.identity), { name: 'StorageError', code: 'store-unavailable' });
  assert.equal(existsSync(storeDir), false, 'it is not made again');
});

test('room is measured in bytes of the file system of the store', () => {
  const store = new StoreFixture();
  try {
    const { freeBytes, totalBytes } = watchStore(store.settings.storeDir, store.identity);
    assert.ok(freeBytes > 0 && freeBytes <= totalBytes);
  } finally {
    store.remove();
  }
});

test('F31 a folder that took the place of the store is not taken for it, and is left alone', () => {
  const store = new StoreFixture();
  const { storeDir } = store.settings;
  const other = { name: 'StorageError', code: 'store-unavailable', message: /another folder/ };
  try {
    renameSync(storeDir, `${storeDir}.moved`);
    prepareStore(storeDir);
    const before = treeOf(storeDir);
    assert.throws(() => watchStore(storeDir, store.identity), other);
    assert.throws(() => probeStore(storeDir, store.identity), other);
    assert.deepEqual(treeOf(storeDir), before);
    rmSync(storeDir, { recursive: true });
    assert.throws(() => watchStore(storeDir, store.identity), { code: 'store-unavailable', message: /^ENOENT / });
    renameSync(`${storeDir}.moved`, storeDir);
    watchStore(storeDir, store.identity);
    renameSync(store.pathOf('.hfs/staging'), store.pathOf('.hfs/old'));
    mkdirSync(store.pathOf('.hfs/staging'));
    assert.throws(() => watchStore(storeDir, store.identity), other, 'the lanes hold the old staging folder');
  } finally {
    store.remove();
  }
});

test('F32 refuses a StoreDir with a mount below it, and leaves nothing there', () => {
  const parents = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => dirname(line.split(' ')[4] ?? '/'))
    .filter((path) => path !== '/' && path !== '.' && existsSync(path));
  const [storeDir] = parents;
  assert.ok(storeDir !== undefined, 'something is mounted below a folder, such as /dev/pts');
  assert.throws(() => prepareStore(storeDir), { code: 'store-unavailable', message: /lies on another file system/ });
  assert.equal(existsSync(join(storeDir, '.hfs')), false);
});

test('F16 F17 an upload is refused when less than the reserve would remain, promises of others included', () => {
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  const order = { key: keyOf('file'), size: 0, type: null };
  const full = { name: 'StorageError', code: 'no-space' };
  const gib = 1024 ** 3;
  const store = new StoreFixture({ minFreeBytes: freeBytes - 2 * gib });
  const { storage } = store;
  const neighbour = store.neighbour();
  try {
    assert.throws(() => storage.createUpload({ ...order, size: 3 * gib }), full);
    storage.createUpload({ ...order, size: gib }).discard();
    const promised = neighbour.createUpload({ ...order, key: keyOf('other'), size: gib });
    assert.throws(() => storage.createUpload({ ...order, size: 1.5 * gib }), full, 'promised by another lane');
    promised.discard();
    storage.createUpload({ ...order, size: 1.5 * gib }).discard();
    assert.deepEqual(store.stagingFiles(), []);
  } finally {
    store.remove();
  }
});

test('F17 what another lane has written since a lane looked at the disk is no room any more', async () => {
  const mib = 1024 * 1024;
  const { bavail, bsize } = statfsSync(folder);
  // Others use this disk, too: the sizes leave room for what they do meanwhile.
  const store = new StoreFixture({ minFreeBytes: bavail * bsize - 96 * mib, durability: 'none' });
  try {
    const neighbour = store.neighbour();
    store.storage.createUpload({ key: keyOf('look'), size: 0, type: null }).discard();
    await stage(neighbour, 'written', Buffer.alloc(64 * mib)).commit();
    const order = { key: keyOf('beyond'), size: 64 * mib, type: null };
    assert.throws(() => store.storage.createUpload(order), { name: 'StorageError', code: 'no-space' });
    store.storage.createUpload({ ...order, size: 0 }).discard();
  } finally {
    store.remove();
  }
});

test('F17 a promise of room ends with its upload, however that ends', async () => {
  const store = new StoreFixture();
  const { storage } = store;
  const promised = (): Room => new RoomLedger(store.settings.roomLedger, 0).promised;
  const order = { key: keyOf('file'), size: 100, type: null };
  try {
    const upload = storage.createUpload(order);
    upload.write(new Uint8Array(40));
    assert.deepEqual(promised(), { bytes: 60, files: 0 }, 'what is written is promised no longer');
    upload.discard();
    const [first, second] = [stage(storage, 'twice', Buffer.from('x')), stage(storage, 'twice', Buffer.from('y'))];
    await first.commit();
    await assert.rejects(second.commit());
    await assert.rejects(storage.createUpload(order).commit(), { code: 'size-mismatch' });
    const larger = storage.createUpload(order);
    assert.throws(() => larger.write(new Uint8Array(101)), { code: 'size-mismatch' });
    larger.discard();
    assert.throws(() => storage.createUpload({ ...order, key: keyOf('twice') }), { code: 'exists' });
    assert.throws(() => storage.createUpload({ ...order, size: Number.MAX_SAFE_INTEGER }), { code: 'no-space' });
    assert.deepEqual(promised(), { bytes: 0, files: 0 });
  } finally {
    store.remove();
  }
});

/** Runs something without root's privileges, whoever runs the tests. */
function asOrdinaryUser(run: () => void): void {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    run();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
