/** A lane over a real port and a real store: what it answers to each message, and that it never fails as a whole. */

import assert from 'node:assert/strict';
import { existsSync, truncateSync, writeFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { FileKey } from '../../src/shared/files.ts';
import type { FromLane, FromLaneBatch, ToLane } from '../../src/shared/messages.ts';
import { Lane } from '../../src/workers/lane.ts';
import { LANE_BUFFER_BYTES, LANE_SECRET, openUpload, pieceOf } from '../support/lane-fixture.ts';
import { keep, readFile, StoreFixture } from '../support/store-fixture.ts';
import { publicTreeOf, treeOf } from '../support/store-state.ts';

const TEXT = Buffer.from('a small body');

let store: StoreFixture;
let port: MessagePort;
let served: Promise<void>;
let answers: FromLane[];
let wake: () => void;

before(() => {
  store = new StoreFixture();
});

after(() => store.remove());

beforeEach(() => {
  const { port1, port2 } = new MessageChannel();
  port = port1;
  answers = [];
  wake = () => {};
  port1.on('message', (messages: FromLaneBatch) => {
    answers.push(...messages);
    wake();
  });
  served = new Lane({ port: port2, secrets: [LANE_SECRET], storage: store.storage }).serve();
});

afterEach(async () => {
  port.close();
  await served;
  assert.deepEqual(store.stagingFiles(), []);
});

function send(message: ToLane): void {
  const piece = 'piece' in message ? message.piece : null;
  const buffer = 'buffer' in message ? message.buffer : (piece?.buffer ?? null);
  port.postMessage([message], buffer === null ? [] : [buffer]);
}

async function next(): Promise<FromLane> {
  while (answers.length === 0) await new Promise<void>((resolve) => (wake = resolve));
  const [answer] = answers.splice(0, 1);
  assert.ok(answer !== undefined);
  return answer;
}

/** The next answer, of that type, with its buffer brought home. */
async function nextOf<T extends FromLane['type']>(type: T): Promise<Extract<FromLane, { type: T }>> {
  const answer = await next();
  assert.equal(answer.type, type, JSON.stringify(answer));
  return answer as Extract<FromLane, { type: T }>;
}

function openDownload(transfer: number, key: string, offset = 0, length = LANE_BUFFER_BYTES): void {
  send({ type: 'download.open', transfer, key: key as FileKey, offset, buffer: new ArrayBuffer(length) });
}

test('a body that comes with its head is one message in and one message out', async () => {
  send(openUpload({ transfer: 1, key: 'one', size: TEXT.length, piece: pieceOf(TEXT, true) }));
  const stored = await nextOf('upload.stored');
  assert.equal(stored.transfer, 1);
  assert.equal(stored.buffer.byteLength, LANE_BUFFER_BYTES);
  assert.match(stored.verified.fileId, /^[0-9a-f]{12}$/);
  assert.equal(stored.verified.secret, 'current');
  assert.deepEqual(stored.file, { size: TEXT.length, sha256: null });
  assert.equal(readFile(store.storage, 'one').text, `${TEXT}`);
});

test('a body in pieces is accepted, its buffers come back one by one, and the last piece commits it', async () => {
  send(openUpload({ transfer: 2, key: 'pieces', size: 3 * LANE_BUFFER_BYTES }));
  assert.equal((await nextOf('upload.accepted')).transfer, 2);
  for (const [index, letter] of ['a', 'b', 'c'].entries()) {
    assert.throws(() => readFile(store.storage, 'pieces'));
    const piece = pieceOf(Buffer.alloc(LANE_BUFFER_BYTES, letter), index === 2);
    send({ type: 'upload.data', transfer: 2, piece });
    const answer = await nextOf(index === 2 ? 'upload.stored' : 'upload.written');
    assert.equal(answer.buffer.byteLength, LANE_BUFFER_BYTES);
  }
  assert.equal(
    readFile(store.storage, 'pieces').text,
    'abc'.replaceAll(/./g, (c) => c.repeat(LANE_BUFFER_BYTES)),
  );
});

test('an empty body is stored', async () => {
  send(openUpload({ transfer: 3, key: 'empty', size: 0, piece: pieceOf(Buffer.alloc(0), true) }));
  assert.equal((await nextOf('upload.stored')).file.size, 0);
});

test('a signature that does not verify is refused before anything touches the disk', async () => {
  const before = treeOf(store.settings.storeDir);
  send(openUpload({ transfer: 4, key: 'bad/one', size: TEXT.length, piece: pieceOf(TEXT, true), secret: 'other' }));
  const failed = await nextOf('upload.failed');
  assert.deepEqual([failed.failure.code, failed.verified], ['signature-mismatch', null]);
  assert.equal(failed.buffer?.byteLength, LANE_BUFFER_BYTES);
  assert.deepEqual(treeOf(store.settings.storeDir), before);
});

test('new secrets count from the next upload on, and the former one as previous', async () => {
  send({ type: 'secrets', secrets: ['a-newer-secret', LANE_SECRET] });
  const piece = (): ReturnType<typeof pieceOf> => pieceOf(TEXT, true);
  send(openUpload({ transfer: 5, key: 'newer', size: TEXT.length, piece: piece(), secret: 'a-newer-secret' }));
  assert.equal((await nextOf('upload.stored')).verified.secret, 'current');
  send(openUpload({ transfer: 6, key: 'former', size: TEXT.length, piece: piece() }));
  assert.equal((await nextOf('upload.stored')).verified.secret, 'previous');
});

test('the type under the signature that verified is stored', async () => {
  const order = { transfer: 7, key: 'typed.png', size: TEXT.length, storedType: 'image/x-own' };
  send(openUpload({ ...order, piece: pieceOf(TEXT, true) }));
  await nextOf('upload.stored');
  assert.equal(readFile(store.storage, 'typed.png').info.type, 'image/x-own');
});

test('a body of another length fails and leaves nothing; what still comes is returned', async () => {
  send(openUpload({ transfer: 8, key: 'long', size: 5 }));
  await nextOf('upload.accepted');
  send({ type: 'upload.data', transfer: 8, piece: pieceOf(TEXT, false) });
  const failed = await nextOf('upload.failed');
  assert.equal(failed.failure.code, 'size-mismatch');
  assert.notEqual(failed.verified, null);
  send({ type: 'upload.data', transfer: 8, piece: pieceOf(TEXT, true) });
  assert.equal((await nextOf('buffer.returned')).buffer.byteLength, LANE_BUFFER_BYTES);
  send(openUpload({ transfer: 9, key: 'short', size: 500, piece: pieceOf(TEXT, true) }));
  assert.equal((await nextOf('upload.failed')).failure.code, 'size-mismatch');
  assert.ok(!publicTreeOf(store.settings.storeDir).some((path) => path === 'long' || path === 'short'));
});

test('an aborted upload leaves nothing and says nothing; its name is free', async () => {
  send(openUpload({ transfer: 10, key: 'aborted', size: 500 }));
  await nextOf('upload.accepted');
  send({ type: 'upload.abort', transfer: 10 });
  send({ type: 'upload.abort', transfer: 10 });
  send({ type: 'upload.data', transfer: 10, piece: pieceOf(TEXT, false) });
  await nextOf('buffer.returned');
  assert.deepEqual(store.stagingFiles(), []);
  send(openUpload({ transfer: 11, key: 'aborted', size: TEXT.length, piece: pieceOf(TEXT, true) }));
  await nextOf('upload.stored');
});

test('an upload that is aborted while it commits has its outcome all the same', async () => {
  send(openUpload({ transfer: 12, key: 'committed', size: TEXT.length, piece: pieceOf(TEXT, true) }));
  send({ type: 'upload.abort', transfer: 12 });
  await nextOf('upload.stored');
  assert.equal(readFile(store.storage, 'committed').text, `${TEXT}`);
});

test('a small file is opened, read and closed in one message', async () => {
  await keep(store.storage, 'small', '0123456789');
  openDownload(20, 'small');
  const opened = await nextOf('download.opened');
  assert.deepEqual([opened.length, opened.isOpen, opened.file.size], [10, false, 10]);
  assert.equal(Buffer.from(opened.buffer ?? new ArrayBuffer(0), 0, 10).toString(), '0123456789');
  send({ type: 'download.open', transfer: 21, key: 'small' as FileKey, offset: 0, buffer: null });
  const facts = await nextOf('download.opened');
  assert.deepEqual([facts.length, facts.isOpen, facts.buffer], [0, false, null]);
});

test('a file is read from any offset until it is closed; later reads only return their buffer', async () => {
  await keep(store.storage, 'large', 'abcdefgh'.repeat(1000));
  openDownload(22, 'large', 100, 8);
  const opened = await nextOf('download.opened');
  assert.deepEqual([opened.length, opened.isOpen], [8, true]);
  assert.equal(Buffer.from(opened.buffer ?? new ArrayBuffer(0)).toString(), 'efghabcd');
  const read = (offset: number, length: number): void =>
    send({ type: 'download.read', transfer: 22, offset, length, buffer: new ArrayBuffer(16) });
  read(7_996, 4);
  const bytes = await nextOf('download.bytes');
  assert.deepEqual([bytes.offset, bytes.length], [7_996, 4]);
  assert.equal(Buffer.from(bytes.buffer, 0, 4).toString(), 'efgh');
  send({ type: 'download.close', transfer: 22 });
  read(0, 16);
  await nextOf('buffer.returned');
});

test('an offset behind the end still tells the facts', async () => {
  await keep(store.storage, 'ten', '0123456789');
  openDownload(23, 'ten', 5_000);
  const opened = await nextOf('download.opened');
  assert.deepEqual([opened.length, opened.file.size], [0, 10]);
  send({ type: 'download.close', transfer: 23 });
});

test('a file that is not there, or becomes shorter, fails its download and nothing else', async () => {
  openDownload(24, 'none');
  const failed = await nextOf('download.failed');
  assert.deepEqual([failed.failure.code, failed.buffer?.byteLength], ['not-found', LANE_BUFFER_BYTES]);
  await keep(store.storage, 'shrinking', 'x'.repeat(10_000));
  openDownload(25, 'shrinking');
  await nextOf('download.opened');
  truncateSync(store.pathOf('shrinking'), 5_000);
  send({ type: 'download.read', transfer: 25, offset: 4_096, length: 4_096, buffer: new ArrayBuffer(4_096) });
  assert.equal((await nextOf('download.failed')).failure.code, 'io');
  openDownload(26, 'shrinking', 0, 16);
  assert.equal((await nextOf('download.opened')).file.size, 5_000);
});

test('when the port closes uploads are discarded, files are closed, and a commit that runs is finished', async () => {
  await keep(store.storage, 'open', 'x'.repeat(10_000));
  send(openUpload({ transfer: 30, key: 'left', size: 500, piece: pieceOf(TEXT, false) }));
  openDownload(31, 'open');
  send(openUpload({ transfer: 32, key: 'finished', size: TEXT.length, piece: pieceOf(TEXT, true) }));
  while (answers.length < 3) await new Promise<void>((resolve) => (wake = resolve));
  port.close();
  await served;
  assert.deepEqual(store.stagingFiles(), []);
  assert.equal(readFile(store.storage, 'finished').text, `${TEXT}`);
  assert.throws(() => readFile(store.storage, 'left'));
});

test('A84 a path that main would never send is refused by the lane, too', async () => {
  writeFileSync(`${store.folder}/outside`, 'outside');
  const before = treeOf(store.folder);
  const keys = [
    '../outside',
    'a/../../outside',
    '..',
    '.',
    '',
    '/etc/hostname',
    'a//b',
    './x',
    '.hfs/staging/x',
    '.HFS/x',
  ];
  for (const [index, key] of [...keys, 'nul\0', 'x/'].entries()) {
    openDownload(100 + index, key);
    await nextOf('download.failed');
    const target = key.replace('outside', 'written');
    const order = { transfer: 200 + index, key: target, size: TEXT.length };
    send(openUpload({ ...order, piece: pieceOf(TEXT, true) }));
    await nextOf('upload.failed');
    assert.equal(existsSync(`${store.folder}/written`), false, `PUT ${target}`);
  }
  assert.deepEqual(treeOf(store.folder), before);
});
