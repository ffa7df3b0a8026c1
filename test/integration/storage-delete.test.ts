/** Deletion: what goes, in which order, and that the slot of what is gone stays closed (resumable uploads 7.1.5). */

import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { PathLocks } from '../../src/shared/path-locks.ts';
import { SecretIds } from '../../src/shared/secret-ids.ts';
import { recoverStore } from '../../src/workers/storage/recover-store.ts';
import { FIRST_SECRET_ID, keep, keyOf, overwrite, readFile, StoreFixture, stage } from '../support/store-fixture.ts';
import { publicTreeOf } from '../support/store-state.ts';
import { DAY_SECONDS, SweepFixture } from '../support/sweep-fixture.ts';

const DAY_MS = DAY_SECONDS * 1_000;

let store: StoreFixture;

beforeEach(() => {
  store = new StoreFixture();
});

afterEach(() => {
  mock.timers.reset();
  store.remove();
});

const tombstoneOf = (path: string): string =>
  store.pathOf('.hfs/tombstones', store.hashOf(path).slice(0, 2), store.hashOf(path));
const used = { name: 'StorageError', code: 'exists' };

/** Keeps a content whose signature ends at a time. */
async function keepUntil(path: string, usableUntilMs: number): Promise<void> {
  const upload = store.storage.createUpload({ key: keyOf(path), size: 1, type: null, usableUntilMs });
  upload.write(Buffer.from('x'));
  await upload.commit();
}

function useSecrets(...ids: readonly number[]): void {
  new SecretIds(store.settings.secretIds).all = ids;
}

test('a deleted file is gone with its record, its versions and their records', async () => {
  await overwrite(store.storage, 'folder/a.bin', 'first', { type: 'x/own' });
  await overwrite(store.storage, 'folder/a.bin', 'the second', { type: 'x/own' });
  await keep(store.storage, 'folder/b.bin', 'other', 'x/own');
  const deleted = await store.storage.deleteFile(keyOf('folder/a.bin'));
  assert.deepEqual(deleted, { sizeBytes: 10, versions: 1, freedBytes: 15 });
  assert.throws(() => readFile(store.storage, 'folder/a.bin'), { code: 'not-found' });
  assert.deepEqual(store.versionsOf('folder/a.bin'), []);
  assert.equal(store.recordFiles().length, 1);
  assert.equal(readFile(store.storage, 'folder/b.bin').text, 'other');
  assert.deepEqual(store.stagingFiles(), []);
});

test('a path without a file is deleted as often as one likes, and its slot stays open', async () => {
  await keep(store.storage, 'file', 'content');
  symlinkSync('file', store.pathOf('link'));
  mkdirSync(store.pathOf('folder'));
  for (const path of ['missing', 'missing/below', 'file/below', 'link', 'link/below', 'folder', 'x'.repeat(300)]) {
    assert.equal(await store.storage.deleteFile(keyOf(path)), null, path);
  }
  assert.ok(lstatSync(store.pathOf('link')).isSymbolicLink() && existsSync(store.pathOf('folder')));
  assert.equal(readFile(store.storage, 'file').text, 'content');
  await keep(store.storage, 'missing', 'now it is there');
});

test('a long name is deleted like any other', async () => {
  const path = `folder/${'n'.repeat(300)}`;
  await keep(store.storage, path, 'content');
  assert.equal((await store.storage.deleteFile(keyOf(path)))?.sizeBytes, 7);
  assert.throws(() => readFile(store.storage, path), { code: 'not-found' });
  await assert.rejects(keep(store.storage, path, 'again'), used);
});

test('A40 the slot of a deleted file stays closed for all lanes, with versioning too', async () => {
  await keep(store.storage, 'a', 'content');
  const waiting = stage(store.storage, 'b', Buffer.from('b'));
  await keep(store.storage, 'b', 'content');
  for (const path of ['a', 'b']) await store.storage.deleteFile(keyOf(path));
  await assert.rejects(keep(store.storage, 'a', 'replayed'), used);
  await assert.rejects(keep(store.neighbour(), 'a', 'replayed'), used);
  await assert.rejects(overwrite(store.storage, 'a', 'replayed'), used);
  await assert.rejects(waiting.commit(), used, 'an upload that began before');
  assert.deepEqual(publicTreeOf(store.settings.storeDir), []);
  assert.deepEqual(store.stagingFiles(), []);
});

test('A40 it is closed until none of the secrets is in use with which it may have been signed', async () => {
  useSecrets(7, FIRST_SECRET_ID);
  await keep(store.storage, 'a', 'content');
  await store.storage.deleteFile(keyOf('a'));
  const sweep = new SweepFixture(store);
  for (const ids of [[FIRST_SECRET_ID], [8, FIRST_SECRET_ID], [8, 7]]) {
    useSecrets(...ids);
    assert.equal(sweep.pass().totals.tombstones, 1);
    await assert.rejects(keep(store.storage, 'a', 'replayed'), used, String(ids));
  }
  useSecrets(8, 9);
  assert.deepEqual([sweep.pass().totals.tombstones, existsSync(tombstoneOf('a'))], [0, false]);
  assert.equal(readdirSync(store.pathOf('.hfs/tombstones')).filter((name) => name.startsWith('secrets-')).length, 0);
  await keep(store.storage, 'a', 'signed with a new secret');
});

