/** Whole requests and what stands behind them on the connection: pipelining, closing, versions and methods. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HiddenPuts } from '../support/hidden-put.ts';
import { exchange, fieldOf, get, put, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';

const WRONG_MAC = '0'.repeat(64);
/** The transport's own timer closes after 8 to 12 seconds. */
const CLOSE_TIMEOUT_MS = 15_000;

/** Sent in several pieces: more than the transport takes at once. */
const LARGE_BYTES = 300_000;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ settings: { MaxUploadSize: 1_000_000, AllowedExtensions: ['', 'txt'] } });
  await put(server.port, server.signedTarget('known', 5), 'known');
  await put(server.port, server.signedTarget('large', LARGE_BYTES), Buffer.alloc(LARGE_BYTES, 'l'));
});

after(() => server.stop());

/** Well-framed requests that are refused, each before its body has been read. */
function refusals(body: Buffer): readonly (readonly [status: number, request: Buffer])[] {
  const signed = (key: string, size = body.length): string => server.signedTarget(key, size);
  return [
    [403, requestBytes('PUT', `/files/x?v=${WRONG_MAC}`, {}, body)],
    [403, requestBytes('PUT', '/files/x?v=zz', {}, body)],
    [403, requestBytes('PUT', '/files/x', {}, body)],
    [403, requestBytes('PUT', signed('x.exe'), {}, body)],
    [400, requestBytes('PUT', '/files/a/../x', {}, body)],
    [400, requestBytes('PUT', '/files/x?v=1&v=2', {}, body)],
    [400, requestBytes('PUT', signed('x'), { 'Content-Range': 'bytes 0-0/9' }, body)],
    [404, requestBytes('PUT', '/elsewhere', {}, body)],
    [404, requestBytes('GET', '/files/missing', {}, body)],
    [405, requestBytes('POST', signed('x'), {}, body)],
    [409, requestBytes('PUT', signed('known'), {}, body)],
  ];
}

test('A65 an upload in the body of a refused request is a body, in one packet and in two', async () => {
  const hidden = new HiddenPuts(server);
  const count = refusals(Buffer.alloc(1)).length;
  for (let index = 0; index < count; index += 1) {
    const inner = hidden.next();
    const [status, request] = refusals(inner)[index] ?? [0, Buffer.alloc(0)];
    const headBytes = request.length - inner.length;
    for (const packets of [[request], [request.subarray(0, headBytes), inner]]) {
      const response = await exchange(server.port, packets);
      assert.equal(response.status, status, request.toString('latin1', 0, 60));
    }
  }
  await hidden.assertUnseen();
});

/** What is wrong with the end of a connection whose first answer announced it; null: nothing. */
async function faultBehindClose(first: Buffer, cut: number): Promise<string | null> {
  const hidden = new HiddenPuts(server);
  const bytes = Buffer.concat([first, hidden.next()]);
  const packets = [bytes.subarray(0, cut), bytes.subarray(cut)].filter((packet) => packet.length > 0);
  const name = `behind ${first.toString('latin1', 0, 50)}`;
  const connection = await RawConnection.open(server.port);
  try {
    await connection.send(...packets);
    // Without an answer at all the connection is over, too.
    const answer = await connection.response().catch(() => null);
    if (answer !== null && fieldOf(answer, 'connection') !== 'close') return null;
    const second = await connection.response({ timeoutMs: CLOSE_TIMEOUT_MS }).catch(() => null);
    if (second !== null) return `${second.status} ${name}`;
    if (!connection.isClosed) return `still open ${name}`;
    await hidden.assertUnseen();
    return null;
  } finally {
    connection.drop();
  }
}

test('A65 an upload in the body of a GET, HEAD or OPTIONS is a body', async () => {
  const hidden = new HiddenPuts(server);
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    for (const path of ['/files/known', '/files/large', '/files/missing']) {
      const inner = hidden.next();
      const request = requestBytes(method, path, {}, inner);
      for (const packets of [[request], [request.subarray(0, -inner.length), inner]]) {
        const { status } = await exchange(server.port, packets, { isToHead: method === 'HEAD' });
        assert.equal(status, method !== 'OPTIONS' && path.endsWith('missing') ? 404 : 200, `${method} ${path}`);
      }
    }
  }
  await hidden.assertUnseen();
});

