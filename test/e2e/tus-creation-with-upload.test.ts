/** tus on the wire: creation with data, deferred lengths, expiration (resumable.md 3.2: T-W, T-D, T-E). */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { content } from '../support/paced-transfer.ts';
import { exchange, fieldOf, RawConnection, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import {
  assertNotStored,
  assertRefused,
  assertStored,
  chunked,
  create,
  head,
  locationOf,
  offsetOf,
  patch,
  post,
  STREAM,
  slotWithSize,
  VERSION,
} from '../support/tus-wire.ts';

const SIZE = 300_000;
const MAX_SIZE = 400_000;
const BODY = content('tus-creation', SIZE);
const LENGTH = { ...VERSION, 'Upload-Length': String(SIZE) };
const DEFERRED = { ...VERSION, 'Upload-Defer-Length': '1' };

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ settings: { MaxUploadSize: MAX_SIZE } });
});

after(() => server.stop());

test('T-W1 POST with the whole body is 201 with Location and the offset, and the file is there', async () => {
  const response = await post(server, server.signedTarget('t-w1', SIZE), { ...LENGTH, ...STREAM }, BODY);
  assert.equal(fieldOf(response, 'upload-offset'), String(SIZE));
  assert.equal(await offsetOf(server, locationOf(response)), SIZE);
  await assertStored(server, 't-w1', BODY);
});

test('T-W2 POST with a first piece, PATCH for the rest', async () => {
  const first = BODY.subarray(0, 100_000);
  const response = await post(server, server.signedTarget('t-w2', SIZE), { ...LENGTH, ...STREAM }, first);
  assert.equal(fieldOf(response, 'upload-offset'), '100000');
  await assertNotStored(server, 't-w2');
  assert.equal((await patch(server, locationOf(response), 100_000, BODY.subarray(100_000))).status, 204);
  await assertStored(server, 't-w2', BODY);
});

test('T-W3 a POST body of another type is 415, and no data', async () => {
  const slot = server.signedTarget('t-w3', SIZE);
  assertRefused(await post(server, slot, { ...LENGTH, 'Content-Type': 'text/plain' }, BODY), 415);
  assertRefused(await post(server, slot, LENGTH, BODY), 415);
  await assertNotStored(server, 't-w3');
});

test('T-W4 a POST body larger than Upload-Length is 413', async () => {
  const length = { ...VERSION, ...STREAM, 'Upload-Length': '10' };
  assertRefused(await post(server, server.signedTarget('t-w4', 10), length, 'eleven byte'), 413);
  await assertNotStored(server, 't-w4');
});

/** Sends the head of a creation with data and Expect. */
async function expecting(slot: string): Promise<RawConnection> {
  const connection = await RawConnection.open(server.port);
  const fields = { ...LENGTH, ...STREAM, Expect: '100-continue', 'Content-Length': String(SIZE) };
  await connection.send(requestBytes('POST', slot, fields));
  return connection;
}

test('T-W5 an accepted creation with Expect: 100-continue is told to go on, then 201', async () => {
  const connection = await expecting(server.signedTarget('t-w5', SIZE));
  assert.equal((await connection.response()).status, 100);
  await connection.send(BODY);
  assert.equal((await connection.response()).status, 201);
  connection.drop();
  await assertStored(server, 't-w5', BODY);
});

test('T-W6 a refused creation with Expect: 100-continue is a final 403', async () => {
  const connection = await expecting('/files/t-w6?v=00');
  assert.equal((await connection.finalResponse()).status, 403);
  connection.drop();
});

test('T-W7 a chunked POST body is taken like one with a length', async () => {
  const fields = { ...LENGTH, ...STREAM, 'Transfer-Encoding': 'chunked' };
  const request = requestBytes('POST', server.signedTarget('t-w7', SIZE), fields);
  const response = await exchange(server.port, Buffer.concat([request, chunked(BODY)]));
  assert.equal(response.status, 201);
  assert.equal(fieldOf(response, 'upload-offset'), String(SIZE));
  await assertStored(server, 't-w7', BODY);
});

function defer(key: string, size = SIZE): Promise<RawResponse> {
  return post(server, slotWithSize(server, key, size), DEFERRED);
}

