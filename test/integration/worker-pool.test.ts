/**
 * The pool with real threads on a real store. A thread is lost the way threads are lost in production: it runs out of
 * heap, here by secrets that are larger than the heap it was given.
 */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { EventDispatcher } from '../../src/main/events/event-dispatcher.ts';
import type { LaneClient, TransferListener, TransferMessage } from '../../src/main/lanes/lane-client.ts';
import { WorkerPool } from '../../src/main/lanes/worker-pool.ts';
import { BufferPool } from '../../src/shared/buffers.ts';
import type { EventOf } from '../../src/shared/events.ts';
import type { Secrets } from '../../src/shared/messages.ts';
import { PathLocks } from '../../src/shared/path-locks.ts';
import { RoomLedger } from '../../src/shared/room-ledger.ts';
import type { StorageFailure } from '../../src/shared/storage-error.ts';
import { LANE_BUFFER_BYTES, LANE_SECRET, openUpload } from '../support/lane-fixture.ts';
import { keyOf, overwrite, readFile, StoreFixture } from '../support/store-fixture.ts';

/** Heap of threads that are to be lost; threads that run already keep theirs. */
const SMALL_HEAP_MB = 24;
const USUAL_HEAP_MB = 4096;
const TOO_MANY_SECRETS = 64;
/** In the room ledger: those of three lanes behind that of another pool. */
const PLACES = 4;
const FIRST_PLACE = 1;

type Outcome = TransferMessage['type'] | StorageFailure['code'];

/** One upload as the upload service would send it, without a connection behind it. */
class PoolUpload implements TransferListener {
  readonly outcome: Promise<Outcome>;
  private readonly lane: LaneClient;
  private readonly buffers: BufferPool;
  private readonly transfer: number;
  private settle: (outcome: Outcome) => void = () => {};
  outcomes = 0;

  constructor(lane: LaneClient, buffers: BufferPool) {
    this.lane = lane;
    this.buffers = buffers;
    this.outcome = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.transfer = lane.begin(this);
  }

  open(key: string, size: number): this {
    this.lane.send(openUpload({ transfer: this.transfer, key, size }), null);
    return this;
  }

  send(length: number, isLast: boolean): this {
    const buffer = this.buffers.take();
    assert.ok(buffer !== null);
    new Uint8Array(buffer).fill(0x61);
    this.lane.send({ type: 'upload.data', transfer: this.transfer, piece: { buffer, length, isLast } }, buffer);
    return this;
  }

  receive(message: TransferMessage): void {
    if (message.type === 'upload.stored' || message.type === 'upload.failed') this.end(message.type);
  }

  laneLost(failure: StorageFailure): void {
    this.end(failure.code);
  }

  private end(outcome: Outcome): void {
    this.lane.end(this.transfer);
    this.outcomes += 1;
    this.settle(outcome);
  }
}

let store: StoreFixture;
let uploadBuffers: BufferPool;
let downloadBuffers: BufferPool;
let events: EventDispatcher;
let roomLedger: SharedArrayBuffer;
let pool: WorkerPool;
const crashes: EventOf<'worker.crashed'>[] = [];

before(() => setFlagsFromString(`--max-old-space-size=${SMALL_HEAP_MB}`));

after(() => setFlagsFromString(`--max-old-space-size=${USUAL_HEAP_MB}`));

beforeEach(() => {
  store = new StoreFixture();
  uploadBuffers = new BufferPool({ sizes: [LANE_BUFFER_BYTES], maxBytes: 256 * LANE_BUFFER_BYTES });
  downloadBuffers = new BufferPool({ sizes: [LANE_BUFFER_BYTES], maxBytes: 16 * LANE_BUFFER_BYTES });
  events = new EventDispatcher();
  crashes.length = 0;
  events.on('worker.crashed', (event) => void crashes.push(event));
  roomLedger = RoomLedger.allocate(PLACES);
  const settings = { ...store.settings, roomLedger };
  const secrets: Secrets = [LANE_SECRET];
  const lanes = { uploadLanes: 2, downloadLanes: 1, firstPlace: FIRST_PLACE };
  pool = new WorkerPool({ ...lanes, secrets, settings, uploadBuffers, downloadBuffers, events });
});

afterEach(async () => {
  await pool.stop();
  store.remove();
});

