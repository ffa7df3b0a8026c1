/** Uploads among several lanes, cut plain uploads, concatenation and limits: who has the slot, the bytes and the room. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { ResourceName } from '../../src/shared/resumable.ts';
import { freeHoldingsOf, UploadHolders } from '../../src/shared/upload-holders.ts';
import { openUpload, pieceOf } from '../support/lane-fixture.ts';
import {
  appending,
  bodyOf,
  creation,
  discarding,
  inspection,
  resource,
  signatureOf,
  slot,
  TestLane,
} from '../support/resumable-fixture.ts';
import { readFile, StoreFixture } from '../support/store-fixture.ts';

const TEXT = Buffer.from('a small body of some length');
const HALF = 10;
const REST = TEXT.subarray(HALF);
/** Of a plain upload that may be asked for its slot; it begins in the same way. */
const LARGE = Buffer.alloc(300_000, TEXT);
const LARGE_REST = LARGE.subarray(HALF);

let store: StoreFixture;
let lane: TestLane;
let other: TestLane;

beforeEach(() => {
  store = new StoreFixture({ maxOpenUploads: 20 });
  lane = new TestLane(store.storage);
  other = new TestLane(store.neighbour());
});

afterEach(async () => {
  await Promise.all([lane.close(), other.close()]);
  assert.deepEqual(store.promisedRoom, { bytes: store.unwrittenBytes, files: 0 });
  assert.equal(store.openUploads, store.uploadFiles().filter((name) => name.endsWith('.data')).length);
  assert.equal(store.unfinishedBytes, store.bytesInUploadFiles);
  assert.deepEqual(store.stagingFiles(), []);
  store.remove();
});

async function create(key: string, size = TEXT.length): Promise<ResourceName> {
  return (await lane.run(creation(key, size))).state.name;
}

/** An append in this lane that has written half of its body and waits for the rest. */
async function hang(key: string, from = lane): Promise<{ name: ResourceName; transfer: number }> {
  const name = await create(key);
  const transfer = from.open(appending(resource(name), 0, bodyOf(TEXT.length)));
  await from.next(transfer, 'resumable.accepted');
  from.data(transfer, TEXT.subarray(0, HALF));
  await from.next(transfer, 'upload.written');
  return { name, transfer };
}

/** A plain upload in this lane of which the first bytes have been sent. */
async function plain(key: string, size = TEXT.length): Promise<number> {
  const transfer = 500;
  lane.send({ ...openUpload({ transfer, key, size }), isResumable: true });
  await lane.next(transfer, 'upload.accepted');
  lane.send({ type: 'upload.data', transfer, piece: pieceOf(TEXT.subarray(0, HALF), false) });
  await lane.next(transfer, 'upload.written');
  return transfer;
}

test('an append in one lane is taken over by one in another, at the offset that it stored', async () => {
  const { name, transfer } = await hang('other-lane');
  const last = other.run(appending(resource(name), HALF, bodyOf(REST.length)), REST);
  assert.equal((await lane.giveUp(transfer))?.offset, HALF);
  assert.equal((await last).state.isComplete, true);
  assert.equal(readFile(store.storage, 'other-lane').text, `${TEXT}`);
});

test('a discard takes over, too, and nothing is left', async () => {
  const { name, transfer } = await hang('discard');
  const discarded = other.run(discarding(resource(name)));
  await lane.giveUp(transfer);
  await discarded;
  assert.deepEqual(store.uploadFiles(), []);
});

test('a creation on the slot takes over from the append, whose upload is gone', async () => {
  const { name, transfer } = await hang('replaced');
  const creating = other.open(creation('replaced', TEXT.length));
  assert.equal((await lane.giveUp(transfer))?.offset, HALF);
  assert.equal((await other.next(creating, 'resumable.displaced')).state.offset, HALF);
  await other.next(creating, 'resumable.done');
  assert.equal((await other.fail(inspection(resource(name)))).code, 'upload-gone');
});