test('A40 a signature that ends of itself closes its slot until then, and for as long as an upload may take', async () => {
  const endMs = Date.now() + 1_000;
  await keepUntil('a', endMs);
  await store.storage.deleteFile(keyOf('a'));
  useSecrets(9);
  await assert.rejects(keep(store.storage, 'a', 'replayed'), used);
  mock.timers.enable({ apis: ['Date'], now: endMs + 7 * DAY_MS - 1 });
  await assert.rejects(keep(store.storage, 'a', 'replayed'), used);
  mock.timers.setTime(endMs + 7 * DAY_MS);
  const upload = store.storage.createUpload({ key: keyOf('a'), size: 0, type: null });
  upload.discard();
});

test('nothing is left of a file whose signature has ended long ago', async () => {
  await keepUntil('a', Date.now() - 8 * DAY_MS);
  await store.storage.deleteFile(keyOf('a'));
  assert.equal(existsSync(tombstoneOf('a')), false);
  await keep(store.storage, 'a', 'again');
});

test('tombstones of the same secrets are names of one file, which takes no room', async () => {
  for (let index = 0; index < 20; index += 1) await keep(store.storage, `${index}`, 'x');
  for (let index = 0; index < 20; index += 1) await store.storage.deleteFile(keyOf(`${index}`));
  const inodes = new Set(Array.from({ length: 20 }, (_, index) => lstatSync(tombstoneOf(`${index}`)).ino));
  assert.equal(inodes.size, 1);
  assert.equal(lstatSync(tombstoneOf('0')).nlink, 21);
  assert.equal(lstatSync(tombstoneOf('0')).mode & 0o777, 0o600);
});

test('F35 a tombstone that cannot be read keeps its slot closed, and is written anew by the next pass', async () => {
  await keepUntil('a', Date.now() + DAY_MS);
  await store.storage.deleteFile(keyOf('a'));
  const sweep = new SweepFixture(store);
  for (const text of ['', 'until', 'until soon\n', 'secrets 3f1', 'secrets 3f\n', '{}', '\0'.repeat(5_000)]) {
    writeFileSync(tombstoneOf('a'), text);
    await assert.rejects(keep(store.storage, 'a', 'replayed'), used, text);
    assert.equal(sweep.pass().totals.tombstones, 1);
    await assert.rejects(keep(store.storage, 'a', 'replayed'), used, `${text} and a pass`);
  }
  useSecrets(9);
  await keep(store.storage, 'a', 'signed with a new secret');
});

test('A40 an expired file closes its slot, before it is removed and after it, also with versioning', async () => {
  const sweep = new SweepFixture(store);
  await keep(store.storage, 'a', 'content');
  sweep.announce(DAY_SECONDS);
  sweep.age('a', 2 * DAY_SECONDS);
  await assert.rejects(keep(store.storage, 'a', 'replayed'), used);
  await assert.rejects(overwrite(store.storage, 'a', 'replayed'), used);
  const { removedFiles, tombstones } = sweep.pass().totals;
  assert.deepEqual([removedFiles, tombstones], [1, 1]);
  await assert.rejects(keep(store.storage, 'a', 'replayed'), used);
  await assert.rejects(overwrite(store.storage, 'a', 'replayed'), used);
});

test('a file whose signature has ended long ago expires without a tombstone', async () => {
  const sweep = new SweepFixture(store);
  await keepUntil('a', Date.now() - 8 * DAY_MS);
  sweep.announce(DAY_SECONDS);
  sweep.age('a', 2 * DAY_SECONDS);
  assert.deepEqual([sweep.pass().totals.removedFiles, existsSync(tombstoneOf('a'))], [1, false]);
});

test('a deletion waits for whoever works on the path', async () => {
  await keep(store.storage, 'a', 'content');
  const release = new PathLocks(store.settings.pathLocks, 5).tryAcquire(store.hashOf('a'));
  let isOver = false;
  const deletion = store.storage.deleteFile(keyOf('a')).then(() => {
    isOver = true;
  });
  await new Promise(setImmediate);
  assert.equal(isOver, false);
  release?.();
  await deletion;
});

test('F78 a download of a file that is deleted ends whole', async () => {
  await keep(store.storage, 'a', 'content');
  const file = store.storage.openFile(keyOf('a'));
  await store.storage.deleteFile(keyOf('a'));
  const bytes = new Uint8Array(7);
  assert.equal(file.read(bytes, 0), 7);
  assert.equal(Buffer.from(bytes).toString(), 'content');
  file.close();
});

test('recovery ends a deletion that was broken off when the name was gone', async () => {
  await overwrite(store.storage, 'a', 'first', { type: 'x/own' });
  await overwrite(store.storage, 'a', 'second', { type: 'x/own' });
  recoverStore(store.settings.storeDir);
  rmSync(store.pathOf('a'));
  writeFileSync(store.pathOf('.hfs/staging', `${store.hashOf('a').slice(0, 16)}.0`), '');
  recoverStore(store.settings.storeDir);
  assert.deepEqual([store.versionsOf('a'), store.recordFiles(), store.stagingFiles()], [[], [], []]);
});
