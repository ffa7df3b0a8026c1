/** Uploads that can be gone on with, in the store: what a crash leaves, what a start counts, and when they expire. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { RoomLedger } from '../../src/shared/room-ledger.ts';
import { UnfinishedUploads } from '../../src/shared/unfinished-uploads.ts';
import { createUploadHolders, UploadHolders } from '../../src/shared/upload-holders.ts';
import type { WorkerSettings } from '../../src/shared/worker-jobs.ts';
import { FilesystemStorage } from '../../src/workers/storage/filesystem-storage.ts';
import { recoverStore } from '../../src/workers/storage/recover-store.ts';
import { admitUploads } from '../../src/workers/storage/uploads/admit-uploads.ts';
import { projectRoot } from '../support/project-root.ts';
import { appending, bodyOf, creation, inspection, resource, TestLane } from '../support/resumable-fixture.ts';
import { readFile, StoreFixture } from '../support/store-fixture.ts';
import { treeWithoutMarks } from '../support/store-state.ts';
import { SweepFixture } from '../support/sweep-fixture.ts';

const TEXT = Buffer.from('a small body of some length');
const HALF = 10;
const REST = TEXT.subarray(HALF);
const TIMES = { idleMs: 60_000, lifeMs: 600_000, memoryMs: 60_000 };
const OVER = { idleMs: 0, lifeMs: 600_000, memoryMs: 60_000 };

let store: StoreFixture;
let lane: TestLane;

beforeEach(() => {
  store = new StoreFixture({ uploadTimes: TIMES });
  lane = new TestLane(store.storage);
});

afterEach(async () => {
  await lane.close();
  store.remove();
});

/** An upload whose first half counts. */
async function half(key: string) {
  const { state } = await lane.run(creation(key, TEXT.length));
  await lane.run(appending(resource(state.name), 0, bodyOf(HALF)), TEXT.subarray(0, HALF));
  return state.name;
}

/** The store after a crash and a start: nothing of the memory of the process before is left. */
function restarted(times = TIMES): { settings: WorkerSettings; lane: TestLane } {
  const settings = {
    ...store.settings,
    uploadTimes: times,
    roomLedger: RoomLedger.allocate(2),
    unfinishedUploads: UnfinishedUploads.allocate(),
    uploadHolders: createUploadHolders(),
  };
  recoverStore(settings.storeDir);
  admitUploads(settings);
  return { settings, lane: new TestLane(new FilesystemStorage(settings, 0)) };
}

function uploadFile(name: string): string {
  return store.pathOf('.hfs/uploads', name);
}

test('after a crash what does not count is cut off, and the upload goes on where its record says', async () => {
  const name = await half('cut');
  appendFileSync(uploadFile(`${name.id}.data`), 'bytes that nobody was told of');
  writeFileSync(uploadFile(`${name.id}.json.new`), 'a record that was being written');
  const { settings, lane: next } = restarted();
  assert.equal(readFileSync(uploadFile(`${name.id}.data`)).length, HALF);
  assert.equal(new RoomLedger(settings.roomLedger, 0).promised.bytes, REST.length);
  assert.equal(new UnfinishedUploads(settings.unfinishedUploads).count, 1);
  assert.equal((await next.run(inspection(resource(name)))).state.offset, HALF);
  assert.equal((await next.run(appending(resource(name), HALF, bodyOf(REST.length)), REST)).state.isComplete, true);
  assert.equal(new RoomLedger(settings.roomLedger, 0).promised.bytes, 0);
  assert.equal(new UnfinishedUploads(settings.unfinishedUploads).count, 0);
  await next.close();
});

test('after a clean stop nothing is looked for, and unfinished uploads are promised their room again', async () => {
  const name = await half('clean');
  recoverStore(store.settings.storeDir);
  rmSync(store.pathOf('.hfs/dirty'));
  const { settings, lane: next } = restarted();
  assert.equal(new RoomLedger(settings.roomLedger, 0).promised.bytes, REST.length);
  assert.equal((await next.run(inspection(resource(name)))).state.offset, HALF);
  await next.close();
});