test('A66 behind an answer with "Connection: close" nothing is served, and the connection is closed (RFC 9112 §9.6)', async () => {
  const requests = refusals(Buffer.from('abc')).map(([, request]) => request);
  // No length at all: 411 and close.
  requests.push(requestBytes('PUT', server.signedTarget('no-length', 3)));
  const faults = await Promise.all(
    requests.flatMap((request) => {
      // All in one packet, the upload behind it in a second one, the body in a second one together with the upload.
      const cuts = [0, request.length, request.indexOf('\r\n\r\n') + 4];
      return [...new Set(cuts)].map((cut) => faultBehindClose(request, cut));
    }),
  );
  const found = faults.filter((fault) => fault !== null);
  assert.deepEqual(found, []);
});

/** More than is waited for before a refusal is written. */
const LONG_BODY_BYTES = 400_000;
const longBody = Buffer.alloc(LONG_BODY_BYTES, 'b');

test('A66 behind a refusal with much of its body to come nothing is served, and the connection is closed', async () => {
  const refused: readonly (readonly [status: number, request: Buffer])[] = [
    ...refusals(longBody).filter(([, request]) => !request.includes('GET')),
    [413, requestBytes('GET', '/files/known', {}, longBody)],
    [413, requestBytes('HEAD', '/files/known', {}, longBody)],
    [413, requestBytes('OPTIONS', '/files/known', {}, longBody)],
  ];
  const attempts = refused.map(async ([status, request]) => {
    const name = `${status} ${request.toString('latin1', 0, 50)}`;
    const hidden = new HiddenPuts(server);
    const connection = await RawConnection.open(server.port);
    try {
      await connection.send(request.subarray(0, -LONG_BODY_BYTES));
      const answer = await connection.response({ isToHead: request.toString('latin1', 0, 4) === 'HEAD' });
      assert.deepEqual([answer.status, fieldOf(answer, 'connection')], [status, 'close'], name);
      assert.match(fieldOf(answer, 'date') ?? '', /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/, name);
      await connection.send(
        longBody.subarray(0, 1_000),
        Buffer.concat([longBody.subarray(1_000), hidden.next()]),
        hidden.next(),
      );
      assert.deepEqual(await connection.responsesUntilClose(), [], name);
      await hidden.assertUnseen();
    } finally {
      connection.drop();
    }
  });
  await Promise.all(attempts);
});

test('A66 a refused client that stops sending is let go of within seconds, and reads its answer before', async () => {
  const connection = await RawConnection.open(server.port);
  await connection.send(requestBytes('PUT', '/files/x?v=zz', { 'Content-Length': '5000000' }), 'x');
  const answer = await connection.response();
  assert.deepEqual([answer.status, answer.body.toString()], [403, 'Invalid MAC encoding\n']);
  await connection.closed(6_000);
});

test('"Connection: close" in a request ends the connection behind its answer (RFC 9112 §9.6)', async () => {
  const close = { Connection: 'close' };
  const requests = [
    requestBytes('GET', '/files/known', close),
    requestBytes('GET', '/files/large', close),
    requestBytes('GET', '/files/large', { ...close, Range: 'bytes=0-9' }),
    requestBytes('GET', '/files/known', { ...close, 'If-None-Match': '*' }),
    requestBytes('GET', '/files/missing', close),
    requestBytes('HEAD', '/files/known', close),
    requestBytes('HEAD', '/files/missing', close),
    requestBytes('OPTIONS', '/files/known', close),
    requestBytes('PUT', server.signedTarget('closing', 3), close, 'abc'),
    requestBytes('PUT', `/files/x?v=${WRONG_MAC}`, close, 'abc'),
  ];
  const open: string[] = [];
  for (const request of requests) {
    const connection = await RawConnection.open(server.port);
    await connection.send(request);
    await connection.response({ isToHead: request.toString('latin1', 0, 4) === 'HEAD' });
    const isClosed = await connection.closed(1_000).then(
      () => true,
      () => false,
    );
    if (!isClosed) open.push(request.toString('latin1', 0, 60));
    connection.drop();
  }
  assert.deepEqual(open, []);
});

test('a refusal whose body has come whole keeps the connection: the next request is served', async () => {
  const connection = await RawConnection.open(server.port);
  for (let round = 0; round < 3; round += 1) {
    await connection.send(requestBytes('PUT', `/files/x?v=${WRONG_MAC}`, {}, 'abc'));
    assert.equal((await connection.response()).status, 403);
    await connection.send(requestBytes('GET', '/files/known'));
    assert.equal((await connection.response()).body.toString(), 'known');
  }
  connection.drop();
});

