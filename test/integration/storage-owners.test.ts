/** OwnerQuota in a real store: what counts, what is given back, and how a pass sets the count right. */

import assert from 'node:assert/strict';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { OwnerUsage } from '../../src/shared/owner-usage.ts';
import type { Committed } from '../../src/workers/storage/committed.ts';
import type { FilesystemStorage } from '../../src/workers/storage/filesystem-storage.ts';
import type { StagedUpload } from '../../src/workers/storage/storage.ts';
import { keyOf, StoreFixture } from '../support/store-fixture.ts';
import { DAY_SECONDS, SweepFixture } from '../support/sweep-fixture.ts';

const LIMIT = 100;
const USER = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
const overQuota = { name: 'StorageError', code: 'over-quota' };

let store: StoreFixture;
let usage: OwnerUsage;
let names = 0;

beforeEach(() => {
  store = new StoreFixture();
  usage = new OwnerUsage(store.settings.ownerUsage);
  usage.limitBytes = LIMIT;
});

afterEach(() => store.remove());

interface Order {
  readonly path?: string;
  readonly owner?: string | null;
  readonly keepVersions?: number;
  readonly fill?: string;
}

function stage(size: number, order: Order = {}, storage: FilesystemStorage = store.storage): StagedUpload {
  names += 1;
  const { path = `slot-${names}/file`, owner = 'alice@example.com', keepVersions = null, fill = 'x' } = order;
  const upload = storage.createUpload({ key: keyOf(path), size, type: null, owner, keepVersions });
  upload.write(Buffer.alloc(size, fill));
  return upload;
}

const keep = (size: number, order: Order = {}): Promise<Committed> => stage(size, order).commit();
const ofEjabberd = (name: string): Order => ({ path: `${USER}/${'r'.repeat(40)}/${name}`, owner: null });

/** How much more the owner may have. */
function left(order: Order = {}): number {
  for (let size = LIMIT; size >= 0; size -= 1) {
    try {
      names += 1;
      const { path = `probe-${names}`, owner = 'alice@example.com' } = order;
      store.storage.createUpload({ key: keyOf(path), size, type: null, owner }).discard();
      return size;
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'over-quota');
    }
  }
  return -1;
}

/** The clock by which files are stamped is some milliseconds behind. */
async function fileTimesPass(ms: number): Promise<void> {
  const probe = store.pathOf('clock');
  do {
    await new Promise(setImmediate);
    writeFileSync(probe, 'x');
  } while (statSync(probe).ctimeMs <= ms);
}

test('an owner may store as much as the limit, over all lanes, and nobody else is concerned', async () => {
  await keep(60);
  assert.throws(() => stage(41), overQuota);
  assert.throws(() => stage(41, {}, store.neighbour()), overQuota);
  await keep(40);
  assert.throws(() => stage(1), overQuota);
  await keep(0);
  await keep(100, { owner: 'bob@example.com' });
  await keep(1_000, { owner: null });
});

test('uploads under way count, and those that end without a file are given back', async () => {
  const upload = stage(70);
  assert.equal(left(), 30);
  upload.discard();
  upload.discard();
  assert.equal(left(), 100);
  const short = store.storage.createUpload({ key: keyOf('short'), size: 50, type: null, owner: 'alice@example.com' });
  await assert.rejects(short.commit(), { code: 'size-mismatch' });
  await keep(10, { path: 'taken', owner: null });
  assert.throws(() => stage(20, { path: 'taken' }), { code: 'exists' });
  assert.equal(left(), 100);
});

test('old contents count, and what replaces or removes them is given back', async () => {
  const order = { path: 'versioned', keepVersions: 1 };
  for (const fill of ['a', 'b', 'c']) await keep(20, { ...order, fill });
  assert.equal(left(), 60, 'the current content and one version');
  await keep(20, { ...order, fill: 'c' });
  assert.equal(left(), 60, 'the same content again');
  await keep(30, { path: 'versioned', keepVersions: 0 });
  assert.equal(left(), 70);
  await store.storage.deleteFile(keyOf('versioned'));
  assert.equal(left(), 100);
});

test('a pass counts what was there before the server started, by path, record and version', async () => {
  const order = { path: 'versioned', keepVersions: 5 };
  for (const fill of ['a', 'b']) await keep(10, { ...order, fill });
  await keep(20);
  await keep(15, ofEjabberd('a'));
  for (const fill of ['a', 'b']) await keep(7, { ...ofEjabberd('b'), keepVersions: 5, fill });
  for (const [owner] of usage.stored) usage.change(owner, -(usage.stored.get(owner) ?? 0));
  assert.equal(left(), 100, 'nothing is known');
  new SweepFixture(store).pass();
  assert.equal(left(), 60);
  assert.equal(left(ofEjabberd('c')), 100 - 15 - 14);
  new SweepFixture(store).pass();
  assert.equal(left(), 60);
});

test('a pass sees what was removed by hand, and what has expired', async () => {
  await keep(10, { path: 'by-hand' });
  await keep(20, { path: 'old' });
  await keep(30, { path: 'young' });
  const sweep = new SweepFixture(store);
  sweep.announce(DAY_SECONDS);
  rmSync(store.pathOf('by-hand'));
  sweep.age('old', 2 * DAY_SECONDS);
  assert.equal(left(), 40);
  sweep.pass();
  assert.equal(left(), 70);
});

test('what is stored while a pass goes on is counted once', async () => {
  for (let index = 0; index < 50; index += 1) writeFileSync(store.pathOf(`other-${index}`), '');
  await keep(10);
  const sweep = new SweepFixture(store);
  assert.equal(sweep.portion(1, 0).isDone, false);
  await fileTimesPass(Date.now());
  await keep(25);
  while (!sweep.portion(1, 1).isDone);
  assert.equal(left(), 65);
});

test('without a limit nothing is counted, and a new limit begins with the next pass', async () => {
  usage.limitBytes = null;
  await keep(500);
  usage.limitBytes = LIMIT;
  assert.equal(left(), 100);
  new SweepFixture(store).pass();
  assert.equal(left(), -1);
});
