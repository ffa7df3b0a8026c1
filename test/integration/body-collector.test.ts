/** How hot files come into memory, by real lanes on a real store: one request for all who ask, and nothing that is not whole. */

import assert from 'node:assert/strict';
import { readdirSync, readlinkSync, unlinkSync, utimesSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { BodyCache } from '../../src/main/download/body-cache.ts';
import { BodyCollector } from '../../src/main/download/body-collector.ts';
import { EventDispatcher } from '../../src/main/events/event-dispatcher.ts';
import type { LaneClient } from '../../src/main/lanes/lane-client.ts';
import { WorkerPool } from '../../src/main/lanes/worker-pool.ts';
import { BufferPool } from '../../src/shared/buffers.ts';
import { ContentGenerations } from '../../src/shared/content-generations.ts';
import { ExpiryRule } from '../../src/shared/expiry-rule.ts';
import { SteadyClock } from '../../src/shared/steady-clock.ts';
import { LANE_SECRET } from '../support/lane-fixture.ts';
import { content } from '../support/paced-transfer.ts';
import { keyOf, overwrite, StoreFixture } from '../support/store-fixture.ts';
import { eventually } from '../support/store-state.ts';

const SMALL = 64 * 1024;
const LARGE = 512 * 1024;
const KEY = keyOf('folder/hot.bin');
/** Entries answer for as long as a test lasts. */
const LIMITS = { maxBytes: 8 * 1024 * 1024, maxBodyBytes: 2 * 1024 * 1024, freshMs: 600_000, readsToKeep: 2 };

let store: StoreFixture;
let pool: WorkerPool;
let buffers: BufferPool;
let cache: BodyCache;
let collector: BodyCollector;
/** Lanes that were asked. */
let asked = 0;

beforeEach(() => {
  store = new StoreFixture();
  buffers = new BufferPool({ sizes: [SMALL, LARGE], maxBytes: 8 * LARGE });
  const events = new EventDispatcher();
  const uploadBuffers = new BufferPool({ sizes: [SMALL], maxBytes: SMALL });
  const shares = { uploadLanes: 1, downloadLanes: 1, firstPlace: 0, secrets: [LANE_SECRET] as const };
  pool = new WorkerPool({ ...shares, settings: store.settings, uploadBuffers, downloadBuffers: buffers, events });
  const generations = new ContentGenerations(ContentGenerations.allocate());
  cache = new BodyCache(LIMITS, generations);
  asked = 0;
  const lane = (): LaneClient => {
    asked += 1;
    return pool.downloadLane();
  };
  const rules = { hasRanges: true, isReplaceable: false };
  collector = new BodyCollector({ cache, buffers, generations, rules, lane });
  pool.openLanes();
});

afterEach(async () => {
  await pool.stop();
  store.remove();
});

/** Asks for the file as so many clients at once; false: the collector has nothing to do with it. */
async function join(clients = 1): Promise<boolean> {
  const answers = Array.from(
    { length: clients },
    () =>
      new Promise<boolean>((resolve) => {
        if (!collector.join(KEY, () => resolve(true))) resolve(false);
      }),
  );
  return (await Promise.all(answers)).every(Boolean);
}

function heat(bytes: number): void {
  for (let read = 0; read < LIMITS.readsToKeep; read += 1) cache.countRead(KEY, bytes, performance.now());
}

function inMemory(): Buffer | null {
  const file = cache.get(KEY, performance.now());
  return file === null ? null : Buffer.from(file.bytes);
}

function isOpen(path: string): boolean {
  return readdirSync('/proc/self/fd').some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      // Closed since the folder was listed.
      return false;
    }
  });
}

for (const size of [0, 1, 40_000, SMALL, LARGE, LARGE + 1, LIMITS.maxBodyBytes]) {
  test(`brings a file of ${size} bytes into memory by one request for all who ask, and takes no buffer of others`, async () => {
    pool.startLanes();
    const bytes = content('hot', size);
    await overwrite(store.storage, KEY, bytes);
    assert.equal(await join(), false, 'nobody has asked for it');
    heat(size);
    assert.equal(await join(50), true);
    assert.equal(asked, 1);
    assert.ok(inMemory()?.equals(bytes));
    assert.deepEqual([buffers.inUseBytes, pool.downloadLane().bytesInFlight, pool.downloadLane().transfers], [0, 0, 0]);
  });
}

test('a file that is in memory is looked at, and not read again, while it is what it was', async () => {
  pool.startLanes();
  await overwrite(store.storage, KEY, content('hot', LARGE));
  heat(LARGE);
  await join();
  const before = cache.get(KEY, performance.now())?.bytes;
  assert.equal(await join(20), true);
  assert.equal(asked, 2);
  assert.equal(cache.get(KEY, performance.now())?.bytes, before);
});

test('a file that was changed by hand is not answered from memory after the next look', async () => {
  pool.startLanes();
  await overwrite(store.storage, KEY, content('hot', LARGE));
  heat(LARGE);
  await join();
  utimesSync(store.pathOf(KEY), 1, 1);
  await join();
  assert.equal(inMemory(), null);
  assert.equal(cache.heldBytes, 0);
});

test('a file that has gone meanwhile is no reason to keep anything, or to let anybody wait', async () => {
  pool.startLanes();
  await overwrite(store.storage, KEY, content('hot', LARGE));
  heat(LARGE);
  await join();
  unlinkSync(store.pathOf(KEY));
  assert.equal(await join(20), true);
  assert.equal(inMemory(), null);
  heat(LARGE);
  assert.equal(await join(20), true);
  assert.deepEqual([inMemory(), cache.heldBytes], [null, 0]);
});

test('a file that is longer than it was is not kept, and does not stay open', async () => {
  pool.startLanes();
  await overwrite(store.storage, KEY, content('hot', LARGE));
  heat(LARGE - 1);
  assert.equal(await join(), true);
  assert.deepEqual([inMemory(), cache.heldBytes], [null, 0]);
  await eventually(() => !isOpen(store.pathOf(KEY)), 'the file is closed');
});

test('a file that is shorter than it was is kept as it is', async () => {
  pool.startLanes();
  const bytes = content('hot', 1_000);
  await overwrite(store.storage, KEY, bytes);
  heat(LARGE);
  await join();
  assert.ok(inMemory()?.equals(bytes));
});

test('a file that is about to expire is looked at each time', async () => {
  pool.startLanes();
  await overwrite(store.storage, KEY, content('hot', LARGE));
  new ExpiryRule(store.settings.expiry, new SteadyClock(store.settings.clockStart)).fileTtlSeconds = 1;
  heat(LARGE);
  await join();
  assert.deepEqual([inMemory(), cache.heldBytes], [null, 0]);
});

test('whoever waits goes on when the lane is lost', async () => {
  heat(LARGE);
  const waiting = join(20);
  pool.downloadLane().lost({ code: 'worker-lost', detail: 'test' });
  assert.equal(await waiting, true);
  assert.deepEqual([inMemory(), cache.heldBytes, buffers.inUseBytes], [null, 0, 0]);
});
