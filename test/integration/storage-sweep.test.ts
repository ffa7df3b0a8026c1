/** The sweep of a real store: what expires, what is left over, and what must not be touched. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { recordName } from '../../src/workers/storage/record.ts';
import { encodeRecord } from '../../src/workers/storage/record-format.ts';
import { hashOf, recordFolders } from '../../src/workers/storage/store-layout.ts';
import { keep, keyOf, readFile, StoreFixture, stage } from '../support/store-fixture.ts';
import { publicTreeOf, treeOf } from '../support/store-state.ts';
import { DAY_SECONDS, HOUR_SECONDS, SweepFixture } from '../support/sweep-fixture.ts';

const NOT_FOUND = { name: 'StorageError', code: 'not-found' };
const LONG = 'n'.repeat(300);

let store: StoreFixture;
let sweep: SweepFixture;

beforeEach(() => {
  store = new StoreFixture();
  sweep = new SweepFixture(store);
});

afterEach(() => {
  mock.timers.reset();
  store.remove();
});

const tree = (): readonly string[] => publicTreeOf(store.settings.storeDir).filter((path) => path !== '.hfs/');

/** Lets an hour and more pass for what looks at the clock, and not for what lies on the disk. */
function letHoursPass(): void {
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 3 * HOUR_SECONDS * 1000 });
}

test('files older than FileTTL are removed with their folders, younger ones stay', async () => {
  for (const path of ['old/file', 'mixed/old', 'mixed/young', 'top-old', 'top-young']) {
    await keep(store.storage, path, 'content');
  }
  sweep.announce(DAY_SECONDS);
  for (const path of ['old/file', 'mixed/old', 'top-old']) sweep.age(path, DAY_SECONDS + 60);
  const { totals, expired } = sweep.pass();
  assert.deepEqual(tree(), ['mixed/', 'mixed/young', 'top-young']);
  assert.deepEqual(
    [totals.files, totals.bytes, totals.expiredFiles, totals.removedFiles, totals.removedBytes, totals.prunedFolders],
    [5, 35, 3, 3, 21, 1],
  );
  assert.deepEqual(
    expired.map(({ fileId, sizeBytes }) => [fileId, sizeBytes]).sort(),
    ['old/file', 'mixed/old', 'top-old'].map((path) => [hashOf(keyOf(path)).slice(0, 12), 7]).sort(),
  );
});

test('a file is not found from its time on, before any pass', async () => {
  await keep(store.storage, 'file', 'content');
  sweep.rule.fileTtlSeconds = DAY_SECONDS;
  sweep.age('file', DAY_SECONDS - 60);
  assert.equal(readFile(store.storage, 'file').text, 'content');
  sweep.age('file', DAY_SECONDS);
  assert.throws(() => readFile(store.storage, 'file'), NOT_FOUND);
  assert.ok(existsSync(store.pathOf('file')));
  sweep.rule.fileTtlSeconds = 2 * DAY_SECONDS;
  assert.equal(readFile(store.storage, 'file').text, 'content', 'a longer FileTTL brings it back');
  sweep.rule.fileTtlSeconds = null;
  assert.equal(readFile(store.storage, 'file').text, 'content');
});

test('a reader is told when the file expires', async () => {
  const { modifiedMs } = await keep(store.storage, 'file', 'content');
  const expiry = (): number | null => {
    const file = store.storage.openFile(keyOf('file'));
    file.close();
    return file.expiresMs;
  };
  assert.equal(expiry(), null);
  sweep.rule.fileTtlSeconds = DAY_SECONDS;
  assert.equal(expiry(), modifiedMs + DAY_SECONDS * 1000);
});

test('without FileTTL nothing expires, however old', async () => {
  await keep(store.storage, 'folder/file', 'content');
  sweep.age('folder/file', 100 * 365 * DAY_SECONDS);
  const { totals } = sweep.pass();
  assert.deepEqual([totals.files, totals.expiredFiles, totals.isAnnouncing], [1, 0, false]);
  assert.deepEqual(tree(), ['folder/', 'folder/file']);
});

test('the first FileTTL, and every shorter one, is announced by a pass that removes nothing', async () => {
  mkdirSync(store.pathOf('empty'));
  for (const [path, days] of [
    ['a', 40],
    ['b', 20],
    ['c', 5],
  ] as const) {
    await keep(store.storage, path, 'content');
    sweep.age(path, days * DAY_SECONDS);
  }
  const first = sweep.announce(30 * DAY_SECONDS);
  assert.deepEqual([first.isAnnouncing, first.expiredFiles, first.expiredBytes, first.removedFiles], [true, 1, 7, 0]);
  assert.deepEqual(tree(), ['a', 'b', 'c', 'empty/'], 'folders are left alone, too');
  assert.equal(sweep.pass().totals.removedFiles, 1);
  const longer = sweep.announce(35 * DAY_SECONDS);
  assert.equal(longer.isAnnouncing, false, 'a longer one removes less');
  const shorter = sweep.announce(10 * DAY_SECONDS);
  assert.deepEqual([shorter.isAnnouncing, shorter.expiredFiles, shorter.removedFiles], [true, 1, 0]);
  assert.deepEqual(tree(), ['b', 'c']);
  assert.equal(sweep.pass().totals.removedFiles, 1);
  sweep.rule.fileTtlSeconds = null;
  sweep.pass();
  assert.equal(sweep.announce(1).isAnnouncing, true, 'after a time without it is a first one again');
  assert.deepEqual(tree(), ['c']);
});

