/** Folder syncs are shared, but never with a sync that had begun before: it may have passed the new entry already. */

import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { SharedCount } from '../../src/shared/shared-count.ts';
import type { Folder } from '../../src/workers/storage/folder.ts';
import { FolderSync, syncContent } from '../../src/workers/storage/folder-sync.ts';

const FAILED = { name: 'StorageError', code: 'io' };

let path: string;
let folder: Folder;
/** Counts the folders that any thread has removed. */
const prunedFolders = new SharedCount(SharedCount.allocate(1), 0);

const newSyncs = (): FolderSync => new FolderSync(prunedFolders);

/** The same folder by a descriptor that is closed: a sync that really runs on it fails. */
let broken: Folder;

before(() => {
  path = mkdtempSync(join(tmpdir(), 'hmac-folder-sync-'));
  folder = { fd: openSync(path, 'r'), path: '/same' };
  const fd = openSync(path, 'r');
  closeSync(fd);
  broken = { fd: fd + 1_000, path: '/same' };
});

after(() => {
  closeSync(folder.fd);
  rmSync(path, { recursive: true, force: true });
});

test('who comes while a sync runs waits for the next one, not for the running one', async () => {
  const syncs = newSyncs();
  const running = syncs.sync(folder);
  // Had it joined the running one it would succeed: it fails, because a sync of its own was made.
  const next = syncs.sync(broken);
  await Promise.all([running, assert.rejects(next, FAILED)]);
});

test('all who come while a sync runs share the next one', async () => {
  const syncs = newSyncs();
  const order: string[] = [];
  const running = syncs.sync(folder).then(() => order.push('running'));
  const waiting = [1, 2, 3].map(() => syncs.sync(folder));
  assert.equal(new Set(waiting).size, 1);
  const all = waiting.map((sync, index) => sync.then(() => order.push(`waiting ${index}`)));
  await Promise.all([running, ...all]);
  assert.deepEqual(order, ['running', 'waiting 0', 'waiting 1', 'waiting 2']);
});

test('who comes while the next one runs waits for the one after it', async () => {
  const syncs = newSyncs();
  const first = syncs.sync(folder);
  const second = syncs.sync(folder);
  await first;
  const third = syncs.sync(broken);
  assert.notEqual(third, second);
  await Promise.all([second, assert.rejects(third, FAILED)]);
});

test('F20 F21 a sync that fails also fails those who wait for the next one, and nobody who comes later', async () => {
  const syncs = newSyncs();
  const failed = syncs.sync(broken);
  const waiting = [1, 2].map(() => syncs.sync(folder));
  // The kernel forgets what a failed sync has lost: another one would succeed and say nothing of it.
  await Promise.all([failed, ...waiting].map((sync) => assert.rejects(sync, FAILED)));
  await syncs.sync(folder);
});

test('different folders are synced independently', async () => {
  const syncs = newSyncs();
  const other = { fd: folder.fd, path: '/other' };
  const failed = syncs.sync(broken);
  const fine = syncs.sync(other);
  await assert.rejects(failed, FAILED);
  await fine;
});

test('a folder is known to be durable only once somebody said so', () => {
  const syncs = newSyncs();
  const { pruned } = syncs;
  assert.equal(syncs.isKnownDurable(folder), false);
  syncs.markDurable(folder, pruned);
  assert.equal(syncs.isKnownDurable(folder), true);
  assert.equal(syncs.isKnownDurable({ ...folder, path: '/other' }), false);
  for (let index = 0; index < 10_000; index += 1) syncs.markDurable({ fd: 0, path: `/${index}` }, pruned);
  assert.equal(syncs.isKnownDurable(folder), false, 'memory is bounded: what is forgotten is synced once more');
});

test('when any folder was removed none is known to be durable: it may have been made anew under its name', () => {
  const syncs = newSyncs();
  const { pruned } = syncs;
  syncs.markDurable(folder, pruned);
  prunedFolders.add(1);
  assert.equal(syncs.isKnownDurable(folder), false);
  syncs.markDurable(folder, pruned);
  assert.equal(syncs.isKnownDurable(folder), false, 'what was synced before is another folder');
  syncs.markDurable(folder, syncs.pruned);
  assert.equal(syncs.isKnownDurable(folder), true);
});

test('a content that cannot be synced is a failure', async () => {
  await syncContent(folder.fd);
  await assert.rejects(syncContent(broken.fd), FAILED);
});
