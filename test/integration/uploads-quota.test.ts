/** OwnerQuota and uploads that can be gone on with: a promise that holds from creation to the end, over a crash, too. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { OwnerUsage } from '../../src/shared/owner-usage.ts';
import { RoomLedger } from '../../src/shared/room-ledger.ts';
import { UnfinishedUploads } from '../../src/shared/unfinished-uploads.ts';
import { createUploadHolders } from '../../src/shared/upload-holders.ts';
import type { WorkerSettings } from '../../src/shared/worker-jobs.ts';
import { FilesystemStorage } from '../../src/workers/storage/filesystem-storage.ts';
import { recoverStore } from '../../src/workers/storage/recover-store.ts';
import { admitUploads } from '../../src/workers/storage/uploads/admit-uploads.ts';
import { openUpload, pieceOf } from '../support/lane-fixture.ts';
import {
  appending,
  bodyOf,
  type CreationWords,
  creation,
  discarding,
  NO_TERMS,
  resource,
  TestLane,
} from '../support/resumable-fixture.ts';
import { keyOf, StoreFixture } from '../support/store-fixture.ts';
import { SweepFixture } from '../support/sweep-fixture.ts';

const LIMIT = 100;
const terms = { ...NO_TERMS, owner: 'alice@example.com' };

let store: StoreFixture;
/** Of the process that has the store now. */
let settings: WorkerSettings;
let lane: TestLane;
let other: TestLane;
let probes = 0;

beforeEach(() => {
  store = new StoreFixture();
  settings = store.settings;
  new OwnerUsage(store.settings.ownerUsage).limitBytes = LIMIT;
  lane = new TestLane(store.storage);
  other = new TestLane(store.neighbour());
});

afterEach(async () => {
  await Promise.all([lane.close(), other.close()]);
  assert.equal(new UnfinishedUploads(settings.unfinishedUploads).bytes, store.bytesInUploadFiles);
  store.remove();
});

function made(key: string, size: number, said: CreationWords = {}) {
  return lane.run(creation(key, size, { terms, ...said })).then(({ state }) => state.name);
}

async function refused(key: string, size: number, said: CreationWords = {}): Promise<void> {
  assert.equal((await other.fail(creation(key, size, { terms, ...said }))).code, 'over-quota');
}

/** How much more the owner may have. */
function left(storage: FilesystemStorage = store.storage): number {
  for (let size = LIMIT; size > 0; size -= 1) {
    try {
      probes += 1;
      storage.createUpload({ key: keyOf(`probe-${probes}`), size, type: null, ...terms }).discard();
      return size;
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'over-quota');
    }
  }
  return 0;
}

test('uploads beside each other cannot exceed the quota together: the promise holds until the end', async () => {
  const first = await made('first', 60);
  await refused('second', 41);
  await lane.run(appending(resource(first), 0, bodyOf(20)), Buffer.alloc(20));
  assert.deepEqual([left(), store.unfinishedBytes], [40, 20]);
  await lane.run(discarding(resource(first)));
  assert.deepEqual([left(), store.unfinishedBytes], [100, 0]);
  await made('second', 41);
});

test('what is committed counts once', async () => {
  const name = await made('whole', 60);
  await lane.run(appending(resource(name), 0, bodyOf(60)), Buffer.alloc(60));
  assert.equal(left(), 40);
  assert.equal(store.unfinishedBytes, 0);
});

test('a promise that was made is kept, though the limit is less by now', async () => {
  const name = await made('promised', 60);
  new OwnerUsage(store.settings.ownerUsage).limitBytes = 50;
  const { state } = await lane.run(appending(resource(name), 0, bodyOf(60)), Buffer.alloc(60));
  assert.equal(state.isComplete, true);
  await refused('another', 1);
});

test('a new creation on the slot may have what the one before it was promised', async () => {
  await made('slot', 60);
  const again = lane.open(creation('slot', 60, { terms }));
  await lane.next(again, 'resumable.displaced');
  await lane.next(again, 'resumable.done');
  assert.equal(left(), 40);
});

test('parts count as the file that they become, and no part may be larger than what is left', async () => {
  const part = (size: number) => ({ length: size, concatenation: { kind: 'partial' }, body: bodyOf(size) }) as const;
  const names = [];
  for (let count = 0; count < 3; count += 1) {
    const command = creation('parts', 90, { terms, signedLength: null, ...part(30) });
    names.push((await lane.run(command, Buffer.alloc(30))).state.name);
  }
  assert.deepEqual([left(), store.unfinishedBytes], [100, 90]);
  await refused('parts', 101, { signedLength: null, length: 101, concatenation: { kind: 'partial' } });
  const concatenation = { kind: 'final', parts: names, text: 'final;x' } as const;
  await lane.run(creation('parts', 90, { terms, length: null, concatenation }));
  assert.equal(left(), 10);
});

test('a length that becomes known counts from then on, unless it is too much', async () => {
  const deferred = { length: null, signedLength: null, maxLength: null } as const;
  const name = await made('deferred', 0, deferred);
  assert.equal(left(), 100);
  const declare = (length: number) => appending(resource(name), 0, bodyOf(0), { length });
  assert.equal((await lane.fail(declare(101), new Uint8Array())).code, 'over-quota');
  assert.equal(left(), 100);
  const other = await made('too-late', 0, deferred);
  await lane.run(appending(resource(other), 0, bodyOf(0), { length: 70 }), new Uint8Array());
  assert.equal(left(), 30);
  await lane.run(discarding(resource(other)));
  assert.equal(left(), 100);
});

test('a plain upload that is cut keeps its promise, until it expires', async () => {
  lane.send({ ...openUpload({ transfer: 500, key: 'cut', size: 60 }), isResumable: true, terms });
  await lane.next(500, 'upload.accepted');
  lane.send({ type: 'upload.data', transfer: 500, piece: pieceOf(Buffer.alloc(10), false) });
  await lane.next(500, 'upload.written');
  lane.send({ type: 'upload.abort', transfer: 500 });
  await lane.next(500, 'resumable.suspended');
  assert.deepEqual([left(), store.unfinishedBytes], [40, 10]);
  const uploadTimes = { ...store.settings.uploadTimes, idleMs: 0 };
  assert.equal(new SweepFixture(store, { ...store.settings, uploadTimes }).pass().expiredUploads.length, 1);
  assert.deepEqual([left(), store.unfinishedBytes], [100, 0]);
});

test('after a crash the promises and the bytes are counted from the records', async () => {
  const name = await made('crash', 60);
  await lane.run(appending(resource(name), 0, bodyOf(20)), Buffer.alloc(20));
  settings = {
    ...store.settings,
    roomLedger: RoomLedger.allocate(2),
    unfinishedUploads: UnfinishedUploads.allocate(),
    uploadHolders: createUploadHolders(),
    ownerUsage: OwnerUsage.allocate(),
  };
  new OwnerUsage(settings.ownerUsage).limitBytes = LIMIT;
  recoverStore(settings.storeDir);
  admitUploads(settings);
  assert.equal(new UnfinishedUploads(settings.unfinishedUploads).bytes, 20);
  const storage = new FilesystemStorage(settings, 0);
  assert.equal(left(storage), 40);
  const next = new TestLane(storage);
  await next.run(appending(resource(name), 20, bodyOf(40)), Buffer.alloc(40));
  assert.equal(left(storage), 40);
  assert.equal(new UnfinishedUploads(settings.unfinishedUploads).bytes, 0);
  await next.close();
});