test('F35 an announcement that cannot be read announces nothing', async () => {
  await keep(store.storage, 'old', 'content');
  sweep.age('old', 2 * DAY_SECONDS);
  for (const text of ['', '{', 'null', '{"fileTtlSeconds":"1"}', '\0\u00ff']) {
    writeFileSync(store.pathOf('.hfs/expiry.json'), text);
    assert.equal(sweep.announce(DAY_SECONDS).isAnnouncing, true, text);
  }
  assert.ok(existsSync(store.pathOf('old')));
  assert.equal(sweep.pass().totals.removedFiles, 1);
});

test('a FileTTL that changes during a pass ends the pass', async () => {
  for (let index = 0; index < 20; index += 1) await keep(store.storage, `${index}`, 'x');
  sweep.announce(DAY_SECONDS);
  const first = sweep.portion(10, 0);
  assert.equal(first.isDone, false);
  sweep.rule.fileTtlSeconds = HOUR_SECONDS;
  const next = sweep.portion(10, 1_000);
  assert.deepEqual([next.isDone, next.isComplete], [true, false]);
  assert.equal(JSON.parse(readFileSync(store.pathOf('.hfs/expiry.json'), 'utf8')).fileTtlSeconds, DAY_SECONDS);
});

test('F79 a pass removes at most 5 % of the files, but always 1,000', async () => {
  for (let index = 0; index < 1_200; index += 1) {
    writeFileSync(store.pathOf(`${index}`), '');
    sweep.age(`${index}`, 2 * DAY_SECONDS);
  }
  sweep.announce(DAY_SECONDS);
  const first = sweep.pass(1_200).totals;
  assert.deepEqual([first.expiredFiles, first.removedFiles], [1_200, 1_000]);
  assert.equal(sweep.pass(1_200).totals.removedFiles, 200);
  for (let index = 0; index < 1_200; index += 1) {
    writeFileSync(store.pathOf(`${index}`), '');
    sweep.age(`${index}`, 2 * DAY_SECONDS);
  }
  assert.equal(sweep.pass(22_000).totals.removedFiles, 1_100);
});

test('links are never followed, and what is no regular file stays', async () => {
  const outside = `${store.folder}/outside`;
  mkdirSync(outside);
  writeFileSync(`${outside}/file`, 'content');
  mkdirSync(store.pathOf('folder'));
  symlinkSync(outside, store.pathOf('folder/link-to-folder'));
  symlinkSync(`${outside}/file`, store.pathOf('folder/link-to-file'));
  symlinkSync('nowhere', store.pathOf('folder/dangling'));
  sweep.announce(1);
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 1800 * 1000 });
  const { totals } = sweep.pass();
  assert.deepEqual([totals.files, totals.removedFiles], [0, 0]);
  assert.deepEqual(treeOf(outside), ['file']);
  assert.deepEqual(tree(), ['folder/', 'folder/dangling@', 'folder/link-to-file@', 'folder/link-to-folder@']);
});

test('records go with their file, and other files keep theirs', async () => {
  for (const path of ['old', 'young', LONG]) await keep(store.storage, path, 'content', 'x/own');
  sweep.announce(DAY_SECONDS);
  const hash = hashOf(keyOf('old'));
  sweep.age('old', 2 * DAY_SECONDS);
  sweep.pass();
  assert.equal(existsSync(store.pathOf('.hfs/records', hash.slice(0, 2), hash)), false);
  assert.equal(store.recordFiles().length, 2);
  assert.equal(readFile(store.storage, 'young').info.type, 'x/own');
  assert.equal(readFile(store.storage, LONG).info.type, 'x/own');
});

test('long names expire like others, and take their record along', async () => {
  await keep(store.storage, LONG, 'content');
  const hash = hashOf(keyOf(LONG));
  sweep.announce(DAY_SECONDS);
  sweep.age(LONG, 2 * DAY_SECONDS);
  assert.equal(sweep.pass().totals.removedFiles, 1);
  assert.throws(() => readFile(store.storage, LONG), NOT_FOUND);
  assert.deepEqual(store.recordFiles(), []);
  assert.deepEqual(readdirSync(store.pathOf('.hfs/long', hash.slice(0, 2))), []);
});

