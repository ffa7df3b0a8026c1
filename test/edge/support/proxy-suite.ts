/**
 * What every proxy in front of the server must let through: bodies as they come, answers as they are, and the address of
 * the client. Run against the real proxy with its shipped configuration.
 */

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HiddenPuts } from '../../support/hidden-put.ts';
import { content } from '../../support/paced-transfer.ts';
import { fieldOf, type RawResponse } from '../../support/raw-http.ts';
import { reload } from '../../support/reload.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { SERVER_NAME } from './certificate.ts';
import { CLIENT, Edge, type EdgeOptions } from './edge.ts';
import type { ProxyProcess } from './proxy-process.ts';
import { testResumableUploads } from './resumable-suite.ts';

const MEBIBYTE = 1024 * 1024;
const LARGE_BYTES = 64 * MEBIBYTE;
const SMALL = content('small', 10_000);

export interface ProxySuite extends EdgeOptions {
  readonly name: string;
  /** False: it opens a connection to the server for each of its own. */
  readonly keepsConnections?: boolean;
  /** Asserts, at the end, that the proxy has kept no body. */
  readonly assertUnbuffered?: (proxy: ProxyProcess) => void;
}

/** Declares the tests for one proxy. */
export function testProxy(suite: ProxySuite): void {
  describe(suite.name, () => {
    let edge: Edge;
    before(async () => {
      edge = await Edge.start(suite);
    });
    after(() => edge.stop());
    const current = (): Edge => edge;

    testRequests(current);
    if (suite.keepsConnections !== false) testConnections(current);
    testStreaming(current);
    testResumableUploads(suite, current);
    testAnswers(current);
    testAttacks(current);
    testFullDisk(suite);
    const { assertUnbuffered } = suite;
    if (assertUnbuffered === undefined) return;
    test('the proxy has kept no body on its disk', () => assertUnbuffered(edge.proxy));
  });
}

/** What the server sees of a request. */
function testRequests(current: () => Edge): void {
  test('a signed upload comes through, and is read back whole', async () => {
    const edge = current();
    assert.equal((await edge.put('a/small.bin', SMALL)).status, 201);
    const answer = await edge.get('a/small.bin');
    assert.equal(answer.status, 200);
    assert.ok(answer.body.equals(SMALL));
  });

  test('a path arrives as the client wrote it, whatever is in it', async () => {
    const edge = current();
    const key = 'b/100%25 + a&b;c=d~(1)\u00fc\u2028 "x".bin';
    assert.equal((await edge.put(key, SMALL)).status, 201);
    assert.ok((await edge.get(key)).body.equals(SMALL));
  });

  test('the log has the address of the client, and not what the client says', async () => {
    const edge = current();
    assert.equal((await edge.get('address/none', { 'X-Forwarded-For': '203.0.113.7' })).status, 404);
    const line = await edge.server.event('request.completed', 10_000, ({ path }) => path === '/files/address/none');
    assert.equal(line['remote'], CLIENT);
  });
}

function testConnections(current: () => Edge): void {
  test('connections are kept on both sides', async () => {
    const edge = current();
    const opened = (): Promise<number> =>
      edge.linesUpToNow().then((lines) => lines.filter(({ event }) => event === 'connection.opened').length);
    const before = await opened();
    const connection = await edge.connect();
    try {
      for (let count = 0; count < 30; count += 1) {
        await connection.send(edge.request('GET', edge.path(`kept-${count}`)));
        assert.equal((await connection.finalResponse()).status, 404);
      }
    } finally {
      connection.drop();
    }
    assert.ok((await opened()) - before <= 8);
  });
}

