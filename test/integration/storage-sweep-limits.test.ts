/** The sweep among others: what somebody works on or owns, portions, and where it ends. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { JOBS_HOLDER, PathLocks } from '../../src/shared/path-locks.ts';
import { hashOf } from '../../src/workers/storage/store-layout.ts';
import { failCall } from '../support/failing-calls.ts';
import { keep, keyOf, StoreFixture } from '../support/store-fixture.ts';
import { publicTreeOf } from '../support/store-state.ts';
import { DAY_SECONDS, SweepFixture } from '../support/sweep-fixture.ts';

let store: StoreFixture;
let sweep: SweepFixture;

beforeEach(() => {
  store = new StoreFixture();
  sweep = new SweepFixture(store);
});

afterEach(() => store.remove());

const tree = (): readonly string[] => publicTreeOf(store.settings.storeDir).filter((path) => path !== '.hfs/');

test('F78 a file that somebody works on is left to the next pass', async () => {
  await keep(store.storage, 'locked', 'content');
  sweep.announce(DAY_SECONDS);
  sweep.age('locked', 2 * DAY_SECONDS);
  const release = new PathLocks(store.settings.pathLocks, 0).tryAcquire(hashOf(keyOf('locked')));
  assert.ok(release !== null);
  assert.equal(sweep.pass().totals.removedFiles, 0);
  release();
  assert.equal(sweep.pass().totals.removedFiles, 1);
  assert.notEqual(new PathLocks(store.settings.pathLocks, JOBS_HOLDER).tryAcquire(hashOf(keyOf('locked'))), null);
});

test('F78 a download of a file that expires ends whole', async () => {
  await keep(store.storage, 'file', 'content');
  const file = store.storage.openFile(keyOf('file'));
  sweep.announce(DAY_SECONDS);
  sweep.age('file', 2 * DAY_SECONDS);
  assert.equal(sweep.pass().totals.removedFiles, 1);
  const bytes = new Uint8Array(7);
  assert.equal(file.read(bytes, 0), 7);
  assert.equal(Buffer.from(bytes).toString(), 'content');
  file.close();
});

test('a pass in portions does the same as one at once, and leaves no descriptor open', async () => {
  for (let index = 0; index < 200; index += 1) {
    const path = `folder-${index % 20}/deep-${index % 3}/${index}`;
    await keep(store.storage, path, 'x', index % 10 === 0 ? 'x/own' : null);
    if (index % 2 === 0) sweep.age(path, 2 * DAY_SECONDS);
  }
  sweep.announce(DAY_SECONDS);
  const before = readdirSync('/proc/self/fd').length;
  let portions = 0;
  let removed = 0;
  for (let isDone = false; !isDone; portions += 1) {
    const portion = sweep.portion(100, 0.05);
    removed += portion.expired.length;
    isDone = portion.isDone;
  }
  assert.ok(portions > 5, `${portions} portions`);
  assert.equal(removed, 100);
  assert.equal(tree().filter((path) => !path.endsWith('/')).length, 100);
  assert.equal(readdirSync('/proc/self/fd').length, before);
  sweep.portion(101, 0.05);
  sweep.portion(102, 60_000);
  assert.equal(readdirSync('/proc/self/fd').length, before, 'a pass that is not gone on with is closed by the next');
});

test('what belongs to somebody else is left alone, and ends no pass', async () => {
  for (const path of ['a', 'b', 'c']) {
    await keep(store.storage, path, 'content');
    sweep.age(path, 2 * DAY_SECONDS);
  }
  sweep.announce(DAY_SECONDS);
  for (const [code, removed] of [
    ['EPERM', 2],
    ['ENOENT', 0],
  ] as const) {
    const failing = failCall({ name: 'unlinkSync', code });
    try {
      assert.equal(sweep.pass().totals.removedFiles, removed, code);
    } finally {
      failing.restore();
    }
  }
  assert.equal(sweep.pass().totals.removedFiles, 1);
});

test('an input/output error ends the pass', async () => {
  await keep(store.storage, 'a', 'content');
  sweep.age('a', 2 * DAY_SECONDS);
  sweep.announce(DAY_SECONDS);
  const before = readdirSync('/proc/self/fd').length;
  const failing = failCall({ name: 'unlinkSync', code: 'EIO' });
  try {
    assert.throws(() => sweep.pass(), { name: 'StorageError', code: 'io' });
  } finally {
    failing.restore();
  }
  assert.equal(readdirSync('/proc/self/fd').length, before);
});

test('folders beyond 128 levels are passed over, and said to be', async () => {
  await keep(store.storage, Array(200).fill('d').join('/'), 'deep');
  const { totals } = sweep.pass();
  assert.deepEqual([totals.passedOver, totals.files], [1, 0]);
});
