/** Whole files: GET and HEAD, their fields, and the framing of answers on connections that stay open. */

import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content, pathOf, store, urlOf } from '../support/paced-transfer.ts';
import { fieldOf, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';

const FILE = content('basics', 100_000);
const IMF_FIXDATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** Fields of GET that HEAD must repeat (RFC 9110 §9.3.2). */
const REPEATED = ['content-length', 'content-type', 'etag', 'last-modified', 'accept-ranges', 'cache-control'];

let server: ServerProcess;
let url: string;

before(async () => {
  server = await ServerProcess.start();
  url = await store(server, 'basics/file.bin', FILE);
});

after(() => server.stop());

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

test('D-1 GET answers 200 with the whole content and its length (RFC 9110 §9.3.1, §8.6)', async () => {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-length'), String(FILE.length));
  assert.ok((await bytesOf(response)).equals(FILE));
});

test('D-2 GET announces Accept-Ranges: bytes (RFC 9110 §14.3)', async () => {
  const response = await fetch(url, { method: 'HEAD' });
  assert.equal(response.headers.get('accept-ranges'), 'bytes');
});

test('D-3 the ETag is strong, well-formed and stable (RFC 9110 §8.8.3)', async () => {
  const tags = await Promise.all([1, 2, 3].map(async () => (await fetch(url, { method: 'HEAD' })).headers.get('etag')));
  assert.match(tags[0] ?? '', /^"[!#-~]+"$/);
  assert.equal(new Set(tags).size, 1);
});

test('D-4 Last-Modified is an IMF-fixdate and not in the future (RFC 9110 §8.8.2)', async () => {
  const date = (await fetch(url, { method: 'HEAD' })).headers.get('last-modified') ?? '';
  assert.match(date, IMF_FIXDATE);
  assert.ok(Date.parse(date) <= Date.now());
});

test('D-5 HEAD answers the fields of GET without a body, and the connection stays usable (RFC 9110 §9.3.2)', async () => {
  const connection = await RawConnection.open(server.port);
  const path = pathOf(server, 'basics/file.bin');
  try {
    await connection.send(requestBytes('HEAD', path));
    const head = await connection.response({ isToHead: true });
    await connection.send(requestBytes('GET', path));
    const get = await connection.response();
    assert.equal(head.status, 200);
    assert.ok(get.body.equals(FILE));
    for (const name of REPEATED) assert.equal(fieldOf(head, name), fieldOf(get, name), name);
  } finally {
    connection.drop();
  }
});

test('A57 HEAD, 200, 206, 304, 404, 405, 412, 416 and OPTIONS are framed right on one connection', async () => {
  const path = pathOf(server, 'basics/file.bin');
  const etag = (await fetch(url, { method: 'HEAD' })).headers.get('etag') ?? '';
  const steps: readonly (readonly [method: string, path: string, fields: Record<string, string>, status: number])[] = [
    ['HEAD', path, {}, 200],
    ['HEAD', pathOf(server, 'none'), {}, 404],
    ['GET', path, { 'If-None-Match': etag }, 304],
    ['HEAD', path, { 'If-None-Match': etag }, 304],
    ['GET', path, { Range: 'bytes=0-9' }, 206],
    ['GET', path, { Range: 'bytes=0-9, 20-29' }, 206],
    ['GET', path, { Range: 'bytes=100000-' }, 416],
    ['HEAD', path, { Range: 'bytes=100000-' }, 200],
    ['GET', path, { 'If-Match': '"other"' }, 412],
    ['HEAD', path, { 'If-Match': '"other"' }, 412],
    ['GET', pathOf(server, 'none'), {}, 404],
    ['DELETE', path, {}, 405],
    ['OPTIONS', path, {}, 200],
  ];
  const connection = await RawConnection.open(server.port);
  try {
    for (const [method, target, fields, status] of steps) {
      await connection.send(requestBytes(method, target, fields));
      const answer = await connection.response({ isToHead: method === 'HEAD' });
      assert.equal(answer.status, status, `${method} ${JSON.stringify(fields)}`);
      if (status === 304) assert.equal(fieldOf(answer, 'content-length'), null);
      else assert.match(fieldOf(answer, 'content-length') ?? '', /^\d+$/);
    }
    await connection.send(requestBytes('GET', path));
    assert.ok((await connection.response()).body.equals(FILE));
    assert.equal(connection.isClosed, false);
  } finally {
    connection.drop();
  }
});

test('D-36 206 and 304 repeat ETag, Last-Modified and Cache-Control (RFC 9110 §15.3.7, §15.4.5)', async () => {
  const whole = await fetch(url, { method: 'HEAD' });
  const etag = whole.headers.get('etag') ?? '';
  const part = await fetch(url, { headers: { Range: 'bytes=0-9' } });
  await part.arrayBuffer();
  const unchanged = await fetch(url, { headers: { 'If-None-Match': etag } });
  assert.deepEqual([part.status, unchanged.status], [206, 304]);
  for (const name of ['etag', 'last-modified', 'cache-control']) {
    assert.notEqual(whole.headers.get(name), null, name);
    assert.equal(part.headers.get(name), whole.headers.get(name), name);
    assert.equal(unchanged.headers.get(name), whole.headers.get(name), name);
  }
});

test('D-40 a file of no bytes is 200 and empty, and none of its bytes can be asked for (RFC 9110 §14.1.2)', async () => {
  const empty = await store(server, 'basics/empty.bin', new Uint8Array(0));
  for (const method of ['GET', 'HEAD']) {
    const response = await fetch(empty, { method });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-length'), '0');
    assert.equal((await bytesOf(response)).length, 0);
  }
  const response = await fetch(empty, { headers: { Range: 'bytes=0-' } });
  await response.arrayBuffer();
  assert.equal(response.status, 416);
  assert.equal(response.headers.get('content-range'), 'bytes */0');
});

test('D-41 a preflight allows Range, and the fields of ranges are exposed (Fetch, CORS preflight)', async () => {
  const headers = {
    Origin: 'https://chat.example',
    'Access-Control-Request-Method': 'GET',
    'Access-Control-Request-Headers': 'range',
  };
  const preflight = await fetch(url, { method: 'OPTIONS', headers });
  const allowed = listOf(preflight, 'access-control-allow-headers');
  assert.ok(preflight.ok);
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
  assert.ok(listOf(preflight, 'access-control-allow-methods').has('get'));
  assert.ok(allowed.has('range') && allowed.has('if-range'));
  const get = await fetch(url, { method: 'HEAD' });
  assert.equal(get.headers.get('access-control-allow-origin'), '*');
  for (const name of ['content-range', 'accept-ranges', 'content-length', 'etag']) {
    assert.ok(listOf(get, 'access-control-expose-headers').has(name), name);
  }
});

test('D-42 every answer carries X-Content-Type-Options: nosniff', async () => {
  const targets = [url, urlOf(server, 'none'), `${server.origin}/`, urlOf(server, 'a/%00')];
  for (const target of targets) {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE']) {
      const response = await fetch(target, { method });
      await response.arrayBuffer();
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff', `${method} ${target}`);
    }
  }
});

test('D-44 a name beyond ASCII is served, and its filename* is well-formed (RFC 6266, RFC 8187)', async () => {
  const name = 'Ünïcödé 😀 naïve.zip';
  const response = await fetch(await store(server, `basics/${name}`, FILE));
  assert.ok((await bytesOf(response)).equals(FILE));
  const disposition = response.headers.get('content-disposition') ?? '';
  assert.match(disposition, /^attachment; filename="[\x20-\x7e]+"; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+$/);
  assert.equal(decodeURIComponent(disposition.split("''")[1] ?? ''), name);
});

test('a content that changes by hand gets another ETag, and a date that is not in the future', async () => {
  const changed = await store(server, 'basics/changed.bin', FILE);
  const earlier = await fetch(changed, { method: 'HEAD' });
  truncateSync(join(server.storeDir, 'basics/changed.bin'), 5);
  const later = await fetch(changed);
  assert.equal((await bytesOf(later)).length, 5);
  assert.notEqual(later.headers.get('etag'), earlier.headers.get('etag'));
});

function listOf(response: Response, name: string): ReadonlySet<string> {
  const members = (response.headers.get(name) ?? '').toLowerCase().split(',');
  return new Set(members.map((member) => member.trim()));
}