test('a content with an expiry of its own is not found from then on, and removed without an announcement', async () => {
  const expiresAtMs = Date.now() + 60_000;
  const upload = store.storage.createUpload({ key: keyOf('own/file'), size: 4, type: null, expiresAtMs });
  upload.write(Buffer.from('text'));
  await upload.commit();
  assert.equal(readFile(store.storage, 'own/file').text, 'text');
  assert.equal(sweep.pass().totals.removedFiles, 0);
  mock.timers.enable({ apis: ['Date'], now: expiresAtMs - 1 });
  assert.equal(readFile(store.storage, 'own/file').text, 'text');
  mock.timers.setTime(expiresAtMs);
  assert.throws(() => readFile(store.storage, 'own/file'), NOT_FOUND);
  const { totals, expired } = sweep.pass();
  assert.deepEqual([totals.removedFiles, expired.length], [1, 1]);
  assert.equal(existsSync(store.pathOf('own/file')), false);
  assert.deepEqual(store.recordFiles(), []);
  sweep.pass();
  assert.deepEqual(tree(), []);
});

test('the earlier of FileTTL and the own expiry counts', async () => {
  const far = Date.now() + 1_000 * DAY_SECONDS * 1000;
  await store.storage.createUpload({ key: keyOf('file'), size: 0, type: null, expiresAtMs: far }).commit();
  sweep.rule.fileTtlSeconds = DAY_SECONDS;
  sweep.age('file', DAY_SECONDS - 60);
  assert.equal(readFile(store.storage, 'file').text, '');
  sweep.age('file', DAY_SECONDS + 60);
  assert.throws(() => readFile(store.storage, 'file'), NOT_FOUND);
  sweep.rule.fileTtlSeconds = null;
  assert.equal(readFile(store.storage, 'file').text, '');
});

test('versions go with their file', async () => {
  for (const text of ['first', 'second', 'third']) await keepVersion('folder/file', text);
  const hash = hashOf(keyOf('folder/file'));
  const versions = store.pathOf('.hfs/versions', hash.slice(0, 2), hash);
  assert.equal(readdirSync(versions).filter((name) => name !== 'path').length, 2);
  sweep.announce(DAY_SECONDS);
  sweep.age('folder/file', 2 * DAY_SECONDS);
  sweep.pass();
  assert.equal(existsSync(versions), false);
  assert.deepEqual(store.recordFiles(), []);
  assert.deepEqual(tree(), []);
});

test('F05 versions and records whose file is gone are removed: a deletion that was broken off is finished', async () => {
  for (const text of ['first', 'second']) await keepVersion('file', text);
  await keep(store.storage, 'typed', 'content', 'x/own');
  for (const name of ['file', 'typed']) rmSync(store.pathOf(name));
  assert.equal(sweep.pass().totals.leftovers, 1);
  const shards = readdirSync(store.pathOf('.hfs/versions'), { recursive: true });
  assert.equal(shards.length, 1, 'versions are removed at once');
  assert.equal(store.recordFiles().length, 2, 'records when no upload can be about to use them');
  letHoursPass();
  assert.equal(sweep.pass().totals.leftovers, 2);
  assert.deepEqual(store.recordFiles(), []);
});

test('an upload that is being received, and one that is about to commit, lose nothing to a pass', async () => {
  const received = stage(store.storage, 'received/file', Buffer.from('received'), 'x/own');
  sweep.announce(1);
  sweep.pass();
  await received.commit();
  sweep.rule.fileTtlSeconds = null;
  assert.equal(readFile(store.storage, 'received/file').info.type, 'x/own');
  const hash = hashOf(keyOf('committing'));
  const record = store.pathOf(...recordFolders(hash), recordName(1n, 1));
  mkdirSync(dirname(record), { recursive: true });
  writeFileSync(
    record,
    encodeRecord({
      path: 'committing',
      type: 'x/own',
      sha256: null,
      expiresMs: null,
      owner: null,
      usableUntilMs: null,
    }),
  );
  sweep.pass();
  assert.ok(existsSync(record), 'its content may get its name in the next moment');
});

test('staging files of lanes that died, and contents that nobody can ask for, are left over after an hour', async () => {
  writeFileSync(store.pathOf('.hfs/staging/0123456789abcdef.dead'), 'x');
  const shard = store.pathOf('.hfs/long/ab');
  mkdirSync(shard);
  writeFileSync(`${shard}/${'ab'.repeat(32)}`, 'x');
  assert.equal(sweep.pass().totals.leftovers, 0);
  letHoursPass();
  assert.equal(sweep.pass().totals.leftovers, 2);
  assert.deepEqual(store.stagingFiles(), []);
  assert.deepEqual(readdirSync(shard), []);
});

async function keepVersion(path: string, text: string): Promise<void> {
  const order = { key: keyOf(path), size: text.length, type: 'x/own', keepVersions: 5 };
  const upload = store.storage.createUpload(order);
  upload.write(Buffer.from(text));
  await upload.commit();
}
