/**
 * What a crash leaves of an overwrite, state by state (storage-commit §7), and what a lower MaxVersions leaves: the next
 * start brings it in order, and touches nothing else.
 */

import assert from 'node:assert/strict';
import { linkSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { JOBS_HOLDER, PathLocks } from '../../src/shared/path-locks.ts';
import { withRoot } from '../../src/workers/storage/own-folders.ts';
import { recordName } from '../../src/workers/storage/record.ts';
import { encodeRecord } from '../../src/workers/storage/record-format.ts';
import { recoverStore } from '../../src/workers/storage/recover-store.ts';
import { recordFolders, stagingName } from '../../src/workers/storage/store-layout.ts';
import { tidyVersions } from '../../src/workers/storage/versions/tidy-versions.ts';
import { overwrite, readFile, StoreFixture } from '../support/store-fixture.ts';

const PATH = 'folder/file';
const TYPE = 'application/x-own';

let store: StoreFixture;

/** Three contents: two versions and the current one, each with a record. */
beforeEach(async () => {
  store = new StoreFixture();
  for (const text of ['first', 'second', 'the third']) await overwrite(store.storage, PATH, text, { type: TYPE });
});

afterEach(() => store.remove());

function recover(): void {
  recoverStore(store.settings.storeDir);
}

function locks(): PathLocks {
  return new PathLocks(store.settings.pathLocks, JOBS_HOLDER);
}

function tidyAll(keep: number | null): readonly string[] {
  return withRoot(store.settings.storeDir, (root) => {
    const removed: string[] = [];
    for (let after: string | null = null; ; ) {
      const tidied = tidyVersions(root, locks(), { after, keep });
      removed.push(...tidied.removed.map(({ path, versionId }) => `${path} ${versionId}`));
      if (tidied.shard === null) return removed;
      after = tidied.shard;
    }
  });
}

function leaveStaging(text: string): string {
  const path = store.pathOf('.hfs/staging', stagingName(store.hashOf(PATH), 'unfinished'));
  writeFileSync(path, text);
  return path;
}

function leaveRecordOf(file: string): void {
  const { mtimeNs, size } = statSync(file, { bigint: true });
  const path = store.pathOf(...recordFolders(store.hashOf(PATH)), recordName(mtimeNs, size));
  writeFileSync(
    path,
    encodeRecord({ path: PATH, type: 'x/new', sha256: null, expiresMs: null, owner: null, usableUntilMs: null }),
  );
}

/** The entry that an overwrite makes before its rename. */
function leaveVersionOfCurrent(): string {
  const id = `0${Date.now() + 1_000}-000000`;
  linkSync(store.pathOf(PATH), store.versionFile(PATH, id));
  return id;
}

function contents(): readonly string[] {
  const old = store.versionsOf(PATH).map((id) => readFileSync(store.versionFile(PATH, id), 'utf8'));
  return [...old, readFile(store.storage, PATH).text];
}

/** Each content has its own record, and there is no other. */
function assertDescribed(): void {
  const files = [store.pathOf(PATH), ...store.versionsOf(PATH).map((id) => store.versionFile(PATH, id))];
  const names = files.map((file) => {
    const { mtimeNs, size } = statSync(file, { bigint: true });
    return recordName(mtimeNs, size);
  });
  assert.deepEqual(
    store
      .recordFiles()
      .map((path) => path.slice(path.lastIndexOf('/') + 1))
      .sort(),
    names.sort(),
  );
}

test('F03 broken off with a record for the new content: the record goes, those of the versions stay', () => {
  leaveRecordOf(leaveStaging('new content'));
  recover();
  assert.deepEqual(contents(), ['first', 'second', 'the third']);
  assertDescribed();
  assert.deepEqual(store.stagingFiles(), []);
});

test('F03 broken off between link and rename: the entry of the current content goes', () => {
  leaveRecordOf(leaveStaging('new content'));
  leaveVersionOfCurrent();
  recover();
  assert.deepEqual(contents(), ['first', 'second', 'the third']);
  assertDescribed();
  recover();
  assert.deepEqual(contents(), ['first', 'second', 'the third']);
});

test('F03 broken off after the rename: the new content is current, and nothing is missing', () => {
  const staging = leaveStaging('new content');
  leaveRecordOf(staging);
  leaveVersionOfCurrent();
  renameSync(staging, store.pathOf(PATH));
  recover();
  assert.deepEqual(contents(), ['first', 'second', 'the third', 'new content']);
  assert.equal(readFile(store.storage, PATH).info.type, 'x/new');
  assertDescribed();
});

test('F03 broken off before the record of a content that is not kept was removed: it goes', async () => {
  tidyAll(0);
  const staging = leaveStaging('new content');
  leaveRecordOf(staging);
  const witness = store.pathOf('.hfs/staging', stagingName(store.hashOf(PATH), 'witness'));
  linkSync(store.pathOf(PATH), witness);
  renameSync(staging, store.pathOf(PATH));
  recover();
  assert.deepEqual(contents(), ['new content']);
  assertDescribed();
  assert.deepEqual(store.stagingFiles(), []);
});

test('an upload that was cut does not cost a file its versions', () => {
  leaveStaging('half of it');
  recover();
  assert.deepEqual(contents(), ['first', 'second', 'the third']);
  assertDescribed();
});

test('F03 without a trace in the staging folder the entry of the current content goes in the background', () => {
  leaveVersionOfCurrent();
  assert.deepEqual(tidyAll(null), []);
  assert.deepEqual(contents(), ['first', 'second', 'the third']);
  assertDescribed();
});

test('F10 more versions than are kept are removed, the oldest first, with their records', async () => {
  await overwrite(store.storage, 'other', 'one');
  const [oldest] = store.versionsOf(PATH);
  assert.deepEqual(tidyAll(1), [`${PATH} ${oldest}`]);
  assert.deepEqual(contents(), ['second', 'the third']);
  assertDescribed();
  assert.deepEqual(tidyAll(1), []);
});

test('files that have a second name elsewhere, as in a backup by links, keep their versions', () => {
  for (const id of store.versionsOf(PATH)) linkSync(store.versionFile(PATH, id), store.pathOf(`../backup-${id}`));
  assert.deepEqual(tidyAll(null), []);
  leaveStaging('half of it');
  recover();
  assert.deepEqual(contents(), ['first', 'second', 'the third']);
});

test('F75 a file that is being replaced is left alone', async () => {
  const release = await new PathLocks(store.settings.pathLocks, 0).acquire(store.hashOf(PATH));
  assert.deepEqual(tidyAll(0), []);
  release();
  assert.equal(tidyAll(0).length, 2);
});

test('a text beside the versions that is not whole loses nothing but the repair', () => {
  writeFileSync(store.versionFile(PATH, 'path'), 'folder/fi');
  for (const name of store.recordFiles()) writeFileSync(store.pathOf('.hfs/records', name), '');
  leaveVersionOfCurrent();
  assert.deepEqual(tidyAll(null), []);
  assert.deepEqual(contents(), ['first', 'second', 'the third', 'the third']);
});
