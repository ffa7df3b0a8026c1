/** One PUT with the whole file, as XEP-0363 clients send it: what is stored, when it is acknowledged, what is refused. */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { exchange, fieldOf, get, put, RawConnection, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { publicTreeOf, settledTree } from '../support/store-state.ts';

const WRONG_MAC = '0'.repeat(64);
/** Larger than everything that sockets and proxies buffer. */
const LARGE_BYTES = 60 * 1024 * 1024;
/** What the transport delivers in one piece, and the unit in which bodies reach the disk. */
const PIECES = [4_096, 16_384, 65_536, 512 * 1024, 1024 * 1024];

let server: ServerProcess;
let keys = 0;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

function nextKey(): string {
  keys += 1;
  return `key-${keys}`;
}

/** Uploads to a fresh name with these fields. */
function putWith(fields: Readonly<Record<string, string>>, body = 'abc'): Promise<RawResponse> {
  return put(server.port, server.signedTarget(nextKey(), body.length), body, fields);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

test('an upload is 201 with an empty body, CORS and nosniff, and without a Location', async () => {
  const response = await putWith({});
  assert.deepEqual([response.status, response.body.length, fieldOf(response, 'content-length')], [201, 0, '0']);
  assert.equal(fieldOf(response, 'access-control-allow-origin'), '*');
  assert.equal(fieldOf(response, 'x-content-type-options'), 'nosniff');
  for (const name of ['location', 'connection', 'uwebsockets', 'server', 'access-control-allow-credentials']) {
    assert.equal(fieldOf(response, name), null, name);
  }
});

test('a file is readable as soon as its 201 is there, and not before (XEP-0363 §7)', async () => {
  for (let round = 0; round < 30; round += 1) {
    const key = nextKey();
    const connection = await RawConnection.open(server.port);
    const head = requestBytes('PUT', server.signedTarget(key, 6), { 'Content-Length': '6' });
    await connection.send(Buffer.concat([head, Buffer.from('abc')]));
    assert.equal((await get(server.port, `/files/${key}`)).status, 404);
    await connection.send('def');
    assert.equal((await connection.response()).status, 201);
    assert.equal((await get(server.port, `/files/${key}`)).body.toString(), 'abcdef');
    connection.drop();
  }
});

test('bodies around every piece size arrive whole', async () => {
  for (const size of [1, 2, ...PIECES.flatMap((piece) => [piece - 1, piece, piece + 1])]) {
    const body = randomBytes(size);
    const key = nextKey();
    assert.equal((await put(server.port, server.signedTarget(key, size), body)).status, 201);
    const served = await get(server.port, `/files/${key}`);
    assert.deepEqual([served.status, sha256(served.body)], [200, sha256(body)], `${size}`);
  }
});

test('bodies cut into many packets arrive whole', async () => {
  const body = randomBytes(40_000);
  const key = nextKey();
  const request = requestBytes('PUT', server.signedTarget(key, body.length), {}, body);
  const cuts = [
    1,
    10,
    60,
    request.length - body.length - 1,
    request.length - body.length,
    request.length - 30_000,
    request.length - 1,
  ];
  const packets = [0, ...cuts].map((start, index) => request.subarray(start, cuts[index] ?? request.length));
  assert.equal((await exchange(server.port, packets)).status, 201);
  assert.equal(sha256((await get(server.port, `/files/${key}`)).body), sha256(body));
});

test('an empty file is stored and served', async () => {
  const key = nextKey();
  assert.equal((await put(server.port, server.signedTarget(key, 0), '')).status, 201);
  const served = await get(server.port, `/files/${key}`);
  assert.deepEqual([served.status, fieldOf(served, 'content-length'), served.body.length], [200, '0', 0]);
  assert.equal((await put(server.port, server.signedTarget(key, 0), '')).status, 409);
});

test('a second upload to a name is 409 Conflict, and the first content stays', async () => {
  const key = nextKey();
  assert.equal((await put(server.port, server.signedTarget(key, 5), 'first')).status, 201);
  for (const body of ['first', 'other']) {
    const response = await put(server.port, server.signedTarget(key, 5), body);
    assert.deepEqual([response.status, response.body.toString()], [409, 'Conflict\n']);
  }
  assert.equal((await get(server.port, `/files/${key}`)).body.toString(), 'first');
});

test('F74 of several uploads to one name at once exactly one is 201, and the file is its content', async () => {
  for (let round = 0; round < 20; round += 1) {
    const key = nextKey();
    const bodies = ['aaaa', 'bbbb', 'cccc', 'dddd'];
    const responses = await Promise.all(bodies.map((body) => put(server.port, server.signedTarget(key, 4), body)));
    const statuses = responses.map(({ status }) => status);
    assert.deepEqual(statuses.toSorted(), [201, 409, 409, 409]);
    const served = await get(server.port, `/files/${key}`);
    assert.equal(served.body.toString(), bodies[statuses.indexOf(201)]);
  }
});

test('one connection carries many uploads', async () => {
  const connection = await RawConnection.open(server.port);
  for (let count = 0; count < 50; count += 1) {
    await connection.send(requestBytes('PUT', server.signedTarget(nextKey(), 3), {}, 'abc'));
    assert.equal((await connection.response()).status, 201);
  }
  connection.drop();
});

test('Expect: 100-continue is answered 100, then 201 when the body has come (RFC 9110 §10.1.1)', async () => {
  const connection = await RawConnection.open(server.port);
  const fields = { Expect: '100-continue', 'Content-Length': '3' };
  await connection.send(requestBytes('PUT', server.signedTarget(nextKey(), 3), fields));
  assert.equal((await connection.response()).status, 100);
  await connection.send('abc');
  assert.equal((await connection.response()).status, 201);
  connection.drop();
});

test('A69 Expect: 100-continue behind a bad signature: the refusal follows without the body', async () => {
  const fields = { Expect: '100-continue', 'Content-Length': '3' };
  const refusals = [`?v=${WRONG_MAC}`, '?v=zz', ''].map(async (query) => {
    const response = await exchange(server.port, requestBytes('PUT', `/files/expect${query}`, fields));
    assert.deepEqual([response.status, fieldOf(response, 'connection')], [403, 'close']);
  });
  await Promise.all(refusals);
});

test('A69 an unknown expectation is ignored', async () => {
  assert.equal((await putWith({ Expect: 'x' })).status, 201);
});

test('A69 60 MB behind a bad signature: a client that sends all of it gets the 403', async () => {
  const body = Buffer.alloc(LARGE_BYTES, 'b');
  for (const query of [`?v=${WRONG_MAC}`, '?v=zz', '']) {
    const response = await put(server.port, `/files/large${query}`, body);
    assert.equal(response.status, 403, query);
  }
});

test('A69 a slow body behind a bad signature: the client can send all of it, and gets the 403', async () => {
  const body = Buffer.alloc(120_000, 'b');
  const packets = Array.from({ length: 120 }, (_, index) => body.subarray(index * 1_000, (index + 1) * 1_000));
  const bodies = [`?v=${WRONG_MAC}`, '?v=zz'].map(async (query) => {
    const connection = await RawConnection.open(server.port);
    const head = requestBytes('PUT', `/files/slow${query}`, { 'Content-Length': String(body.length) });
    await connection.send(head, ...packets);
    const isCut = connection.isClosed;
    const { status } = await connection.response();
    connection.drop();
    assert.deepEqual([status, isCut], [403, false], query);
  });
  await Promise.all(bodies);
});

test('Content-Range that is the whole body is an ordinary upload, what is no range of a file is 400 (RFC 9110 §14.4)', async () => {
  assert.equal((await putWith({ 'Content-Range': 'bytes 0-2/3' })).status, 201);
  const before = publicTreeOf(server.storeDir);
  for (const range of ['bytes 0-2/*', 'bytes */3', 'bytes 0-1/3', 'bytes 0-3/3', 'items 0-2/3', '', 'x']) {
    assert.equal((await putWith({ 'Content-Range': range })).status, 400, range);
  }
  // A part of a larger file than is signed.
  for (const range of ['bytes 0-2/6', 'bytes 3-5/6']) {
    assert.equal((await putWith({ 'Content-Range': range })).status, 403, range);
  }
  assert.deepEqual(publicTreeOf(server.storeDir), before);
});

test('Upload-Complete: ?1 is an ordinary upload; what says that it is a part is 400', async () => {
  assert.equal((await putWith({ 'Upload-Complete': '?1', 'Upload-Draft-Interop-Version': '8' })).status, 201);
  assert.equal((await putWith({ 'Upload-Incomplete': '?0', 'Upload-Draft-Interop-Version': '3' })).status, 201);
  assert.equal((await putWith({ 'Upload-Complete': '?0' })).status, 400);
  assert.equal((await putWith({ 'Upload-Complete': '?0;a=1' })).status, 400);
  assert.equal((await putWith({ 'Upload-Incomplete': '?1' })).status, 400);
});

test('Content-Encoding is not decoded: the bytes are stored as they are', async () => {
  const key = nextKey();
  const response = await put(server.port, server.signedTarget(key, 3), 'abc', { 'Content-Encoding': 'gzip' });
  assert.equal(response.status, 201);
  const served = await get(server.port, `/files/${key}`);
  assert.deepEqual([served.body.toString(), fieldOf(served, 'content-encoding')], ['abc', null]);
});

test('OPTIONS is 200 anywhere, unsigned and empty', async () => {
  for (const target of [
    '/',
    '/files/',
    '/files/x',
    '/elsewhere',
    '/files/a/../b',
    '/files/.hfs/x',
    server.signedTarget('x', 3),
  ]) {
    const response = await exchange(server.port, requestBytes('OPTIONS', target));
    assert.deepEqual(
      [response.status, response.body.length, fieldOf(response, 'content-length')],
      [200, 0, '0'],
      target,
    );
    assert.equal(fieldOf(response, 'access-control-allow-origin'), '*');
    assert.match(fieldOf(response, 'access-control-allow-methods') ?? '', /PUT/);
    assert.match(fieldOf(response, 'access-control-allow-headers') ?? '', /Content-Type/);
  }
});

test('no unfinished upload is left', async () => {
  await settledTree(server);
});