/** Bodies pass through as they come. */
function testStreaming(current: () => Edge): void {
  test('the first bytes of an upload are written before the body is complete', async () => {
    const edge = current();
    const body = content('streamed', 8 * MEBIBYTE);
    const connection = await edge.connect();
    try {
      const request = edge.request('PUT', edge.server.signedTarget('streamed.bin', body.length), {}, body);
      const sent = request.length - MEBIBYTE;
      await connection.send(request.subarray(0, sent));
      await edge.server.event('upload.created');
      await becomesTrue(() => stagedBytes(edge.server) > 0);
      await connection.send(request.subarray(sent));
      assert.equal((await connection.finalResponse()).status, 201);
    } finally {
      connection.drop();
    }
    assert.ok((await edge.get('streamed.bin')).body.equals(body));
  });

  test('an upload that the client breaks off ends at the server at once, and nobody sees what is kept of it', async () => {
    const edge = current();
    const body = content('broken', MEBIBYTE);
    const connection = await edge.connect();
    const request = edge.request('PUT', edge.server.signedTarget('broken.bin', body.length), {}, body);
    await connection.send(request.subarray(0, request.length / 2));
    await becomesTrue(() => edge.server.stagingFiles().length === 1);
    connection.drop();
    const line = await edge.server.event('upload.suspended');
    assert.deepEqual([line['protocol'], line['reason']], ['put', 'client']);
    assert.equal((await edge.get('broken.bin')).status, 404);
    assert.equal((await edge.put('broken.bin', body)).status, 201);
    assert.ok((await edge.get('broken.bin')).body.equals(body));
  });

  test('a download goes at the pace of its client, and ends with it', async () => {
    const edge = current();
    assert.equal((await edge.put('large.bin', content('large', LARGE_BYTES))).status, 201);
    const connection = await edge.connect();
    await connection.send(edge.request('GET', edge.path('large.bin')));
    await connection.unread();
    connection.drop();
    const line = await edge.server.event('download.aborted');
    assert.ok(Number(line['bytes_out']) < LARGE_BYTES, `the proxy took ${line['bytes_out']} bytes`);
    const end = await edge.get('large.bin', { Range: `bytes=-${MEBIBYTE}` });
    assert.ok(end.body.equals(content('large', LARGE_BYTES).subarray(-MEBIBYTE)));
  });
}

