/** tus on the wire: HEAD and PATCH (resumable.md 3.2: T-H, T-P1 to T-P16, T-P21 to T-P23, T-P28). */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { content } from '../support/paced-transfer.ts';
import { exchange, fieldOf, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import {
  appendFields,
  assertNotStored,
  assertRefused,
  assertStored,
  type Coding,
  create,
  head,
  offsetOf,
  patch,
  patchBytes,
  remove,
  STREAM,
  VERSION,
} from '../support/tus-wire.ts';

const SIZE = 300_000;
const BODY = content('tus-patch', SIZE);
const UNKNOWN = `/files/.hfs/u/${'0'.repeat(32)}.${'A'.repeat(22)}`;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

test('T-H1, T-H2 HEAD tells offset and length, and is not kept', async () => {
  const response = await head(server, await create(server, 't-h1', SIZE));
  assert.equal(response.status, 200);
  assert.equal(fieldOf(response, 'upload-offset'), '0');
  assert.equal(fieldOf(response, 'upload-length'), String(SIZE));
  assert.equal(fieldOf(response, 'cache-control'), 'no-store');
  assert.equal(fieldOf(response, 'content-length'), null);
});

test('T-H3, T-P11, T-X3 HEAD, PATCH and DELETE of an unknown upload are 404, HEAD without an offset', async () => {
  const response = await head(server, UNKNOWN);
  assert.equal(response.status, 404);
  assert.equal(fieldOf(response, 'upload-offset'), null);
  assertRefused(await patch(server, UNKNOWN, 0, 'abc'), 404);
  assertRefused(await remove(server, UNKNOWN), 404);
});

test('T-H4, T-P1 PATCH with the whole body is 204, the content is stored, and HEAD says so', async () => {
  const path = await create(server, 't-p1', SIZE);
  const response = await patch(server, path, 0, BODY);
  assert.equal(response.status, 204);
  assert.equal(fieldOf(response, 'upload-offset'), String(SIZE));
  assert.equal(fieldOf(response, 'content-length'), null);
  await assertStored(server, 't-p1', BODY);
  assert.equal(await offsetOf(server, path), SIZE);
});

test('T-H5 HEAD, PATCH, HEAD and GET on one connection are each framed right', async () => {
  const path = await create(server, 't-h5', 3);
  const connection = await RawConnection.open(server.port);
  await connection.send(requestBytes('HEAD', path, VERSION));
  assert.equal(fieldOf(await connection.response({ isToHead: true }), 'upload-offset'), '0');
  await connection.send(patchBytes(path, appendFields(0), 'abc'));
  assert.equal((await connection.response()).status, 204);
  await connection.send(requestBytes('HEAD', path, VERSION));
  assert.equal(fieldOf(await connection.response({ isToHead: true }), 'upload-offset'), '3');
  await connection.send(requestBytes('GET', '/files/t-h5'));
  assert.equal((await connection.response()).body.toString(), 'abc');
  connection.drop();
});

test('T-H6 HEAD without Tus-Resumable on an upload is 412 with Tus-Version', async () => {
  const response = await head(server, await create(server, 't-h6', SIZE), {});
  assert.equal(response.status, 412);
  assert.equal(fieldOf(response, 'tus-version'), '1.0.0');
});

test('GET of an upload is 404: it is no representation of the file', async () => {
  const path = await create(server, 't-get', SIZE);
  await patch(server, path, 0, BODY.subarray(0, 1_000));
  for (const fields of [VERSION, {}]) {
    assert.equal((await exchange(server.port, requestBytes('GET', path, fields))).status, 404);
  }
});

test('T-P2 PATCH in three pieces adds up, and the file appears with the last', async () => {
  const path = await create(server, 't-p2', SIZE);
  let offset = 0;
  for (const end of [1, 200_000, SIZE]) {
    await assertNotStored(server, 't-p2');
    const response = await patch(server, path, offset, BODY.subarray(offset, end));
    assert.equal(response.status, 204);
    assert.equal(fieldOf(response, 'upload-offset'), String(end));
    assert.equal(await offsetOf(server, path), end);
    offset = end;
  }
  await assertStored(server, 't-p2', BODY);
});

test('T-P3 to T-P5 another Content-Type, or none, is 415 and changes nothing', async () => {
  const path = await create(server, 't-p3', SIZE);
  for (const type of ['application/octet-stream', 'application/partial-upload', 'text/plain']) {
    assertRefused(await patch(server, path, 0, 'abc', { 'Content-Type': type }), 415, type);
  }
  const untyped = requestBytes('PATCH', path, { ...VERSION, 'Upload-Offset': '0' }, 'abc');
  assertRefused(await exchange(server.port, untyped), 415);
  assert.equal(await offsetOf(server, path), 0);
});

test('T-P6, T-P7 an offset too small or too large is 409 with the right one, and changes nothing', async () => {
  const path = await create(server, 't-p6', SIZE);
  await patch(server, path, 0, BODY.subarray(0, 1_000));
  for (const offset of [0, 999, 1_001, SIZE, SIZE + 1, '9999999999999999999']) {
    const response = await patch(server, path, offset, BODY.subarray(1_000, 1_100));
    assertRefused(response, 409, String(offset));
    assert.equal(fieldOf(response, 'upload-offset'), '1000');
  }
  assert.equal((await patch(server, path, 1_000, BODY.subarray(1_000))).status, 204);
  await assertStored(server, 't-p6', BODY);
});

test('T-P8, T-P10 no Upload-Offset, and two that differ, are 400 and change nothing', async () => {
  const path = await create(server, 't-p8', SIZE);
  assertRefused(await exchange(server.port, patchBytes(path, { ...VERSION, ...STREAM }, 'abc')), 400);
  const lines = 'Upload-Offset: 0\r\nUpload-Offset: 1\r\nTus-Resumable: 1.0.0\r\n';
  const type = 'Content-Type: application/offset+octet-stream\r\n';
  const request = `PATCH ${path} HTTP/1.1\r\nHost: test\r\n${lines}${type}Content-Length: 3\r\n\r\nabc`;
  assertRefused(await exchange(server.port, request), 400);
  assert.equal(await offsetOf(server, path), 0);
});

for (const [row, offset] of ['-1', 'abc', '0x0', '0.0', '+0', '0, 0'].entries()) {
  test(`T-P9.${row + 1} Upload-Offset ${offset} is 400 and changes nothing`, async () => {
    const path = await create(server, `t-p9-${row}`, SIZE);
    assertRefused(await patch(server, path, offset, 'abc'), 400);
    assert.equal(await offsetOf(server, path), 0);
  });
}

test('T-P12, T-P13 an empty PATCH at the offset is 204, also at the end of a finished upload', async () => {
  const path = await create(server, 't-p12', SIZE);
  for (const offset of [0, SIZE]) {
    const response = await patch(server, path, offset, '');
    assert.equal(response.status, 204);
    assert.equal(fieldOf(response, 'upload-offset'), String(offset));
    if (offset === 0) await patch(server, path, 0, BODY);
  }
  await assertStored(server, 't-p12', BODY);
});

test('T-P14 a body beyond the length is 413 and never stored past it', async () => {
  const path = await create(server, 't-p14', 1_000);
  assertRefused(await patch(server, path, 0, BODY.subarray(0, 1_001)), 413);
  const offset = await offsetOf(server, path);
  assert.ok(offset <= 1_000);
  assert.equal((await patch(server, path, offset, BODY.subarray(offset, 1_000))).status, 204);
  await assertStored(server, 't-p14', BODY.subarray(0, 1_000));
});

test('T-P15 PATCH with chunked coding is 204', async () => {
  const path = await create(server, 't-p15', SIZE);
  const response = await exchange(server.port, patchBytes(path, appendFields(0), BODY, 'chunked'));
  assert.equal(response.status, 204);
  assert.equal(fieldOf(response, 'upload-offset'), String(SIZE));
  await assertStored(server, 't-p15', BODY);
});

test('T-P16 a chunked body beyond the length is 413 or cut, the offset never above the length', async () => {
  const path = await create(server, 't-p16', 100_000);
  const status = await exchange(server.port, patchBytes(path, appendFields(0), BODY, 'chunked')).then(
    (response) => response.status,
    () => 'cut' as const,
  );
  assert.ok(status === 413 || status === 'cut', String(status));
  const response = await head(server, path);
  const offset = Number(fieldOf(response, 'upload-offset'));
  assert.ok(response.status === 200 && offset <= 100_000);
  if (offset < 100_000) {
    assert.equal((await patch(server, path, offset, BODY.subarray(offset, 100_000))).status, 204);
  }
  await assertStored(server, 't-p16', BODY.subarray(0, 100_000));
});

test('T-P21 POST with X-HTTP-Method-Override: PATCH is a PATCH', async () => {
  const codings: readonly Coding[] = ['length', 'chunked'];
  for (const coding of codings) {
    const key = `t-p21-${coding}`;
    const path = await create(server, key, SIZE);
    const bytes = patchBytes(path, { ...appendFields(0), 'X-HTTP-Method-Override': 'PATCH' }, BODY, coding);
    const overridden = Buffer.concat([Buffer.from('POST'), bytes.subarray('PATCH'.length)]);
    assert.equal((await exchange(server.port, overridden)).status, 204);
    await assertStored(server, key, BODY);
  }
});

test('T-P22, T-P23 POST with the override HEAD and DELETE are those; every other override is 400', async () => {
  const path = await create(server, 't-p22', SIZE);
  const overridden = (method: string): Buffer =>
    requestBytes('POST', path, { ...VERSION, 'X-HTTP-Method-Override': method, 'Content-Length': '0' });
  const inspected = await exchange(server.port, overridden('HEAD'));
  assert.equal(inspected.status, 200);
  assert.equal(fieldOf(inspected, 'upload-length'), String(SIZE));
  assert.equal(inspected.body.length, 0);
  for (const method of ['PUT', 'GET', 'OPTIONS', 'patch', '']) {
    assert.equal((await exchange(server.port, overridden(method))).status, 400, method);
  }
  assert.equal((await exchange(server.port, overridden('DELETE'))).status, 204);
  assert.equal((await head(server, path)).status, 404);
});

test('T-P28 names that are no upload are 4xx, whatever stands in them', async () => {
  const tree = '/files/.hfs/u/';
  const names = ['%2e%2e%2f', '%2e%2e', '..\\', '..', '%00', 'x'.repeat(300), '', 'a/b', '../../etc/passwd'];
  for (const name of [
    ...names,
    `${'0'.repeat(32)}.`,
    `${'0'.repeat(32)}`,
    `..%2f${'0'.repeat(32)}.${'A'.repeat(22)}`,
  ]) {
    const { status } = await exchange(server.port, patchBytes(tree + name, appendFields(0), 'abc'));
    assert.ok(status >= 400 && status < 500, `${JSON.stringify(name)}: ${status}`);
  }
});

test('A-7 an upload needs nothing but its URL, and one with a character changed is unknown', async () => {
  const path = await create(server, 'a-7', SIZE);
  assert.ok(!path.includes('?'));
  for (const at of [path.length - 1, path.length - 22, path.indexOf('.hfs/u/') + 7, path.indexOf('.hfs/u/') + 38]) {
    const other = path[at] === 'a' ? 'b' : 'a';
    const changed = path.slice(0, at) + other + path.slice(at + 1);
    assertRefused(await patch(server, changed, 0, 'abc'), 404, changed);
  }
  assert.equal(await offsetOf(server, path), 0);
});
