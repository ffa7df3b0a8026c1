/** Old contents, listed and made current again: an ordinary upload by the server itself. */

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { withRoot } from '../../src/workers/storage/own-folders.ts';
import { historyOf } from '../../src/workers/storage/versions/file-history.ts';
import { restoreVersion } from '../../src/workers/storage/versions/restore-version.ts';
import { flipBit } from '../support/decay.ts';
import { keep, keyOf, overwrite, readFile, StoreFixture } from '../support/store-fixture.ts';
import { treeOf } from '../support/store-state.ts';

const PATH = 'folder/file';

let store: StoreFixture;

beforeEach(async () => {
  store = new StoreFixture({ storesDigest: true });
  for (const text of ['first', 'second', 'the third']) {
    await overwrite(store.storage, PATH, text, { type: `x/${text.replace(' ', '-')}` });
  }
});

afterEach(() => store.remove());

const restore = (id: string, path = PATH): ReturnType<typeof restoreVersion> =>
  restoreVersion(store.storage, keyOf(path), id);

const contents = (): readonly string[] =>
  store.versionsOf(PATH).map((id) => readFileSync(store.versionFile(PATH, id), 'utf8'));

test('the history of a file names all of its contents, oldest first', () => {
  const { current, versions } = withRoot(store.settings.storeDir, (root) => historyOf(root, keyOf(PATH)));
  assert.deepEqual(
    versions.map(({ id }) => id),
    store.versionsOf(PATH),
  );
  assert.deepEqual(
    [...versions, current].map((facts) => [facts?.sizeBytes, facts?.type]),
    [
      [5, 'x/first'],
      [6, 'x/second'],
      [9, 'x/the-third'],
    ],
  );
  assert.match(versions[0]?.sha256 ?? '', /^a7937b64b8caa58f/);
  assert.ok(Math.abs((versions[0]?.replacedMs ?? 0) - Date.now()) < 60_000);
  assert.deepEqual(
    withRoot(store.settings.storeDir, (root) => historyOf(root, keyOf('none'))),
    { current: null, versions: [] },
  );
});

test('a restored version is current with its type, stays a version, and what it replaced is one, too', async () => {
  const [id = ''] = store.versionsOf(PATH);
  const before = readFile(store.storage, PATH).info;
  const outcome = await restore(id);
  const ids = store.versionsOf(PATH);
  const replaced = { versionId: ids.at(-1), size: 9, removedVersions: [] };
  assert.deepEqual(outcome, { kind: 'restored', sizeBytes: 5, replaced });
  const { info, text } = readFile(store.storage, PATH);
  assert.deepEqual([text, info.type], ['first', 'x/first']);
  assert.notEqual(info.validator, before.validator);
  assert.deepEqual(contents(), ['first', 'second', 'the third']);
  const inodes = [store.pathOf(PATH), ...ids.map((name) => store.versionFile(PATH, name))].map(
    (file) => statSync(file).ino,
  );
  assert.equal(new Set(inodes).size, 4, 'no inode twice');
  assert.deepEqual(store.stagingFiles(), []);
});

test('restoring what is current already changes nothing', async () => {
  const [id = ''] = store.versionsOf(PATH);
  await restore(id);
  const before = treeOf(store.settings.storeDir);
  assert.deepEqual(await restore(id), { kind: 'restored', sizeBytes: 5, replaced: null });
  assert.deepEqual(treeOf(store.settings.storeDir), before);
});

test('versions can be restored one after the other, a large one and an empty one as well', async () => {
  const large = 'large '.repeat(500_000);
  await overwrite(store.storage, 'sizes', large);
  await overwrite(store.storage, 'sizes', '');
  await overwrite(store.storage, 'sizes', 'x');
  const [first = '', second = ''] = store.versionsOf('sizes');
  for (const [id, text] of [
    [first, large],
    [second, ''],
    [first, large],
  ] as const) {
    assert.equal((await restore(id, 'sizes')).kind, 'restored');
    assert.equal(readFile(store.storage, 'sizes').text, text);
  }
});

test('what is no version of this file is none, whatever it looks like', async () => {
  await overwrite(store.storage, 'other', 'one');
  await overwrite(store.storage, 'other', 'two');
  const [foreign = ''] = store.versionsOf('other');
  const before = treeOf(store.settings.storeDir);
  for (const id of [foreign.replace(/.$/, '9'), '', 'path', '../..', `../../../../${PATH}`, '00000000000000-000000']) {
    assert.deepEqual(await restore(id), { kind: 'no-such-version' }, id);
  }
  assert.deepEqual(await restore(foreign, 'none'), { kind: 'no-such-version' });
  assert.deepEqual(treeOf(store.settings.storeDir), before);
});

test('F34 a version whose bits have flipped does not become current', async () => {
  const [id = ''] = store.versionsOf(PATH);
  flipBit(store.versionFile(PATH, id), 2);
  const before = treeOf(store.settings.storeDir);
  assert.deepEqual(await restore(id), { kind: 'damaged' });
  assert.equal(readFile(store.storage, PATH).text, 'the third');
  assert.deepEqual(treeOf(store.settings.storeDir), before);
});

test('versions without digests are restored as they are', async () => {
  const plain = store.withSettings({ storesDigest: false });
  await keep(plain, 'plain', 'one');
  await overwrite(plain, 'plain', 'two');
  const [id = ''] = store.versionsOf('plain');
  assert.equal((await restore(id, 'plain')).kind, 'restored');
  assert.equal(readFile(store.storage, 'plain').text, 'one');
});