/** What the client sees of an answer. */
function testAnswers(current: () => Edge): void {
  test('ranges and conditions are answered by the server (RFC 9110 §13, §14)', async () => {
    const edge = current();
    await edge.put('ranges.bin', SMALL);
    const whole = await edge.get('ranges.bin');
    const etag = fieldOf(whole, 'etag') ?? '';
    assert.match(etag, /^"/);
    const one = await edge.get('ranges.bin', { Range: 'bytes=100-199' });
    assert.deepEqual([one.status, fieldOf(one, 'content-range')], [206, 'bytes 100-199/10000']);
    assert.ok(one.body.equals(SMALL.subarray(100, 200)));
    const suffix = await edge.get('ranges.bin', { Range: 'bytes=-10', 'If-Range': etag });
    assert.ok(suffix.status === 206 && suffix.body.equals(SMALL.subarray(-10)));
    const several = await edge.get('ranges.bin', { Range: 'bytes=0-0,-1' });
    assert.match(fieldOf(several, 'content-type') ?? '', /^multipart\/byteranges/);
    const beyond = await edge.get('ranges.bin', { Range: 'bytes=10000-' });
    assert.deepEqual([beyond.status, fieldOf(beyond, 'content-range')], [416, 'bytes */10000']);
    assert.equal((await edge.get('ranges.bin', { 'If-None-Match': etag })).status, 304);
    assert.equal((await edge.get('ranges.bin', { 'If-Match': '"other"' })).status, 412);
  });

  test('HEAD has the length and no body, and the connection goes on', async () => {
    const edge = current();
    await edge.put('head.bin', SMALL);
    const connection = await edge.connect();
    try {
      for (const [key, status, length] of [
        ['head.bin', 200, '10000'],
        ['none.bin', 404, null],
        ['head.bin', 200, '10000'],
      ] as const) {
        await connection.send(edge.request('HEAD', edge.path(key)));
        const answer = await connection.finalResponse({ isToHead: true });
        assert.equal(answer.status, status);
        if (length !== null) assert.equal(fieldOf(answer, 'content-length'), length);
      }
      await connection.send(edge.request('GET', edge.path('head.bin')));
      assert.ok((await connection.finalResponse()).body.equals(SMALL));
    } finally {
      connection.drop();
    }
  });

  test('refusals come through with their status and text', async () => {
    const edge = current();
    const conflict = await edge.put('a/small.bin', SMALL);
    assert.equal(conflict.status, 409);
    const missing = await edge.get('none');
    assert.equal(missing.status, 404);
    const wrong = edge.server.signedTarget('refused.bin', SMALL.length + 1);
    const refused = await edge.exchange(edge.request('PUT', wrong, {}, SMALL));
    assert.equal(refused.status, 403);
    assert.match(refused.body.toString(), /MAC/);
    assert.equal(fieldOf(refused, 'access-control-allow-origin'), '*');
    await reload(edge.server, (text) => `${text}MaxUploadSize = 20000\n`);
    const body = content('too large', 3 * MEBIBYTE);
    assert.equal((await edge.put('too-large.bin', body)).status, 413);
    await reload(edge.server, (text) => text.replace('MaxUploadSize = 20000\n', ''));
  });
}

/** What the proxy must not make worse. */
function testAttacks(current: () => Edge): void {
  test('A69 60 MB behind a bad signature: the client gets the 403', async () => {
    const edge = current();
    const body = Buffer.alloc(60_000_000);
    const target = edge.server.signedTarget('bad.bin', 1);
    for (const fields of [{}, { Expect: '100-continue' }]) {
      const refused = await unlessReset(() => edge.upload(target, body, fields));
      assert.equal(refused.status, 403);
      assert.match(refused.body.toString(), /MAC/);
    }
    assert.equal((await edge.put('after-bad.bin', SMALL)).status, 201);
  });

  test('A64 a trailer that reads as a request reaches no handler', async () => {
    const edge = current();
    const hidden = new HiddenPuts(edge.server);
    for (const method of ['GET', 'PUT', 'POST', 'HEAD']) {
      for (const name of ['a/small.bin', 'none']) {
        const head = `${method} ${edge.path(name)} HTTP/1.1\r\nHost: ${SERVER_NAME}\r\nTransfer-Encoding: chunked\r\n\r\n`;
        const request = Buffer.concat([Buffer.from(`${head}3\r\nabc\r\n0\r\nX-`), hidden.next()]);
        const trailer = Buffer.from(`${head}0\r\nX-A: /files/trailer-target HTTP/1.1\r\nHost: x\r\n\r\n`);
        for (const bytes of [request, trailer]) {
          const connection = await edge.connect();
          await connection.send(bytes);
          // The proxy may refuse it itself, or wait for more.
          await connection.finalResponse({ isToHead: method === 'HEAD' }).catch(() => undefined);
          connection.drop();
        }
      }
    }
    const lines = await edge.linesUpToNow();
    assert.deepEqual(
      lines.filter(({ path }) => /hidden-|trailer-target/.test(String(path ?? ''))),
      [],
    );
  });
}

/** Needs a server of its own. */
function testFullDisk(suite: ProxySuite): void {
  test('a disk that is full is told to the client (507), and a small body behind it is no trouble', async () => {
    const full = await Edge.start(suite, { MinFreeSpace: Number.MAX_SAFE_INTEGER });
    try {
      for (const size of [1_000, 3 * MEBIBYTE]) {
        assert.equal((await full.put(`full-${size}.bin`, content('full', size))).status, 507);
      }
    } finally {
      await full.stop();
    }
  });
}

/**
 * A proxy that closes while the client still sends resets the connection, and the reset may overtake its answer when the
 * client is not quick to read (RFC 9112 §9.6). Such a client tries again, and so does this one, a few times.
 */
async function unlessReset(exchange: () => Promise<RawResponse>, attempts = 5): Promise<RawResponse> {
  try {
    return await exchange();
  } catch (error) {
    if (attempts === 1 || !(error instanceof Error && error.message.startsWith('closed before a response')))
      throw error;
    return unlessReset(exchange, attempts - 1);
  }
}

function stagedBytes(server: ServerProcess): number {
  return server
    .stagingFiles()
    .reduce((sum, name) => sum + statSync(join(server.storeDir, '.hfs/staging', name)).size, 0);
}

/** Resolves as soon as something outside of this process has come true. */
async function becomesTrue(condition: () => boolean, limitMs = 5_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `not within ${limitMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
