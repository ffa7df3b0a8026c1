/** Replacing files: what is kept, in which order, what goes, and what never happens in between. Real folders. */

import assert from 'node:assert/strict';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { after, describe, it } from 'node:test';
import { recordName } from '../../src/workers/storage/record.ts';
import { keep, keyOf, overwrite, readFile, StoreFixture, stage } from '../support/store-fixture.ts';
import { treeOf } from '../support/store-state.ts';

const failure = (code: string): { name: string; code: string } => ({ name: 'StorageError', code });
const TYPE = 'application/x-own';
const LONG = 'n'.repeat(300);

function textsOf(store: StoreFixture, path: string): readonly string[] {
  return store.versionsOf(path).map((id) => readFileSync(store.versionFile(path, id), 'utf8'));
}

function recordFileOf(file: string): string {
  const { mtimeNs, size } = statSync(file, { bigint: true });
  return recordName(mtimeNs, size);
}

const durabilities = ['full', 'file', 'none'] as const;

for (const durability of durabilities) {
  describe(`versions, Durability = ${durability}: what is kept`, () => {
    const store = new StoreFixture({ durability });
    const { storage } = store;
    after(() => store.remove());

    it('keeps what is replaced, oldest first, and says so', async () => {
      const first = await overwrite(storage, 'a/file', 'one');
      assert.equal(first.replaced, null);
      const second = await overwrite(storage, 'a/file', 'second');
      const third = await overwrite(storage, 'a/file', 'the third');
      assert.deepEqual(third.file, { size: 9, sha256: null });
      assert.equal(readFile(storage, 'a/file').text, 'the third');
      assert.deepEqual(textsOf(store, 'a/file'), ['one', 'second']);
      const ids = store.versionsOf('a/file');
      assert.deepEqual(second.replaced, { versionId: ids[0], size: 3, removedVersions: [] });
      assert.deepEqual(third.replaced, { versionId: ids[1], size: 6, removedVersions: [] });
      assert.deepEqual(store.stagingFiles(), []);
    });

    it('says beside the versions whose they are', () => {
      assert.equal(readFileSync(store.versionFile('a/file', 'path'), 'utf8'), 'a/file');
    });

    it('gives every content of a name a later time than the one before, also when the clock has gone back', async () => {
      await keep(storage, 'later', 'x');
      const future = Date.now() / 1000 + 86_400;
      utimesSync(store.pathOf('later'), future, future);
      const seen = [readFile(storage, 'later').info];
      for (let index = 0; index < 5; index += 1) {
        await overwrite(storage, 'later', `${index}`);
        seen.push(readFile(storage, 'later').info);
      }
      const times = seen.map(({ validator }) => BigInt(`0x${validator.split('-')[0]}`));
      for (const [index, time] of times.entries()) assert.ok(index === 0 || time > (times[index - 1] ?? 0n));
      assert.equal(new Set(seen.map(({ validator }) => validator)).size, 6);
      assert.equal(store.versionsOf('later').length, 5);
    });

    it('F75 gives later ids when the clock has gone back', async () => {
      await overwrite(storage, 'clock', 'zero');
      await overwrite(storage, 'clock', 'one');
      const [id = ''] = store.versionsOf('clock');
      const future = `0${Date.now() + 86_400_000}-000000`;
      linkSync(store.versionFile('clock', id), store.versionFile('clock', future));
      await overwrite(storage, 'clock', 'two');
      assert.equal(store.versionsOf('clock').at(-1), future.replace('-000000', '-000001'));
    });

    it('keeps the record of a version readable, and that of the current content apart', async () => {
      await overwrite(storage, 'typed', 'one', { type: 'x/one' });
      const record = recordFileOf(store.pathOf('typed'));
      await overwrite(storage, 'typed', 'two', { type: 'x/two' });
      const [id = ''] = store.versionsOf('typed');
      assert.equal(recordFileOf(store.versionFile('typed', id)), record);
      assert.ok(store.recordFiles().some((path) => path.endsWith(`/${record}`)));
      assert.equal(readFile(storage, 'typed').info.type, 'x/two');
    });
  });

  describe(`versions, Durability = ${durability}: what goes`, () => {
    const store = new StoreFixture({ durability });
    const { storage } = store;
    after(() => store.remove());

    it('removes the oldest beyond the limit after the commit, and their records', async () => {
      for (let index = 0; index < 4; index += 1) await overwrite(storage, 'trim', `${index}`, { type: TYPE });
      const before = store.versionsOf('trim');
      const { replaced } = await overwrite(storage, 'trim', 'last', { type: TYPE, keepVersions: 2 });
      assert.deepEqual(textsOf(store, 'trim'), ['2', '3']);
      assert.deepEqual(replaced?.removedVersions, before.slice(0, 2));
      const records = store.recordFiles().filter((path) => path.includes(store.hashOf('trim')));
      const files = [store.pathOf('trim'), ...store.versionsOf('trim').map((id) => store.versionFile('trim', id))];
      assert.deepEqual(
        records.map((path) => path.slice(path.lastIndexOf('/') + 1)).sort(),
        files.map(recordFileOf).sort(),
      );
    });

    it('keeps none when none are to be kept, nor records of what is gone', async () => {
      await overwrite(storage, 'none', 'one', { keepVersions: 0, type: TYPE });
      const { replaced } = await overwrite(storage, 'none', 'second', { keepVersions: 0, type: TYPE });
      assert.deepEqual(replaced, { versionId: null, size: 3, removedVersions: [] });
      assert.deepEqual(store.versionsOf('none'), []);
      assert.equal(readFile(storage, 'none').text, 'second');
      assert.equal(readFile(storage, 'none').info.type, TYPE);
      assert.equal(store.recordFiles().filter((path) => path.includes(store.hashOf('none'))).length, 1);
    });

    it('removes all versions with the first upload after they are not wanted any more', async () => {
      for (let index = 0; index < 3; index += 1) await overwrite(storage, 'off', `${index}`);
      const ids = store.versionsOf('off');
      const { replaced } = await overwrite(storage, 'off', 'last', { keepVersions: 0 });
      assert.deepEqual(replaced, { versionId: null, size: 1, removedVersions: ids });
      assert.deepEqual(store.versionsOf('off'), []);
    });

    it('keeps nothing open', async () => {
      await overwrite(storage, 'open', 'warm');
      const before = readdirSync('/proc/self/fd').length;
      for (let index = 0; index < 20; index += 1) {
        await overwrite(storage, 'open', `${index % 7}`, { type: TYPE, keepVersions: 2 });
        await overwrite(storage, 'open', `${index % 7}`, { type: TYPE });
      }
      assert.equal(readdirSync('/proc/self/fd').length, before);
    });
  });

  describe(`versions, Durability = ${durability}: the same content, long names, empty files`, () => {
    const store = new StoreFixture({ durability });
    const { storage } = store;
    after(() => store.remove());

    it('changes nothing when the content and its type are the same, not even its time', async () => {
      const { file } = await overwrite(storage, 'same', 'content', { type: TYPE });
      const { info } = readFile(storage, 'same');
      const again = await overwrite(storage, 'same', 'content', { type: TYPE });
      assert.deepEqual(again, { file, replaced: null, storedBytes: 0, freedBytes: 0 });
      assert.deepEqual(readFile(storage, 'same').info, info);
      assert.deepEqual(store.versionsOf('same'), []);
      assert.equal(store.recordFiles().filter((path) => path.includes(store.hashOf('same'))).length, 1);
      assert.notEqual((await overwrite(storage, 'same', 'content', { type: 'x/other' })).replaced, null);
      assert.notEqual((await overwrite(storage, 'same', 'CONTENT', { type: 'x/other' })).replaced, null);
      assert.deepEqual(store.stagingFiles(), []);
    });

    it('tells contents of several pieces apart that differ in their last byte alone', async () => {
      const bytes = Buffer.alloc(700_000, 'x');
      await overwrite(storage, 'large', bytes);
      assert.equal((await overwrite(storage, 'large', bytes)).replaced, null);
      bytes[699_999] = 0;
      assert.notEqual((await overwrite(storage, 'large', bytes)).replaced, null);
      assert.equal(statSync(store.pathOf('large')).size, 700_000);
    });

    it('replaces a file of no bytes, and by one', async () => {
      await overwrite(storage, 'empty', '');
      assert.equal((await overwrite(storage, 'empty', '')).replaced, null);
      await overwrite(storage, 'empty', 'x');
      await overwrite(storage, 'empty', '');
      assert.deepEqual(textsOf(store, 'empty'), ['', 'x']);
      assert.equal(readFile(storage, 'empty').text, '');
    });

    it('replaces files with long names, and finds each content', async () => {
      for (const text of ['one', 'two', 'three']) await overwrite(storage, LONG, text);
      assert.equal(readFile(storage, LONG).text, 'three');
      assert.deepEqual(textsOf(store, LONG), ['one', 'two']);
    });
  });

  describe(`versions, Durability = ${durability}: competition`, () => {
    const store = new StoreFixture({ durability });
    const { storage } = store;
    after(() => store.remove());

    it('F75 takes uploads to one name in turn, each kept, whichever lane they are in', async () => {
      const neighbour = store.neighbour();
      const results = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          overwrite(index % 2 === 0 ? storage : neighbour, 'crowd', `content ${index}`),
        ),
      );
      const current = readFile(storage, 'crowd').text;
      const kept = textsOf(store, 'crowd');
      assert.equal(kept.length, 39);
      assert.equal(new Set([...kept, current]).size, 40);
      assert.equal(new Set(results.map(({ replaced }) => replaced?.versionId)).size, 40);
      const times = store
        .versionsOf('crowd')
        .map((id) => statSync(store.versionFile('crowd', id), { bigint: true }).mtimeNs);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => (a < b ? -1 : 1)),
      );
    });

    it('F76 serves an open file to its end while it is replaced', async () => {
      await overwrite(storage, 'held', 'old content');
      const file = storage.openFile(keyOf('held'));
      await overwrite(storage, 'held', 'new', { keepVersions: 0 });
      const bytes = new Uint8Array(11);
      assert.equal(file.read(bytes, 0), 11);
      assert.equal(Buffer.from(bytes).toString(), 'old content');
      file.close();
    });
  });

  describe(`versions, Durability = ${durability}: obstacles`, () => {
    const store = new StoreFixture({ durability });
    const { storage } = store;
    after(() => store.remove());

    it('does not replace what is no file, nor what lies behind a link', async () => {
      mkdirSync(store.pathOf('folder'));
      assert.throws(
        () => storage.createUpload({ key: keyOf('folder'), size: 1, type: null, keepVersions: 1 }),
        failure('path-conflict'),
      );
      await keep(storage, 'target', 'x');
      symlinkSync('target', store.pathOf('link'));
      await assert.rejects(overwrite(storage, 'link', 'x'), failure('path-conflict'));
      const late = storage.createUpload({ key: keyOf('late'), size: 1, type: TYPE, keepVersions: 1 });
      late.write(Buffer.from('x'));
      mkdirSync(store.pathOf('late'));
      const before = store.recordFiles();
      await assert.rejects(late.commit(), failure('exists'));
      assert.deepEqual(store.recordFiles(), before);
      assert.deepEqual(store.stagingFiles(), []);
    });

    it('F03 uses the entry again that an attempt left which was broken off before the rename', async () => {
      await overwrite(storage, 'broken', 'one');
      await overwrite(storage, 'broken', 'two');
      const leftover = `0${Date.now() + 1_000}-000000`;
      linkSync(store.pathOf('broken'), store.versionFile('broken', leftover));
      const { replaced } = await overwrite(storage, 'broken', 'three');
      assert.equal(replaced?.versionId, leftover);
      assert.deepEqual(textsOf(store, 'broken'), ['one', 'two']);
      const inodes = store.versionsOf('broken').map((id) => statSync(store.versionFile('broken', id)).ino);
      assert.equal(new Set([...inodes, statSync(store.pathOf('broken')).ino]).size, 3);
    });

    it('leaves the old content current, and no version of it, when the new one cannot take its place', async () => {
      await overwrite(storage, 'blocked/file', 'old');
      const hash = store.hashOf('blocked/file');
      // A file where the folder of the versions has to be.
      mkdirSync(store.pathOf('.hfs/versions', hash.slice(0, 2)), { recursive: true });
      writeFileSync(store.pathOf('.hfs/versions', hash.slice(0, 2), hash), '');
      const before = treeOf(store.settings.storeDir);
      await assert.rejects(overwrite(storage, 'blocked/file', 'new', { type: TYPE }), failure('path-conflict'));
      assert.deepEqual(
        treeOf(store.settings.storeDir).filter((path) => !before.includes(path) && !path.endsWith('/')),
        [],
      );
      assert.equal(readFile(storage, 'blocked/file').text, 'old');
    });

    it('an upload without versioning still finds the slot used', async () => {
      await overwrite(storage, 'a/file', 'x');
      assert.throws(() => stage(storage, 'a/file', Buffer.from('x')), failure('exists'));
    });
  });
}