const upload = (lane: LaneClient): PoolUpload => new PoolUpload(lane, uploadBuffers);

test('brings every buffer home, spreads uploads over the lanes, and counts them', async () => {
  pool.startLanes();
  const uploads = Array.from({ length: 40 }, (_, index) => upload(pool.uploadLane()).open(`spread/${index}`, 10_000));
  assert.equal(pool.stats.busy, 2);
  for (const one of uploads) one.send(4096, false).send(4096, false).send(1808, true);
  assert.equal(pool.stats.queued, 120);
  const outcomes = await Promise.all(uploads.map(({ outcome }) => outcome));
  assert.deepEqual(new Set(outcomes), new Set(['upload.stored']));
  assert.deepEqual([uploadBuffers.inUseBytes, pool.stats.busy, pool.stats.queued], [0, 0, 0]);
  for (let index = 0; index < 40; index += 1) {
    assert.equal(readFile(store.storage, `spread/${index}`).text, 'a'.repeat(10_000));
  }
});

test('gives new secrets to all lanes', async () => {
  pool.startLanes();
  pool.setSecrets(['a-newer-secret']);
  const lanes = [pool.uploadLane(), upload(pool.uploadLane()) && pool.uploadLane()];
  assert.notEqual(lanes[0], lanes[1]);
  const refused = lanes.map((lane, index) => upload(lane).open(`refused-${index}`, 5).outcome);
  assert.deepEqual(await Promise.all(refused), ['upload.failed', 'upload.failed']);
});

test('discards what is left when it stops, and ends its threads', async () => {
  pool.startLanes();
  for (let index = 0; index < 10; index += 1) upload(pool.uploadLane()).open(`left/${index}`, 10_000).send(4096, false);
  while (store.stagingFiles().length < 10) await delay(5);
  await pool.stop();
  assert.deepEqual(store.stagingFiles(), []);
  assert.deepEqual(readdirSync(store.settings.storeDir), ['.hfs']);
  assert.equal(pool.stats.workers, 0);
  assert.equal(uploadBuffers.inUseBytes, 0);
});

test('keeps to the places of its own lanes in the room ledger', async () => {
  pool.startLanes();
  for (let index = 0; index < 2; index += 1)
    upload(pool.uploadLane()).open(`promised/${index}`, 10_000).send(4096, false);
  while (store.stagingFiles().length < 2) await delay(5);
  const numbers = new BigInt64Array(roomLedger);
  const placeWords = RoomLedger.allocate(0).byteLength / BigInt64Array.BYTES_PER_ELEMENT;
  const isUsed = Array.from({ length: PLACES }, (_, place) =>
    numbers.subarray(place * placeWords, (place + 1) * placeWords).some((n) => n !== 0n),
  );
  assert.deepEqual(isUsed, [false, true, true, false], 'the first place belongs to another pool');
});

/** Makes the thread of a lane run out of heap. */
function exhaust(lane: LaneClient): void {
  const secrets = Array.from({ length: TOO_MANY_SECRETS }, (_, index) => `${index}`.padEnd(1_000_000, 'x'));
  lane.send({ type: 'secrets', secrets: [LANE_SECRET, ...secrets] }, null);
}

/** Two lanes with uploads on each: those of one will be lost. */
function occupyLanes(): { doomed: LaneClient; lost: PoolUpload[]; kept: PoolUpload[] } {
  pool.startLanes();
  const doomed = pool.uploadLane();
  const lost = [upload(doomed).open('lost/0', 10_000).send(4096, false)];
  const other = pool.uploadLane();
  assert.notEqual(other, doomed);
  lost.push(upload(doomed).open('lost/1', 10_000).send(4096, false));
  const kept = [0, 1].map((index) => upload(other).open(`kept/${index}`, 8192).send(4096, false));
  return { doomed, lost, kept };
}

test('F60 F61 loses with a thread the transfers of that thread, each once, and no other', async () => {
  const { doomed, lost, kept } = occupyLanes();
  exhaust(doomed);
  for (const one of lost) one.send(4096, false);
  assert.deepEqual(await Promise.all(lost.map(({ outcome }) => outcome)), ['worker-lost', 'worker-lost']);
  for (const one of kept) one.send(4096, true);
  assert.deepEqual(await Promise.all(kept.map(({ outcome }) => outcome)), ['upload.stored', 'upload.stored']);
  assert.deepEqual(
    lost.map(({ outcomes }) => outcomes),
    [1, 1],
  );
  await eventsDelivered();
  assert.equal(crashes.length, 1);
  assert.deepEqual([crashes[0]?.lane, crashes[0]?.transfers], [doomed.name, 2]);
  assert.match(crashes[0]?.code ?? '', /memory/);
  assert.equal(uploadBuffers.inUseBytes, 0, 'buffers of the lost thread are written off');
  assert.throws(() => readFile(store.storage, 'lost/0'));
});