test('an upload whose commit was broken off is committed by the next request for it', async () => {
  const name = await half('whole');
  const { storage } = store;
  const held = await storage.uploads.take(name.id, () => false);
  assert.ok(held !== null);
  held.write(REST);
  held.data().makePublic();
  await held.settle({ phase: 'whole', length: TEXT.length });
  await held.release();
  const { lane: next } = restarted();
  const { state, completed } = await next.run(inspection(resource(name)));
  assert.deepEqual([state.isComplete, completed?.file.size], [true, TEXT.length]);
  assert.equal(readFile(storage, 'whole').text, `${TEXT}`);
  await next.close();
});

test('an upload that had its name already when the crash came is finished, and never cut off', async () => {
  const name = await half('linked');
  const held = await store.storage.uploads.take(name.id, () => false);
  assert.ok(held !== null);
  held.write(REST);
  await held.settle({ phase: 'whole', length: TEXT.length });
  await held.release();
  linkSync(uploadFile(`${name.id}.data`), store.pathOf('linked'));
  const { lane: next } = restarted();
  assert.deepEqual(
    store.uploadFiles().filter((file) => file.endsWith('.data')),
    [],
  );
  assert.equal((await next.run(inspection(resource(name)))).state.isComplete, true);
  assert.equal(readFile(store.storage, 'linked').text, `${TEXT}`);
  await next.close();
});

test('what belongs to nothing is removed after a crash: creations without a slot, bytes, links', async () => {
  const kept = await half('kept');
  const before = store.uploadFiles().toSorted();
  const lost = await half('lost');
  const link = store.uploadFiles().find((file) => file.endsWith('.slot') && !before.includes(file)) ?? '';
  rmSync(uploadFile(link));
  writeFileSync(uploadFile(`${'a'.repeat(32)}.data`), 'bytes without a record');
  writeFileSync(uploadFile(`${'b'.repeat(32)}.json`), '{"v":1,"id":"torn');
  symlinkSync('c'.repeat(32), uploadFile(`${'c'.repeat(64)}.slot`));
  symlinkSync(lost.id, uploadFile(`${lost.id}.slot.new`));
  const { lane: next } = restarted();
  assert.deepEqual(store.uploadFiles().toSorted(), before);
  assert.equal((await next.fail(inspection(resource(lost)))).code, 'upload-unknown');
  assert.equal((await next.run(inspection(resource(kept)))).state.offset, HALF);
  await next.close();
});

test('F35 a record that is damaged, empty or of another upload lends nothing to anybody', async () => {
  const [name, other] = [await half('damaged'), await half('other')];
  const path = uploadFile(`${name.id}.json`);
  const text = readFileSync(path, 'utf8');
  for (const damaged of ['', '{}', text.slice(0, 40), text.replace('"offset":10', '"offset":11'), 'null']) {
    writeFileSync(path, damaged);
    assert.equal((await lane.fail(inspection(resource(name)))).code, 'upload-unknown', damaged);
  }
  copyFileSync(uploadFile(`${other.id}.json`), path);
  assert.equal((await lane.fail(inspection(resource(name)))).code, 'upload-unknown');
});

test('recovery that is killed at any step is finished by the next one', async () => {
  const [open, lost] = [await half('open'), await half('lost')];
  appendFileSync(uploadFile(`${open.id}.data`), 'more');
  renameSync(uploadFile(`${lost.id}.json`), uploadFile(`${lost.id}.json.new`));
  writeFileSync(store.pathOf('.hfs/dirty'), '');
  const scratch = join(store.folder, 'scratch');
  cpSync(store.settings.storeDir, scratch, { recursive: true, verbatimSymlinks: true });
  recoverStore(scratch);
  const expected = treeWithoutMarks(scratch);
  for (let step = 1; ; step += 1) {
    rmSync(scratch, { recursive: true });
    cpSync(store.settings.storeDir, scratch, { recursive: true, verbatimSymlinks: true });
    const wasKilled = recoverUntil(step, scratch);
    recoverStore(scratch);
    assert.deepEqual(treeWithoutMarks(scratch), expected, `step ${step}`);
    assert.equal(readFileSync(join(scratch, '.hfs/uploads', `${open.id}.data`)).length, HALF);
    if (!wasKilled) break;
  }
});