const versions: readonly (readonly [request: string, status: number])[] = [
  ['GET /files/known\r\n\r\n', 505],
  ['GET /files/known HTTP/1.0\r\nHost: test\r\n\r\n', 505],
  ['GET /files/known HTTP/1.2\r\nHost: test\r\n\r\n', 505],
  ['GET /files/known HTTP/2.0\r\nHost: test\r\n\r\n', 505],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['GET http://test/files/known HTTP/1.1\r\nHost: test\r\n\r\n', 505],
  ['OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n', 505],
  ['CONNECT test:80 HTTP/1.1\r\nHost: test\r\n\r\n', 505],
  ['GET /files/known HTTP/1.1\nHost: test\n\n', 505],
  ['GET /files/known HTTP/1.1\r\n\r\n', 400],
  ['GET /files/known HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['GET /files/known HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400],
  ['GET /files/known HTTP/1.1\r\nHost: test\r\nX Y: z\r\n\r\n', 400],
  ['GET /files/known HTTP/1.1\r\nHost: test\r\n X: folded\r\n\r\n', 400],
];

test('A67 other versions, other forms of the target and doubtful hosts are refused and closed, never left hanging', async () => {
  for (const [request, status] of versions) {
    const connection = await RawConnection.open(server.port);
    await connection.send(request);
    assert.equal((await connection.response()).status, status, JSON.stringify(request));
    await connection.closed();
  }
});

test('A67 an empty Host is accepted', async () => {
  assert.equal((await exchange(server.port, 'GET /files/known HTTP/1.1\r\nHost:\r\n\r\n')).status, 200);
});

test('A67 every method but OPTIONS, GET, HEAD and PUT is 405 with Allow (RFC 9110 §15.5.6)', async () => {
  for (const method of ['POST', 'DELETE', 'PATCH', 'TRACE', 'BREW', 'get', 'Put', 'put', 'M-SEARCH', 'A:']) {
    const response = await exchange(server.port, requestBytes(method, server.signedTarget('known', 5)));
    assert.deepEqual([response.status, response.body.toString()], [405, 'Method Not Allowed\n'], method);
    assert.equal(fieldOf(response, 'allow'), 'OPTIONS, GET, HEAD, PUT', method);
  }
});

test('A68 fields behind an empty field name are not seen, and do no harm', async () => {
  const hidden = '\r\n: x\r\n';
  const range = `GET /files/known HTTP/1.1\r\nHost: test${hidden}Range: bytes=0-0\r\n\r\n`;
  const answer = await exchange(server.port, range).catch(() => null);
  assert.ok(answer === null || [200, 400].includes(answer.status));
  const target = server.signedTarget('behind-empty-name', 3);
  const upload = `PUT ${target} HTTP/1.1\r\nHost: test${hidden}Content-Length: 3\r\n\r\nabc`;
  const refusal = await exchange(server.port, upload).catch(() => null);
  assert.ok(refusal === null || [400, 411].includes(refusal.status));
  assert.equal((await get(server.port, '/files/behind-empty-name')).status, 404);
});

test('A70 a websocket or h2c upgrade is answered as an ordinary request, never with 101', async () => {
  const websocket = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const h2c = { Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings', 'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA' };
  for (const fields of [websocket, h2c]) {
    const connection = await RawConnection.open(server.port);
    await connection.send(requestBytes('GET', '/files/known', fields));
    const response = await connection.response();
    assert.deepEqual([response.status, response.body.toString()], [200, 'known']);
    connection.drop();
  }
});

test('F56 requests in one packet are answered in order or the connection is closed', async () => {
  const connection = await RawConnection.open(server.port);
  await connection.send(Buffer.concat([requestBytes('GET', '/files/known'), requestBytes('GET', '/files/missing')]));
  const statuses: number[] = [];
  for (;;) {
    const response = await connection.response({ timeoutMs: 300 }).catch(() => null);
    if (response === null) break;
    statuses.push(response.status);
  }
  connection.drop();
  assert.ok(['', '200', '200,404'].includes(statuses.join(',')), statuses.join(','));
});

test('the server still serves after all of it', async () => {
  assert.equal((await get(server.port, '/files/known')).body.toString(), 'known');
});
