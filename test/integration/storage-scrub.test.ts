/** F34: files whose bits have flipped are found among all others, and nothing else is called damaged. */

import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import type { DamagedContent, ScrubProgress } from '../../src/shared/store-reports.ts';
import { withRoot } from '../../src/workers/storage/own-folders.ts';
import { scrubStore } from '../../src/workers/storage/scrub.ts';
import { decay, flipBit } from '../support/decay.ts';
import { keep, overwrite, readFile, StoreFixture } from '../support/store-fixture.ts';
import { treeOf } from '../support/store-state.ts';

let store: StoreFixture;

beforeEach(() => {
  store = new StoreFixture({ storesDigest: true });
});

afterEach(() => store.remove());

interface Scrubbed {
  readonly total: ScrubProgress;
  readonly damaged: readonly DamagedContent[];
  /** What was found, in short. */
  readonly findings: readonly string[];
}

function scrub(onProgress: (progress: ScrubProgress) => void = () => {}): Scrubbed {
  const damaged: DamagedContent[] = [];
  const listener = { damaged: (content: DamagedContent) => damaged.push(content), progress: onProgress };
  const total = withRoot(store.settings.storeDir, (root) => scrubStore(root, listener));
  return { total, damaged, findings: damaged.map(({ path, reason }) => `${path} ${reason}`).sort() };
}

test('F34 reads current contents, versions and long names, and finds nothing wrong with them', async () => {
  for (const text of ['one', 'second', 'the third']) await overwrite(store.storage, 'a/replaced', text);
  await keep(store.storage, 'n'.repeat(300), 'long name');
  await keep(store.storage, 'empty', '');
  await keep(store.storage, 'large', 'x'.repeat(2_500_000));
  const before = treeOf(store.settings.storeDir);
  const steps: ScrubProgress[] = [];
  const { total, damaged } = scrub((progress) => steps.push(progress));
  assert.deepEqual(damaged, []);
  assert.deepEqual(total, { files: 6, bytes: 18 + 9 + 2_500_000, damaged: 0 });
  assert.ok(steps.length > 6, 'also told within a large file');
  assert.deepEqual(steps.at(-1), total);
  assert.deepEqual(treeOf(store.settings.storeDir), before, 'nothing was changed');
});

test('F34 finds each single bit that flipped, wherever it is, and in versions as well', async () => {
  for (const name of ['first', 'middle', 'last', 'whole']) await keep(store.storage, name, 'x'.repeat(1_500_000));
  await overwrite(store.storage, 'old', 'one');
  await overwrite(store.storage, 'old', 'two');
  const [id = ''] = store.versionsOf('old');
  const { damaged: none } = scrub();
  assert.deepEqual(none, []);
  flipBit(store.pathOf('first'), 0);
  flipBit(store.pathOf('middle'), 1_048_577);
  flipBit(store.pathOf('last'), 1_499_999);
  flipBit(store.versionFile('old', id), 1);
  const { total, damaged, findings } = scrub();
  assert.deepEqual(findings, ['first flipped', 'last flipped', 'middle flipped', 'old flipped']);
  assert.equal(total.damaged, 4);
  const version = damaged.find(({ path }) => path === 'old');
  assert.equal(version?.versionId, id);
  assert.match(version?.expected ?? '', /^7692c3ad3540bb80/);
  assert.notEqual(version?.found, version?.expected);
  flipBit(store.pathOf('first'), 0);
  assert.equal(scrub().total.damaged, 3);
});

test('F34 finds what somebody wrote to a file, although its time says so', async () => {
  await keep(store.storage, 'written', 'content');
  await keep(store.storage, 'longer', 'content');
  await keep(store.storage, 'shorter', 'content');
  writeFileSync(store.pathOf('written'), 'CONTENT', { flag: 'r+' });
  appendFileSync(store.pathOf('longer'), 'x');
  truncateSync(store.pathOf('shorter'), 3);
  assert.deepEqual(scrub().findings, ['longer changed', 'shorter changed', 'written changed']);
});

test('a file that was touched, or put back by a copy, is what was stored', async () => {
  await keep(store.storage, 'touched', 'content');
  const later = Date.now() / 1000 + 60;
  utimesSync(store.pathOf('touched'), later, later);
  const { total, damaged } = scrub();
  assert.deepEqual([total.files, damaged], [1, []]);
});

test('files without a known digest are not read', async () => {
  const plain = new StoreFixture();
  try {
    await keep(plain.storage, 'plain', 'content');
    await keep(plain.storage, 'typed', 'content', 'x/own');
    const total = withRoot(plain.settings.storeDir, (root) =>
      scrubStore(root, { damaged: () => {}, progress: () => {} }),
    );
    assert.deepEqual(total, { files: 0, bytes: 0, damaged: 0 });
  } finally {
    plain.remove();
  }
});

test('F35 records that cannot be read, and such of files that are gone, are no damage', async () => {
  await keep(store.storage, 'gone', 'content');
  await keep(store.storage, 'blank', 'content');
  await keep(store.storage, 'whole', 'content');
  rmSync(store.pathOf('gone'));
  const [blank = ''] = store.recordFiles().filter((path) => path.includes(store.hashOf('blank')));
  writeFileSync(store.pathOf('.hfs/records', blank), '{');
  const { total, damaged } = scrub();
  assert.deepEqual([total.files, damaged], [1, []]);
});

test('what is removed or replaced by hand while it is read is read to its end', async () => {
  await keep(store.storage, 'large', 'x'.repeat(3_000_000));
  const { total, damaged } = scrub(({ bytes }) => {
    if (bytes > 0 && bytes < 3_000_000) rmSync(store.pathOf('large'), { force: true });
  });
  assert.deepEqual([total.files, total.bytes, damaged], [1, 3_000_000, []]);
});

test('a content that took the place of a digested one without a digest of its own is no damage', async () => {
  await overwrite(store.storage, 'file', 'with digest');
  const plain = store.withSettings({ storesDigest: false });
  await overwrite(plain, 'file', 'without', { keepVersions: 0 });
  await overwrite(store.storage, 'kept', 'with digest');
  await overwrite(plain, 'kept', 'without');
  const { total, damaged } = scrub();
  assert.deepEqual([total.files, damaged], [1, []]);
  assert.equal(readFile(store.storage, 'file').text, 'without');
});

test('a record that an upload has written before its content appeared is not compared with the old one', async () => {
  const plain = store.withSettings({ storesDigest: false });
  await overwrite(plain, 'file', 'old');
  await overwrite(store.storage, 'file', 'new');
  // As if it were broken off before its rename: the record is there, the old content is current.
  const [id = ''] = store.versionsOf('file');
  const old = readFileSync(store.versionFile('file', id));
  rmSync(store.pathOf('file'));
  renameSync(store.versionFile('file', id), store.pathOf('file'));
  assert.equal(old.toString(), 'old');
  assert.deepEqual(scrub().damaged, []);
});

test('all bytes of a file can be others, and it is one finding', async () => {
  await keep(store.storage, 'decayed', 'x'.repeat(5_000));
  decay(store.pathOf('decayed'), (bytes) => bytes.fill(0));
  assert.deepEqual(scrub().findings, ['decayed flipped']);
});
