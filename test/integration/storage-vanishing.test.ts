/** Folders that vanish under an upload: empty ones are made anew, and a store that is gone is not mistaken for them. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { closeAll, FolderVanished, openRoot, useFolders } from '../../src/workers/storage/folder.ts';
import { keep, keyOf, readFile, StoreFixture, stage } from '../support/store-fixture.ts';

const GONE = { name: 'StorageError', code: 'store-unavailable' };

let store: StoreFixture;

beforeEach(() => {
  store = new StoreFixture();
});

afterEach(() => store.remove());

test('a folder that is removed between its opening and its use is made again', () => {
  const root = openRoot(store.settings.storeDir);
  let removals = 3;
  const { way, result } = useFolders(root, ['a', 'b'], () => {
    if (removals > 0) {
      removals -= 1;
      rmdirSync(store.pathOf('a/b'));
      rmdirSync(store.pathOf('a'));
      throw new FolderVanished('test');
    }
    return 'used';
  });
  assert.equal(result, 'used');
  assert.deepEqual(
    way.map(({ isNew }) => isNew),
    [true, true],
  );
  assert.ok(existsSync(store.pathOf('a/b')));
  closeAll([...way, root]);
});

test('it is not tried for ever, no descriptor is left, and other failures are not tried again', () => {
  const root = openRoot(store.settings.storeDir);
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  let attempts = 0;
  const vanish = (): never => {
    attempts += 1;
    throw new FolderVanished('test');
  };
  assert.throws(() => useFolders(root, ['a', 'b'], vanish), GONE);
  assert.ok(attempts > 3 && attempts < 100, `${attempts}`);
  assert.throws(
    () =>
      useFolders(root, ['a', 'b'], () => {
        attempts = -1;
        throw new Error('other');
      }),
    /other/,
  );
  assert.equal(attempts, -1);
  assert.equal(descriptors(), before);
  closeAll([root]);
});

test('an upload whose folders somebody removed while it was received makes them again', async () => {
  await keep(store.storage, 'a/b/first', 'first', 'x/own');
  const upload = stage(store.storage, 'a/b/second', Buffer.from('second'), 'x/own');
  for (const path of ['a', '.hfs/records']) rmSync(store.pathOf(path), { recursive: true });
  mkdirSync(store.pathOf('.hfs/records'));
  await upload.commit();
  assert.deepEqual(readFile(store.storage, 'a/b/second').text, 'second');
  assert.equal(readFile(store.storage, 'a/b/second').info.type, 'x/own');
});

test('F31 a StoreDir that is removed takes no upload, neither a new one nor one that is being received', async () => {
  const upload = stage(store.storage, 'a/half', Buffer.from('half'));
  rmSync(store.settings.storeDir, { recursive: true });
  await assert.rejects(upload.commit(), GONE);
  assert.throws(() => store.storage.createUpload({ key: keyOf('new'), size: 1, type: null }), GONE);
  mkdirSync(store.settings.storeDir);
  assert.throws(() => store.storage.createUpload({ key: keyOf('new'), size: 1, type: null }), GONE);
  assert.deepEqual(readdirSync(store.settings.storeDir), [], 'nothing is written into the folder that took its place');
});

test('F31 what is received while the store is moved away lands in the store, not beside it', async () => {
  const upload = stage(store.storage, 'a/moved', Buffer.from('moved'));
  renameSync(store.settings.storeDir, `${store.settings.storeDir}.moved`);
  mkdirSync(store.settings.storeDir);
  await upload.commit();
  assert.deepEqual(readdirSync(store.settings.storeDir), []);
  assert.ok(existsSync(`${store.settings.storeDir}.moved/a/moved`));
});