test('what waits for an upload is queued, and goes on as soon as it is free', async () => {
  const { name, transfer: former } = await hang('queued');
  const transfer = other.open(appending(resource(name), HALF, bodyOf(REST.length)), { piece: pieceOf(REST, true) });
  await lane.giveUp(former);
  assert.equal((await other.next(transfer, 'resumable.done')).outcome.state.isComplete, true);
  assert.equal(readFile(store.storage, 'queued').text, `${TEXT}`);
});

test('when a lane has died, what it held is freed, and whoever waits goes on', async () => {
  const name = await create('died');
  const dead = 7;
  assert.notEqual(new UploadHolders(store.settings.uploadHolders, dead).tryTake(name.id), null);
  const piece = pieceOf(TEXT, true);
  const transfer = lane.open(appending(resource(name), 0, bodyOf(TEXT.length)), { piece });
  freeHoldingsOf(store.settings.uploadHolders, dead);
  assert.equal((await lane.next(transfer, 'resumable.done')).outcome.state.isComplete, true);
});

test('a lane that ends keeps what has arrived', async () => {
  const { name } = await hang('ending', other);
  await other.close();
  other = new TestLane(store.neighbour());
  assert.equal((await other.run(inspection(resource(name)))).state.offset, HALF);
  await other.run(discarding(resource(name)));
});

test('a plain upload that is cut is gone on with by Content-Range, from where it was', async () => {
  const key = 'plain-cut';
  const transfer = await plain(key);
  lane.send({ type: 'upload.abort', transfer });
  const { state } = await lane.next(transfer, 'resumable.suspended');
  assert.deepEqual([state?.offset, state?.protocol, state?.isComplete], [HALF, 'range', false]);
  assert.throws(() => readFile(store.storage, key));
  const said = { protocol: 'range', length: TEXT.length } as const;
  const last = await other.run(appending(slot(key, TEXT.length), HALF, bodyOf(REST.length), said), REST);
  assert.equal(last.state.isComplete, true);
  assert.equal(readFile(store.storage, key).text, `${TEXT}`);
});

test('a plain upload that hangs is asked for its slot, and gone on with from all that came', async () => {
  const key = 'plain-hangs';
  const transfer = await plain(key, LARGE.length);
  const asked = other.open(inspection(slot(key, LARGE.length), 'range'));
  assert.equal((await lane.giveUp(transfer))?.offset, HALF);
  assert.equal((await other.next(asked, 'resumable.done')).outcome.state.offset, HALF);
  const said = { protocol: 'range', length: LARGE.length } as const;
  await other.run(appending(slot(key, LARGE.length), HALF, bodyOf(LARGE_REST.length), said), LARGE_REST);
  assert.equal(readFile(store.storage, key).text, `${LARGE}`);
});

test('who asks for the slot of a plain upload that comes to its end meanwhile finds the file', async () => {
  const key = 'plain-ends';
  const transfer = await plain(key, LARGE.length);
  const asked = other.open(inspection(slot(key, LARGE.length), 'range'));
  await lane.next(transfer, 'upload.wanted');
  lane.data(transfer, LARGE_REST, true);
  lane.send({ type: 'upload.abort', transfer });
  await lane.next(transfer, 'upload.stored');
  assert.equal((await other.next(asked, 'resumable.failed')).failure.code, 'exists');
});

test('a wrong signature disturbs no plain upload', async () => {
  const key = 'plain-undisturbed';
  const transfer = await plain(key, LARGE.length);
  const target = slot(key, LARGE.length);
  assert.ok(target.kind === 'slot');
  const signature = { ...target.signature, mac: '0'.repeat(64) };
  const failure = await other.fail(inspection({ ...target, signature }, 'range'));
  assert.equal(failure.code, 'signature-mismatch');
  lane.data(transfer, LARGE_REST, true);
  await lane.next(transfer, 'upload.stored');
});