test('T-D1, T-D2 a deferred length is 201, and stays deferred after a PATCH', async () => {
  const path = locationOf(await defer('t-d1'));
  for (const offset of [0, 1_000]) {
    if (offset > 0) assert.equal((await patch(server, path, 0, BODY.subarray(0, offset))).status, 204);
    const response = await head(server, path);
    assert.equal(fieldOf(response, 'upload-offset'), String(offset));
    assert.equal(fieldOf(response, 'upload-defer-length'), '1');
    assert.equal(fieldOf(response, 'upload-length'), null);
  }
});

test('T-D1 a deferred length without a signed size is 400', async () => {
  assertRefused(await post(server, server.signedTarget('t-d1-bare', SIZE), DEFERRED), 400);
});

test('T-D3, T-D4 Upload-Length in a later PATCH sets it, for good', async () => {
  const path = locationOf(await defer('t-d3'));
  const length = { 'Upload-Length': String(SIZE) };
  assert.equal((await patch(server, path, 0, BODY.subarray(0, 1_000), length)).status, 204);
  const response = await head(server, path);
  assert.equal(fieldOf(response, 'upload-length'), String(SIZE));
  assert.equal(fieldOf(response, 'upload-defer-length'), null);
  const other = { 'Upload-Length': String(SIZE - 1) };
  assertRefused(await patch(server, path, 1_000, BODY.subarray(1_000, 2_000), other), 400);
  assert.equal(await offsetOf(server, path), 1_000);
  assert.equal((await patch(server, path, 1_000, BODY.subarray(1_000), length)).status, 204);
  await assertStored(server, 't-d3', BODY);
});

test('T-D5 a length given at creation cannot be changed, and may be repeated', async () => {
  const path = await create(server, 't-d5', SIZE);
  const other = { 'Upload-Length': String(SIZE + 1) };
  assertRefused(await patch(server, path, 0, BODY.subarray(0, 10), other), 400);
  const same = { 'Upload-Length': String(SIZE) };
  assert.equal((await patch(server, path, 0, BODY.subarray(0, 10), same)).status, 204);
});

test('T-D6 a length below the offset is 400', async () => {
  const path = locationOf(await defer('t-d6'));
  await patch(server, path, 0, BODY.subarray(0, 1_000));
  const response = await patch(server, path, 1_000, 'a', { 'Upload-Length': '999' });
  assert.ok(response.status === 400 || response.status === 403, String(response.status));
  assert.equal(await offsetOf(server, path), 1_000);
});

test('T-D7 an empty PATCH with the length at the offset completes the upload', async () => {
  const path = locationOf(await defer('t-d7'));
  await patch(server, path, 0, BODY);
  await assertNotStored(server, 't-d7');
  assert.equal((await patch(server, path, SIZE, '', { 'Upload-Length': String(SIZE) })).status, 204);
  await assertStored(server, 't-d7', BODY);
});

test('T-D8 a late length that is not the signed one is 403, above the maximum 413', async () => {
  const path = locationOf(await defer('t-d8'));
  assertRefused(await patch(server, path, 0, 'a', { 'Upload-Length': String(SIZE + 1) }), 403);
  assertRefused(await patch(server, path, 0, 'a', { 'Upload-Length': '9007199254740993' }), 413);
  assert.equal(await offsetOf(server, path), 0);
});

test('a body without a length never goes beyond the signed size', async () => {
  const path = locationOf(await defer('t-d-long', 1_000));
  const response = await patch(server, path, 0, BODY.subarray(0, 1_001));
  assertRefused(response, 413);
  assert.ok((await offsetOf(server, path)) <= 1_000);
});

test('T-E1, T-E2 creation and every PATCH of an unfinished upload tell when it expires', async () => {
  const created = await post(server, server.signedTarget('t-e1', SIZE), LENGTH);
  const path = locationOf(created);
  const appended = await patch(server, path, 0, BODY.subarray(0, 1_000));
  for (const response of [created, appended, await head(server, path)]) {
    const expires = fieldOf(response, 'upload-expires') ?? '';
    assert.match(expires, /^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$/);
    const hours = (Date.parse(expires) - Date.now()) / 3_600_000;
    assert.ok(hours > 23 && hours <= 24, expires);
  }
  const last = await patch(server, path, 1_000, BODY.subarray(1_000));
  assert.equal(fieldOf(last, 'upload-expires'), null);
});