test('F60 has a new lane within 500 ms, on which the same names can be uploaded', async () => {
  const { doomed, lost, kept } = occupyLanes();
  exhaust(doomed);
  await Promise.all(lost.map(({ outcome }) => outcome));
  const lostMs = performance.now();
  let lane = pool.uploadLane();
  while (lane === doomed || lane.transfers > 0) {
    assert.ok(performance.now() - lostMs < 500, 'no new lane');
    await delay(5);
    lane = pool.uploadLane();
  }
  assert.equal(await upload(lane).open('lost/0', 4096).send(4096, true).outcome, 'upload.stored');
  for (const one of kept) one.send(4096, true);
  await Promise.all(kept.map(({ outcome }) => outcome));
  assert.equal(pool.stats.workers, 3);
});

test('F60 F75 a path that a lost thread held can be overwritten as soon as the thread is gone', async () => {
  const { doomed, lost, kept } = occupyLanes();
  const { pathLocks } = store.settings;
  await overwrite(store.storage, 'held', 'old');
  // What the thread would hold in the middle of an overwrite: `upload-0` is the first lane.
  assert.equal(doomed.name, 'upload-0');
  await new PathLocks(pathLocks, FIRST_PLACE).acquire(store.hashOf('held'));
  const neighbour = new PathLocks(pathLocks, FIRST_PLACE + 1).tryAcquire(store.hashOf('other'));
  let isReplaced = false;
  const replacing = overwrite(store.storage, 'held', 'new').then(() => {
    isReplaced = true;
  });
  exhaust(doomed);
  await Promise.all(lost.map(({ outcome }) => outcome));
  assert.equal(isReplaced, false, 'it waited for the thread');
  await replacing;
  assert.equal(readFile(store.storage, 'held').text, 'new');
  assert.notEqual(neighbour, null);
  assert.equal(new PathLocks(pathLocks, 9).tryAcquire(store.hashOf('other')), null, 'those of others stay held');
  for (const one of kept) one.send(4096, true);
  await Promise.all(kept.map(({ outcome }) => outcome));
});

test('F60 ends every upload that begins while a lane is being replaced', async () => {
  const { doomed, lost, kept } = occupyLanes();
  exhaust(doomed);
  await Promise.all(lost.map(({ outcome }) => outcome));
  const begun = Array.from({ length: 10 }, (_, index) =>
    upload(pool.uploadLane()).open(`begun/${index}`, 4096).send(4096, true),
  );
  const outcomes = await Promise.all(begun.map(({ outcome }) => Promise.race([outcome, delay(2_000, 'forgotten')])));
  assert.deepEqual(
    outcomes.filter((outcome) => outcome === 'forgotten'),
    [],
  );
  for (const one of kept) one.send(4096, true);
  await Promise.all(kept.map(({ outcome }) => outcome));
  assert.equal(uploadBuffers.inUseBytes, 0);
});

test('F60 ends every download that begins while the only lane for it is being replaced', async () => {
  pool.startLanes();
  assert.equal(await lookFor('none'), 'download.failed');
  exhaust(pool.downloadLane());
  assert.equal(await lookFor('none'), 'worker-lost');
  assert.notEqual(await Promise.race([lookFor('none'), delay(2_000, 'forgotten')]), 'forgotten');
});

/** Opens a file on a download lane for its facts alone. */
function lookFor(key: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const lane = pool.downloadLane();
    const transfer = lane.begin({ receive: ({ type }) => resolve(type), laneLost: ({ code }) => resolve(code) });
    lane.send({ type: 'download.open', transfer, key: keyOf(key), offset: 0, buffer: null }, null);
  });
}

/** Resolves when the dispatcher has handed out what was published so far. */
async function eventsDelivered(): Promise<void> {
  while (crashes.length === 0) await delay(5);
}