test('a plain upload that is cut leaves the slot to a tus upload that has it', async () => {
  const name = await create('plain-tus');
  const transfer = await plain('plain-tus');
  lane.send({ type: 'upload.abort', transfer });
  assert.equal((await lane.next(transfer, 'resumable.suspended')).state, null);
  assert.equal((await lane.run(inspection(resource(name)))).state.offset, 0);
});

test('a plain upload whose body has another digest is refused, and leaves nothing', async () => {
  const digests = [{ algorithm: 'sha256', value: Buffer.alloc(32).toString('base64') }] as const;
  lane.send({
    ...openUpload({ transfer: 500, key: 'digest', size: TEXT.length, piece: pieceOf(TEXT, true) }),
    digests,
  });
  assert.equal((await lane.next(500, 'upload.failed')).failure.code, 'digest-mismatch');
  assert.throws(() => readFile(store.storage, 'digest'));
});

test('finished parts become one file, in the order and as often as they are listed; they stay', async () => {
  const part = async (text: string): Promise<ResourceName> => {
    const said = { length: text.length, concatenation: { kind: 'partial' }, body: bodyOf(text.length) } as const;
    return (await lane.run(creation('whole', 9, said), Buffer.from(text))).state.name;
  };
  const [first, second] = [await part('abc'), await part('def')];
  const said = {
    length: null,
    concatenation: { kind: 'final', parts: [second, first, second], text: 'final;x' },
  } as const;
  const { state, completed } = await other.run(creation('whole', 9, said));
  assert.deepEqual([state.length, state.concatText, completed?.file.size], [9, 'final;x', 9]);
  assert.equal(readFile(store.storage, 'whole').text, 'defabcdef');
  const seen = await lane.run(inspection(resource(first)));
  assert.deepEqual([seen.state.isComplete, seen.state.concatenation], [true, 'partial']);
  assert.equal((await lane.fail(appending(resource(state.name), 9, bodyOf(0)))).code, 'upload-final');
});

test('parts that are unfinished, unknown or of another length are no whole', async () => {
  const said = { length: 3, concatenation: { kind: 'partial' } } as const;
  const open = (await lane.run(creation('parts', 9, said))).state.name;
  const final = (parts: readonly ResourceName[]): Promise<string> =>
    lane
      .fail(creation('parts', 9, { length: null, concatenation: { kind: 'final', parts, text: 'final;x' } }))
      .then(({ code }) => code);
  assert.equal(await final([open]), 'part-unusable');
  assert.equal(await final([{ id: 'a'.repeat(32), mac: open.mac }]), 'part-unusable');
  assert.equal(await final([]), 'part-unusable');
  await lane.run(appending(resource(open), 0, bodyOf(3)), Buffer.from('abc'));
  assert.equal(await final([open]), 'length-unsigned');
});

test('there are at most so many unfinished uploads in all, and sixteen parts on a slot', async () => {
  const part = creation('many', 9, { length: 1, concatenation: { kind: 'partial' } });
  for (let count = 0; count < 16; count += 1) await lane.run(part);
  assert.equal((await lane.fail(part)).code, 'too-many-uploads');
  for (let count = 16; count < 20; count += 1) await lane.run(creation(`many/${count}`, 1));
  assert.equal((await lane.fail(creation('many/20', 1))).code, 'too-many-uploads');
  assert.equal(store.openUploads, 20);
});

test('a wrong signature makes nothing and takes nothing over', async () => {
  const { transfer } = await hang('unsigned');
  const signature = { ...signatureOf('unsigned', TEXT.length), mac: '0'.repeat(64) };
  const failure = await other.fail({ ...creation('unsigned', TEXT.length), signature });
  assert.deepEqual([failure.code, failure.state], ['signature-mismatch', null]);
  lane.data(transfer, REST, true);
  assert.equal((await lane.next(transfer, 'resumable.done')).outcome.state.isComplete, true);
});
