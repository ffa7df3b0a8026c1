/**
 * Transfer codings (RFC 9112 §6.1). Uploads have a length; a chunked body is read by nobody here, and what follows it on
 * the connection is never served, because the transport would take a trailer section for a request.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { HiddenPuts } from '../support/hidden-put.ts';
import { linesUpToNow } from '../support/log-marker.ts';
import { exchangeUntilClose, put, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { signV } from '../support/sign.ts';
import { publicTreeOf } from '../support/store-state.ts';

const SMALL = 'small';
/** Sent in several pieces: more than the transport takes at once. */
const LARGE = 'large';
const LARGE_BYTES = 300_000;
const CHUNKED_BODY = '3\r\nabc\r\n0\r\n\r\n';

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
  await put(server.port, server.signedTarget(SMALL, 5), 'small');
  await put(server.port, server.signedTarget(LARGE, LARGE_BYTES), Buffer.alloc(LARGE_BYTES, 'l'));
});

after(() => server.stop());

function withCoding(method: string, target: string, lines: string, body: string): Buffer {
  return Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: test\r\n${lines}\r\n${body}`, 'latin1');
}

const doubtfulCodings = [
  'Transfer-Encoding:',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: chunked,',
  'Transfer-Encoding: chunked;a=b',
  'Transfer-Encoding: CHUNKED',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: chun\x80ked',
  'Transfer-Encoding: \x80',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding : chunked',
];

/** Sends the request alone, and with an upload behind it in the same packet and in the next: one answer, then the end. */
async function assertAnsweredAlone(request: Buffer, status: number, hidden: HiddenPuts): Promise<void> {
  const name = request.toString('latin1');
  const alone = await exchangeUntilClose(server.port, request);
  assert.deepEqual([alone.length, alone[0]?.status], [1, status], name);
  // The transport may notice what follows before the refusal is written, and closes without a word.
  const inTwo = await exchangeUntilClose(server.port, request, hidden.next());
  assert.ok(inTwo.length <= 1 && inTwo.every((response) => response.status === status), name);
  const inOne = await exchangeUntilClose(server.port, Buffer.concat([request, hidden.next()]));
  assert.ok(inOne.length <= 1 && inOne.every((response) => response.status === status), name);
}

test('A63 every coding but chunked, written once in that spelling, is 400 and close', async () => {
  const hidden = new HiddenPuts(server);
  const target = server.signedTarget('coded', 3);
  for (const lines of doubtfulCodings) {
    for (const method of ['PUT', 'GET']) {
      await assertAnsweredAlone(withCoding(method, target, `${lines}\r\n`, CHUNKED_BODY), 400, hidden);
    }
  }
  await hidden.assertUnseen();
});

test('A37 a chunked plain PUT is 411 and close, whatever size was signed (RFC 9110 §15.5.12)', async () => {
  const hidden = new HiddenPuts(server);
  for (const size of ['-1', '', '3', 'chunked']) {
    const target = `/files/chunked?v=${signV(TEST_SECRET, 'chunked', size)}`;
    const request = withCoding('PUT', target, 'Transfer-Encoding: chunked\r\n', CHUNKED_BODY);
    await assertAnsweredAlone(request, 411, hidden);
  }
  await hidden.assertUnseen();
  assert.deepEqual(publicTreeOf(server.storeDir), [LARGE, SMALL]);
});

/** The transport skips two bytes behind the last chunk and takes the rest for a request. */
function trailerThatIs(request: Buffer): Buffer {
  return Buffer.concat([Buffer.from('X-'), request]);
}

/** Requests that are answered, and not as refusals of their framing. */
const chunkedRequests: readonly (readonly [what: string, method: string, path: string, lines: string])[] = [
  ['a PUT', 'PUT', SMALL, ''],
  ['a GET of a small file', 'GET', SMALL, ''],
  ['a GET of a large file', 'GET', LARGE, ''],
  ['a GET of a range', 'GET', LARGE, 'Range: bytes=0-9\r\n'],
  ['a GET that is 304', 'GET', SMALL, 'If-None-Match: *\r\n'],
  ['a GET that is 404', 'GET', 'missing', ''],
  ['a HEAD', 'HEAD', SMALL, ''],
  ['a HEAD that is 404', 'HEAD', 'missing', ''],
  ['a POST', 'POST', SMALL, ''],
  ['an OPTIONS', 'OPTIONS', SMALL, ''],
];

for (const [what, method, path, lines] of chunkedRequests) {
  const head = (): Buffer => withCoding(method, `/files/${path}`, `Transfer-Encoding: chunked\r\n${lines}`, '0\r\n');

  test(`A64 a trailer that reads as a request is not served behind ${what} with a chunked body, in one packet`, async () => {
    const hidden = new HiddenPuts(server);
    const connection = await RawConnection.open(server.port);
    await connection.send(Buffer.concat([head(), trailerThatIs(hidden.next())]));
    await connection.closed();
    await hidden.assertUnseen();
  });

  test(`A64 a trailer that reads as a request is not served behind ${what} with a chunked body, after its answer`, async () => {
    const hidden = new HiddenPuts(server);
    const connection = await RawConnection.open(server.port);
    try {
      await connection.send(head());
      await connection.finalResponse({ isToHead: method === 'HEAD' });
      await connection.send(trailerThatIs(hidden.next()));
      await connection.closed(2_000);
    } finally {
      connection.drop();
    }
    await hidden.assertUnseen();
  });
}

test('A64 a trailer field whose name and value read as a method and a target reaches no handler', async () => {
  const request = withCoding('GET', `/files/${SMALL}`, 'Transfer-Encoding: chunked\r\n', '0\r\n');
  const trailer = Buffer.from('X-A: /files/trailer-target HTTP/1.1\r\nHost: x\r\n\r\n');
  await exchangeUntilClose(server.port, Buffer.concat([request, trailer]));
  await exchangeUntilClose(server.port, request, trailer);
  const hidden = new HiddenPuts(server);
  await exchangeUntilClose(server.port, request, hidden.next());
  await hidden.assertUnseen();
  assert.ok(!server.lines.some((line) => String(line['path'] ?? '').includes('trailer-target')));
});

test('A64 a request that announces a trailer section is the last one of its connection', async () => {
  const request = requestBytes('GET', `/files/${SMALL}`, { Trailer: 'X-A' });
  const connection = await RawConnection.open(server.port);
  await connection.send(request);
  const response = await connection.response();
  assert.deepEqual(
    response.fields.filter(([name]) => name === 'connection'),
    [['connection', 'close']],
  );
  connection.drop();
});

test('clients that leave while their doubtful request is being refused harm nobody', async () => {
  for (let count = 0; count < 400; count += 1) {
    const method = ['HEAD', 'GET', 'HEAD', 'POST'][count % 4] ?? '';
    const request = withCoding(method, `/files/${SMALL}`, 'Transfer-Encoding: chunked\r\n', CHUNKED_BODY);
    const connection = await RawConnection.open(server.port);
    await connection.send(count % 5 === 0 ? Buffer.concat([request, request]) : request);
    // At once, a moment later, or when the answer is there.
    const turns = count % 7;
    for (let turn = 0; turn < turns; turn += 1) await setImmediate();
    if (turns === 6) await connection.closed();
    connection.reset();
  }
  const lines = await linesUpToNow(server);
  const failures = lines.filter((line) => line.event === 'server.failed' || line.event === 'server.stopping');
  assert.deepEqual(failures, []);
});