/** False: there were fewer steps. */
function recoverUntil(step: number, storeDir: string): boolean {
  const support = join(projectRoot, 'dist/test/support');
  const args = ['--import', `file://${join(support, 'kill-at-step.js')}`, join(support, 'recover-once.js'), storeDir];
  const env = { ...process.env, KILL_AT_STEP: String(step) };
  const { status, signal, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  assert.ok(signal === 'SIGKILL' || status === 0, stderr);
  return signal === 'SIGKILL';
}

test('an upload whose time is over is gone, and the next pass removes it with all that it was promised', async () => {
  const name = await half('expired');
  const settings = { ...store.settings, uploadTimes: OVER };
  const later = new TestLane(new FilesystemStorage(settings, 1));
  assert.equal((await later.fail(inspection(resource(name)))).code, 'upload-gone');
  assert.equal((await later.fail(appending(resource(name), HALF, bodyOf(REST.length)), REST)).code, 'upload-gone');
  const { expiredUploads } = new SweepFixture(store, settings).pass();
  assert.deepEqual(
    expiredUploads.map(({ uploadId, offsetBytes, protocol }) => [uploadId, offsetBytes, protocol]),
    [[name.id, HALF, 'tus']],
  );
  assert.deepEqual(store.uploadFiles(), []);
  assert.deepEqual([store.promisedRoom.bytes, store.openUploads], [0, 0]);
  assert.equal((await later.fail(inspection(resource(name)))).code, 'upload-unknown');
  await later.close();
});

test('a pass leaves alone what somebody holds, and what is not over', async () => {
  const name = await half('held');
  const settings = { ...store.settings, uploadTimes: OVER };
  const holding = new UploadHolders(settings.uploadHolders, 9).tryTake(name.id);
  assert.deepEqual(new SweepFixture(store, settings).pass().expiredUploads, []);
  holding?.release();
  assert.deepEqual(new SweepFixture(store).pass().expiredUploads, []);
  assert.equal((await lane.run(inspection(resource(name)))).state.offset, HALF);
});

test('what is finished or was replaced is remembered for a while, then forgotten', async () => {
  const replaced = await half('slot');
  const { state } = await lane.run(creation('done', 0));
  lane.open(creation('slot', TEXT.length));
  const next = new TestLane(store.neighbour());
  while (store.storage.uploads.look(replaced.id)?.phase !== 'replaced') await new Promise(setImmediate);
  new SweepFixture(store).pass();
  assert.equal((await next.run(inspection(resource(state.name)))).state.isComplete, true);
  assert.equal((await next.fail(inspection(resource(replaced)))).code, 'upload-gone');
  new SweepFixture(store, { ...store.settings, uploadTimes: { ...TIMES, memoryMs: 0 } }).pass();
  assert.equal((await next.fail(inspection(resource(state.name)))).code, 'upload-unknown');
  assert.equal((await next.fail(inspection(resource(replaced)))).code, 'upload-unknown');
  assert.equal(readFile(store.storage, 'done').text, '');
  await next.close();
});

test('at a start uploads whose time is over are removed', async () => {
  const name = await half('old');
  const { settings, lane: next } = restarted(OVER);
  assert.deepEqual(store.uploadFiles(), []);
  assert.equal(new RoomLedger(settings.roomLedger, 0).promised.bytes, 0);
  assert.equal((await next.fail(inspection(resource(name)))).code, 'upload-unknown');
  await next.close();
});
