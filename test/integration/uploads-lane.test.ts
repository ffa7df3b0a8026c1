/** Uploads that can be gone on with, through a lane: create, append, inspect, discard, complete. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { ExpectedDigest, ResourceName } from '../../src/shared/resumable.ts';
import {
  appending,
  bodyOf,
  creation,
  discarding,
  inspection,
  resource,
  slot,
  TestLane,
} from '../support/resumable-fixture.ts';
import { overwrite, readFile, StoreFixture } from '../support/store-fixture.ts';

const TEXT = Buffer.from('a small body of some length');
const HALF = 10;

let store: StoreFixture;
let lane: TestLane;

before(() => {
  store = new StoreFixture();
});

after(() => store.remove());

beforeEach(() => {
  lane = new TestLane(store.storage);
});

afterEach(async () => {
  await lane.close();
  assert.deepEqual(store.promisedRoom, { bytes: store.unwrittenBytes, files: 0 });
  assert.equal(store.unfinishedBytes, store.bytesInUploadFiles);
});

function digestOf(algorithm: ExpectedDigest['algorithm'], bytes: Uint8Array): ExpectedDigest {
  return { algorithm, value: createHash(algorithm).update(bytes).digest('base64') };
}

async function create(key: string, size = TEXT.length): Promise<ResourceName> {
  const { state } = await lane.run(creation(key, size));
  return state.name;
}

test('an upload in two pieces grows, and its last byte commits it', async () => {
  const name = await create('two');
  assert.throws(() => readFile(store.storage, 'two'));
  const first = await lane.run(appending(resource(name), 0, bodyOf(HALF)), TEXT.subarray(0, HALF));
  assert.deepEqual([first.state.offset, first.state.isComplete, first.completed], [HALF, false, null]);
  const seen = await lane.run(inspection(resource(name)));
  assert.deepEqual([seen.state.offset, seen.state.length], [HALF, TEXT.length]);
  assert.throws(() => readFile(store.storage, 'two'));
  const rest = TEXT.subarray(HALF);
  const last = await lane.run(appending(resource(name), HALF, bodyOf(rest.length)), rest);
  assert.equal(last.state.isComplete, true);
  assert.deepEqual(last.completed?.file, { size: TEXT.length, sha256: null });
  assert.equal(readFile(store.storage, 'two').text, `${TEXT}`);
});

test('a finished upload is remembered: it can be inspected, nothing at its end is done again, more is refused', async () => {
  const name = await create('done');
  await lane.run(appending(resource(name), 0, bodyOf(TEXT.length)), TEXT);
  const seen = await lane.run(inspection(resource(name)));
  assert.deepEqual([seen.state.offset, seen.state.isComplete, seen.completed], [TEXT.length, true, null]);
  const again = await lane.run(appending(resource(name), TEXT.length, bodyOf(0)));
  assert.deepEqual([again.state.isComplete, again.completed], [true, null]);
  const more = await lane.fail(appending(resource(name), TEXT.length, bodyOf(4)), Buffer.from('more'));
  assert.equal(more.code, 'upload-complete');
  assert.equal((await lane.fail(discarding(resource(name)))).code, 'upload-complete');
  assert.equal((await lane.fail(creation('done', TEXT.length))).code, 'exists');
});

test('a creation with its whole body stores the file', async () => {
  const { state, completed } = await lane.run(creation('at-once', TEXT.length, { body: bodyOf(TEXT.length) }), TEXT);
  assert.equal(state.isComplete, true);
  assert.equal(completed?.file.size, TEXT.length);
  assert.equal(readFile(store.storage, 'at-once').text, `${TEXT}`);
});

test('an empty upload is complete when it is created', async () => {
  const { state } = await lane.run(creation('empty', 0));
  assert.equal(state.isComplete, true);
  assert.equal(readFile(store.storage, 'empty').text, '');
});

test('another offset is refused with the right one, and nothing changes', async () => {
  const name = await create('offset');
  for (const offset of [1, TEXT.length]) {
    const { code, state } = await lane.fail(appending(resource(name), offset, bodyOf(0)));
    assert.deepEqual([code, state?.offset], ['offset-mismatch', 0]);
  }
  await lane.run(discarding(resource(name)));
});

test('an upload that is discarded leaves nothing and is unknown, as one that never was', async () => {
  const name = await create('discarded');
  await lane.run(appending(resource(name), 0, bodyOf(HALF)), TEXT.subarray(0, HALF));
  await lane.run(discarding(resource(name)));
  for (const other of [name, { id: 'f'.repeat(32), mac: name.mac }, { id: '../../x', mac: name.mac }]) {
    const failure = await lane.fail(inspection(resource(other)));
    assert.deepEqual(failure, { code: 'upload-unknown', detail: 'upload-unknown', state: null, discarded: null });
  }
  assert.deepEqual(
    store.uploadFiles().filter((file) => file.startsWith(name.id)),
    [],
  );
});

test('an upload answers to its own MAC only, and to the protocol that made it', async () => {
  const name = await create('mac');
  const other = await create('other-mac');
  const changed = name.mac.startsWith('A') ? `B${name.mac.slice(1)}` : `A${name.mac.slice(1)}`;
  for (const mac of [changed, other.mac, '', `${name.mac}A`]) {
    assert.equal((await lane.fail(inspection(resource({ id: name.id, mac })))).code, 'upload-unknown');
  }
  assert.equal((await lane.fail(inspection(resource(name), 'ietf'))).code, 'upload-protocol');
  await lane.run(discarding(resource(name)));
  await lane.run(discarding(resource(other)));
});

test('a body that does not have its checksum counts for nothing, and a right one does', async () => {
  const name = await create('checksum');
  await lane.run(appending(resource(name), 0, bodyOf(HALF)), TEXT.subarray(0, HALF));
  const rest = TEXT.subarray(HALF);
  const wrong = bodyOf(rest.length, { digests: [digestOf('sha1', TEXT)] });
  const { code, state } = await lane.fail(appending(resource(name), HALF, wrong), rest);
  assert.deepEqual([code, state?.offset], ['digest-mismatch', HALF]);
  const right = bodyOf(rest.length, { digests: [digestOf('sha1', rest), digestOf('md5', rest)] });
  assert.equal((await lane.run(appending(resource(name), HALF, right), rest)).state.isComplete, true);
  assert.equal(readFile(store.storage, 'checksum').text, `${TEXT}`);
});

test('an upload whose whole content does not have its digest is dropped', async () => {
  const digests = [digestOf('sha256', Buffer.from('another'))];
  const { state } = await lane.run(creation('repr', TEXT.length, { digests }));
  await lane.run(appending(resource(state.name), 0, bodyOf(HALF)), TEXT.subarray(0, HALF));
  const rest = TEXT.subarray(HALF);
  const failure = await lane.fail(appending(resource(state.name), HALF, bodyOf(rest.length)), rest);
  assert.deepEqual([failure.code, failure.discarded?.name.id], ['digest-mismatch', state.name.id]);
  assert.equal((await lane.fail(inspection(resource(state.name)))).code, 'upload-unknown');
  assert.throws(() => readFile(store.storage, 'repr'));
});

test('lengths are those that are signed, and cannot be changed', async () => {
  const unsigned = creation('lengths', TEXT.length, { length: TEXT.length + 1 });
  assert.equal((await lane.fail(unsigned)).code, 'length-unsigned');
  const { state } = await lane.run(creation('lengths', TEXT.length, { length: null }));
  assert.equal(state.length, null);
  const late = async (offset: number, length: number): Promise<string> =>
    (await lane.fail(appending(resource(state.name), offset, bodyOf(0), { length }))).code;
  assert.equal(await late(0, TEXT.length + 1), 'length-unsigned');
  await lane.run(appending(resource(state.name), 0, bodyOf(HALF), { length: TEXT.length }), TEXT.subarray(0, HALF));
  assert.equal((await lane.run(inspection(resource(state.name)))).state.length, TEXT.length);
  assert.equal(await late(HALF, TEXT.length - 1), 'length-mismatch');
  const tooLong = appending(resource(state.name), HALF, bodyOf(TEXT.length));
  assert.equal((await lane.fail(tooLong, TEXT)).code, 'body-too-long');
  const rest = TEXT.subarray(HALF);
  assert.equal((await lane.run(appending(resource(state.name), HALF, bodyOf(null)), rest)).state.isComplete, true);
});

test('IETF: only what the client calls complete is complete', async () => {
  const said = { protocol: 'ietf', body: bodyOf(TEXT.length, { completes: false }) } as const;
  const { state } = await lane.run(creation('ietf', TEXT.length, said), TEXT);
  assert.deepEqual([state.offset, state.isComplete], [TEXT.length, false]);
  const end = { ...bodyOf(0), completes: true };
  const last = await lane.run(appending(resource(state.name), TEXT.length, end, { protocol: 'ietf' }));
  assert.equal(last.state.isComplete, true);
  assert.equal(readFile(store.storage, 'ietf').text, `${TEXT}`);
});

test('IETF: an upload that is to become too long is no more', async () => {
  const said = { protocol: 'ietf', body: bodyOf(HALF, { completes: false }) } as const;
  const { state } = await lane.run(creation('invalid', TEXT.length, said), TEXT.subarray(0, HALF));
  const body = bodyOf(TEXT.length, { completes: true });
  const failure = await lane.fail(appending(resource(state.name), HALF, body, { protocol: 'ietf' }), TEXT);
  assert.deepEqual([failure.code, failure.discarded?.offset], ['body-too-long', HALF]);
  assert.equal((await lane.fail(inspection(resource(state.name), 'ietf'))).code, 'upload-unknown');
});

test('a new creation takes the slot of an unfinished upload, which is gone', async () => {
  const name = await create('slot');
  await lane.run(appending(resource(name), 0, bodyOf(HALF)), TEXT.subarray(0, HALF));
  const transfer = lane.open(creation('slot', TEXT.length));
  const { state: displaced } = await lane.next(transfer, 'resumable.displaced');
  assert.deepEqual([displaced.name.id, displaced.offset], [name.id, HALF]);
  const { outcome } = await lane.next(transfer, 'resumable.done');
  assert.equal((await lane.fail(inspection(resource(name)))).code, 'upload-gone');
  await lane.run(discarding(resource(outcome.state.name)));
});

test('parts by Content-Range make the upload of a slot, grow it and complete it', async () => {
  const target = slot('range', TEXT.length);
  const said = { protocol: 'range', length: TEXT.length } as const;
  assert.equal((await lane.fail(inspection(target, 'range'))).code, 'upload-unknown');
  assert.equal((await lane.fail(appending(target, 5, bodyOf(1), said))).code, 'offset-mismatch');
  const first = await lane.run(appending(target, 0, bodyOf(HALF), said), TEXT.subarray(0, HALF));
  assert.deepEqual([first.state.offset, first.state.isComplete], [HALF, false]);
  assert.equal((await lane.run(inspection(target, 'range'))).state.offset, HALF);
  const overlap = await lane.fail(appending(target, 0, bodyOf(HALF), said), TEXT.subarray(0, HALF));
  assert.deepEqual([overlap.code, overlap.state?.offset], ['offset-mismatch', HALF]);
  const rest = TEXT.subarray(HALF);
  assert.equal((await lane.run(appending(target, HALF, bodyOf(rest.length), said), rest)).state.isComplete, true);
  assert.equal((await lane.fail(inspection(target, 'range'))).code, 'exists');
  assert.equal((await lane.fail(appending(target, 0, bodyOf(HALF), said), TEXT.subarray(0, HALF))).code, 'exists');
  assert.equal(readFile(store.storage, 'range').text, `${TEXT}`);
});

test('another content on the slot is a conflict for ever, unless contents are replaced', async () => {
  const name = await create('conflict');
  await overwrite(store.storage, 'conflict', 'the other');
  const failure = await lane.fail(appending(resource(name), 0, bodyOf(TEXT.length)), TEXT);
  assert.deepEqual([failure.code, failure.discarded?.name.id], ['exists', name.id]);
  assert.equal((await lane.fail(inspection(resource(name)))).code, 'exists');
  const versioned = await lane.run(creation('conflict', TEXT.length, { body: bodyOf(TEXT.length) }), TEXT, 5);
  assert.equal(versioned.completed?.replaced?.size, 'the other'.length);
  assert.equal(readFile(store.storage, 'conflict').text, `${TEXT}`);
});

test('a connection that is cut keeps what arrived; the client goes on there', async () => {
  const name = await create('cut');
  const transfer = lane.open(appending(resource(name), 0, bodyOf(TEXT.length)));
  await lane.next(transfer, 'resumable.accepted');
  lane.data(transfer, TEXT.subarray(0, HALF));
  await lane.next(transfer, 'upload.written');
  lane.send({ type: 'upload.abort', transfer });
  assert.equal((await lane.next(transfer, 'resumable.suspended')).state?.offset, HALF);
  const rest = TEXT.subarray(HALF);
  assert.equal((await lane.run(appending(resource(name), HALF, bodyOf(rest.length)), rest)).state.isComplete, true);
});

test('a connection with a checksum that is cut keeps nothing of it', async () => {
  const name = await create('cut-checksum');
  const body = bodyOf(TEXT.length, { digests: [digestOf('sha256', TEXT)] });
  const transfer = lane.open(appending(resource(name), 0, body));
  await lane.next(transfer, 'resumable.accepted');
  lane.data(transfer, TEXT.subarray(0, HALF));
  await lane.next(transfer, 'upload.written');
  lane.send({ type: 'upload.abort', transfer });
  assert.equal((await lane.next(transfer, 'resumable.suspended')).state?.offset, 0);
  await lane.run(discarding(resource(name)));
});

test('the newest request goes on: it waits until the one before it has stored all that came, also in between', async () => {
  const name = await create('takeover');
  const first = lane.open(appending(resource(name), 0, bodyOf(TEXT.length)));
  await lane.next(first, 'resumable.accepted');
  lane.data(first, TEXT.subarray(0, HALF));
  await lane.next(first, 'upload.written');
  const seen = lane.open(inspection(resource(name)));
  await lane.next(first, 'upload.wanted');
  lane.data(first, TEXT.subarray(HALF, HALF + 5));
  lane.send({ type: 'upload.abort', transfer: first });
  await lane.next(first, 'upload.written');
  assert.equal((await lane.next(first, 'resumable.suspended')).state?.offset, HALF + 5);
  assert.equal((await lane.next(seen, 'resumable.done')).outcome.state.offset, HALF + 5);
  const rest = TEXT.subarray(HALF + 5);
  assert.equal((await lane.run(appending(resource(name), HALF + 5, bodyOf(rest.length)), rest)).state.isComplete, true);
});
