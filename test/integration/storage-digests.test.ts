/** StoreDigest: the SHA-256 of what is written is kept beside it, and stands for the bytes where both are known. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { after, test } from 'node:test';
import { FilesystemStorage } from '../../src/workers/storage/filesystem-storage.ts';
import { recordName } from '../../src/workers/storage/record.ts';
import { decodeRecord } from '../../src/workers/storage/record-format.ts';
import { recordFolders } from '../../src/workers/storage/store-layout.ts';
import { decay } from '../support/decay.ts';
import { keep, keyOf, overwrite, readFile, StoreFixture } from '../support/store-fixture.ts';

const store = new StoreFixture({ storesDigest: true });
const { storage } = store;
after(() => store.remove());

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** What is kept of the content that lies there now. */
function digestOf(path: string, file = store.pathOf(path)): string | null {
  const { mtimeNs, size } = statSync(file, { bigint: true });
  const record = store.pathOf(...recordFolders(store.hashOf(path)), recordName(mtimeNs, size));
  return decodeRecord(readFileSync(record, 'utf8'))?.sha256 ?? null;
}

test('the digest of an upload is that of its bytes, in whatever pieces they came', async () => {
  const upload = storage.createUpload({ key: keyOf('pieces'), size: 300_000, type: null });
  const bytes = Buffer.alloc(300_000, 'piece of a file ');
  for (let offset = 0; offset < bytes.length; offset += 7_001) upload.write(bytes.subarray(offset, offset + 7_001));
  await upload.commit();
  assert.equal(digestOf('pieces'), sha256(bytes));
  await keep(storage, 'empty', '');
  assert.equal(digestOf('empty'), sha256(''));
  await keep(storage, 'typed', 'x', 'x/own');
  assert.deepEqual([digestOf('typed'), readFile(storage, 'typed').info.type], [sha256('x'), 'x/own']);
});

test('a version keeps its digest', async () => {
  await overwrite(storage, 'replaced', 'one');
  await overwrite(storage, 'replaced', 'two');
  const [id = ''] = store.versionsOf('replaced');
  assert.equal(digestOf('replaced', store.versionFile('replaced', id)), sha256('one'));
  assert.equal(digestOf('replaced'), sha256('two'));
});

test('the same digest is the same content, without reading it', async () => {
  await overwrite(storage, 'same', 'content');
  decay(store.pathOf('same'), (bytes) => bytes.fill('CONTENT'));
  assert.equal((await overwrite(storage, 'same', 'content')).replaced, null);
  assert.equal(readFileSync(store.pathOf('same'), 'utf8'), 'CONTENT');
  assert.notEqual((await overwrite(storage, 'same', 'cOntent')).replaced, null);
});

test('without a digest of the stored content its bytes are compared', async () => {
  const plain = new StoreFixture();
  after(() => plain.remove());
  await keep(plain.storage, 'file', 'content');
  const other = new FilesystemStorage({ ...plain.settings, storesDigest: true }, 1);
  assert.equal((await overwrite(other, 'file', 'content')).replaced, null);
  assert.notEqual((await overwrite(other, 'file', 'CONTENT')).replaced, null);
});
