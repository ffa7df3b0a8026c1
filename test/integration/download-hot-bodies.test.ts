/**
 * Hot files of more than one buffer, as clients see them that read at their own pace: the bytes and fields of a cold
 * answer, the old content to its end for whoever began with it, and never what is gone.
 */

import assert from 'node:assert/strict';
import { unlinkSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { DownloadService } from '../../src/main/download/download-service.ts';
import { EventDispatcher } from '../../src/main/events/event-dispatcher.ts';
import type { Problem } from '../../src/main/http/problem.ts';
import { WorkerPool } from '../../src/main/lanes/worker-pool.ts';
import { BufferPool } from '../../src/shared/buffers.ts';
import { ContentGenerations } from '../../src/shared/content-generations.ts';
import type { EventOf } from '../../src/shared/events.ts';
import { LANE_SECRET } from '../support/lane-fixture.ts';
import { PacedExchange, type PacedRequest } from '../support/paced-exchange.ts';
import { content } from '../support/paced-transfer.ts';
import { keyOf, overwrite, StoreFixture } from '../support/store-fixture.ts';
import { eventually } from '../support/store-state.ts';

const KEY = keyOf('folder/hot.jpg');
const OTHER_KEY = keyOf('folder/other.jpg');
const SIZE = 1_500_000;
const FILE = content('hot', SIZE);
/** One such file has room, and no second one. */
const CACHE_BYTES = 2 * 1024 * 1024;
/** More than the file is read before it is hot. */
const READS = 8;
/** What a client takes before it stalls. */
const BEGINNING = 100_000;

let store: StoreFixture;
let pool: WorkerPool;
let buffers: BufferPool;
let generations: ContentGenerations;
let downloads: DownloadService;
let ended: (EventOf<'download.completed'> | EventOf<'download.aborted'>)[];

beforeEach(async () => {
  store = new StoreFixture();
  buffers = new BufferPool({ sizes: [64 * 1024, 512 * 1024], maxBytes: 8 * 1024 * 1024 });
  const events = new EventDispatcher();
  ended = [];
  events.on('download.completed', (event) => void ended.push(event));
  events.on('download.aborted', (event) => void ended.push(event));
  const uploadBuffers = new BufferPool({ sizes: [64 * 1024], maxBytes: 64 * 1024 });
  const shares = { uploadLanes: 1, downloadLanes: 1, firstPlace: 0, secrets: [LANE_SECRET] as const };
  pool = new WorkerPool({ ...shares, settings: store.settings, uploadBuffers, downloadBuffers: buffers, events });
  generations = new ContentGenerations(ContentGenerations.allocate());
  const rules = { hasRanges: true, isReplaceable: true };
  const accelRedirectPrefix = null;
  const cacheBytes = CACHE_BYTES;
  downloads = new DownloadService({ pool, buffers, events, rules, generations, accelRedirectPrefix, cacheBytes });
  pool.startLanes();
  await overwrite(store.storage, KEY, FILE);
});

afterEach(async () => {
  await pool.stop();
  store.remove();
});

/** A request that is on its way; a refusal is an answer without a body. */
function begin(request: PacedRequest = {}, key = KEY): PacedExchange {
  const exchange = new PacedExchange(request);
  const refuse = ({ status }: Problem): void => exchange.respond({ status, fields: [], body: null });
  downloads.serve(exchange, key, refuse);
  return exchange;
}

async function get(request: PacedRequest = {}, key = KEY): Promise<PacedExchange> {
  const exchange = begin(request, key);
  await exchange.ended;
  return exchange;
}

async function heat(key = KEY): Promise<void> {
  for (let read = 0; read < READS; read += 1) await get({}, key);
}

/** A client that has taken the beginning and no more; what it is sent is in memory, since it holds no buffer. */
async function stall(): Promise<PacedExchange> {
  const exchange = begin({ takes: BEGINNING });
  if (exchange.state === 'open') await get();
  assert.deepEqual([exchange.state, exchange.bytesOut, buffers.inUseBytes], ['streaming', BEGINNING, 0]);
  return exchange;
}

async function finish(exchange: PacedExchange): Promise<Buffer> {
  exchange.take(SIZE);
  await exchange.ended;
  return exchange.body;
}

/** Whether the file is answered from memory: at once, or after a lane has looked at it, and without a buffer. */
async function isInMemory(key: typeof KEY): Promise<boolean> {
  const exchange = begin({ takes: BEGINNING }, key);
  await get({}, key);
  const holdsNone = buffers.inUseBytes === 0;
  exchange.close('client');
  return holdsNone;
}

/** What downloads have told of their ends since the last call: so many, in their order. */
async function ends(count: number): Promise<typeof ended> {
  await eventually(() => ended.length >= count, `${count} downloads have ended`);
  return ended.splice(0);
}

/** Everything that is to be the same, however the file is answered. */
function answerOf({ status, fields, body }: PacedExchange): readonly unknown[] {
  return [status, fields, body.toString('latin1')];
}

test('whole, ranged and conditional requests for a hot file are answered as for a cold one', async () => {
  const requests: readonly PacedRequest[] = [
    {},
    { method: 'HEAD' },
    { fields: { range: 'bytes=0-0' } },
    { fields: { range: 'bytes=400000-1300000' } },
    { fields: { range: 'bytes=-10' } },
    { fields: { range: `bytes=${SIZE}-` } },
    { fields: { 'if-none-match': '*' } },
    { fields: { 'if-match': '"other"' } },
    {
      fields: { 'if-range': '"other"', range: 'bytes=1-2' },
    },
    { fields: { 'want-repr-digest': 'sha-256=1' } },
  ];
  const cold: (readonly unknown[])[] = [];
  for (const request of requests) {
    cold.push(answerOf(await get(request)));
    // Whatever was counted is forgotten: a change makes every file cold.
    generations.changed(KEY);
    downloads.tick(performance.now() + 10_000);
  }
  assert.ok(Buffer.from(String(cold[3]?.[2]), 'latin1').equals(FILE.subarray(400_000, 1_300_001)));
  await heat();
  assert.ok(await isInMemory(KEY));
  for (const [index, request] of requests.entries()) {
    assert.deepEqual(answerOf(await get(request)), cold[index], JSON.stringify(request));
  }
});

test('several ranges of a hot file are each what they should be', async () => {
  await heat();
  const { status, body } = await get({ fields: { range: 'bytes=5-9, 1400000-, 600000-600100' } });
  assert.equal(status, 206);
  for (const [first, behind] of [
    [5, 10],
    [1_400_000, SIZE],
    [600_000, 600_101],
  ] as const) {
    assert.ok(body.includes(FILE.subarray(first, behind)));
  }
});

test('clients that read in pieces of all sizes get every byte of a hot file', async () => {
  await heat();
  for (const step of [1_000, 65_536, 524_288, 524_289, SIZE - BEGINNING]) {
    const exchange = await stall();
    while (exchange.state === 'streaming') exchange.take(step);
    assert.ok(exchange.body.equals(FILE), `${step}`);
  }
});

test('a client that stalls gets the old content when the file is replaced, and nobody else does', async () => {
  await heat();
  const stalled = await stall();
  const other = content('other', SIZE);
  await overwrite(store.storage, KEY, other);
  generations.changed(KEY);
  assert.ok((await get()).body.equals(other));
  await heat();
  assert.ok((await get()).body.equals(other));
  assert.ok((await finish(stalled)).equals(FILE));
});

test('a file that is deleted is answered to nobody but whom it was begun for', async () => {
  await heat();
  const stalled = await stall();
  unlinkSync(store.pathOf(KEY));
  generations.changed(KEY);
  for (let read = 0; read < READS; read += 1) assert.equal((await get()).status, 404);
  assert.ok((await finish(stalled)).equals(FILE));
});

test('clients that stall with a content that is gone leave no room for another one, until they have left', async () => {
  await heat();
  const stalled = [await stall(), await stall()];
  await overwrite(store.storage, KEY, content('other', SIZE));
  await overwrite(store.storage, OTHER_KEY, FILE);
  generations.changed(KEY);
  await heat(OTHER_KEY);
  assert.equal(await isInMemory(OTHER_KEY), false);
  for (const exchange of stalled) exchange.close('client');
  await heat(OTHER_KEY);
  assert.ok(await isInMemory(OTHER_KEY));
});

test('a client that leaves is told of with what it got, and one that reads to the end too', async () => {
  await heat();
  await ends(READS);
  const leaving = await stall();
  leaving.close('timeout');
  await finish(await stall());
  const [aborted, completed] = await ends(2);
  assert.ok(aborted?.type === 'download.aborted' && completed?.type === 'download.completed');
  assert.deepEqual([aborted.reason, aborted.bytesOut, completed.bytesOut], ['timeout', BEGINNING, SIZE]);
  assert.equal(aborted.fileId, completed.fileId);
});

test('a client that leaves while a lane looks at its file is told of once', async () => {
  for (let read = 0; read < 4; read += 1) await get();
  await ends(4);
  const leaving = begin();
  assert.equal(leaving.state, 'open');
  leaving.close('client');
  assert.ok((await get()).body.equals(FILE));
  assert.deepEqual(
    (await ends(2)).map(({ type, bytesOut }) => [type, bytesOut]),
    [
      ['download.aborted', 0],
      ['download.completed', SIZE],
    ],
  );
});
