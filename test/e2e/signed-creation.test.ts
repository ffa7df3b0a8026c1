/** Who may create an upload (resumable.md 7.3: ): every protocol by the same signed URL. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exchange, fieldOf, put, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { encodePath, signV, signV2 } from '../support/sign.ts';
import {
  assertNotStored,
  assertRefused,
  assertStored,
  create,
  head,
  locationOf,
  patch,
  post,
  VERSION,
} from '../support/tus-wire.ts';

const SIZE = 100;
const BODY = Buffer.alloc(SIZE, 'b');
const LENGTH = { ...VERSION, 'Upload-Length': String(SIZE) };

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

function target(key: string, query: string): string {
  return `/files/${encodePath(key)}${query}`;
}

test('A-1 a signed creation is 201; an unsigned, wrong, truncated or empty signature is 403', async () => {
  const mac = signV(TEST_SECRET, 'a-1', SIZE);
  for (const query of ['', '?v', '?v=', `?v=${'0'.repeat(64)}`, `?v=${mac.slice(2)}`, `?v=${mac}00`, `?V=${mac}`]) {
    assertRefused(await post(server, target('a-1', query), LENGTH), 403, query);
  }
  locationOf(await post(server, target('a-1', `?v=${mac}`), LENGTH));
});

test('A-2 another length than the signed one is 403 without Location', async () => {
  for (const length of [SIZE - 1, SIZE + 1, 0]) {
    const fields = { ...VERSION, 'Upload-Length': String(length) };
    assertRefused(await post(server, server.signedTarget('a-2', SIZE), fields), 403, String(length));
  }
});

test('A-3 another size in s, or another path, is 403', async () => {
  const deferred = { ...VERSION, 'Upload-Defer-Length': '1' };
  const slot = server.signedTarget('a-3', SIZE);
  assertRefused(await post(server, `${slot}&s=${SIZE + 1}`, deferred), 403);
  assertRefused(await post(server, `${slot}&s=${SIZE + 1}`, LENGTH), 403);
  assertRefused(await post(server, `${slot.replace('a-3', 'a-3b')}&s=${SIZE}`, deferred), 403);
  locationOf(await post(server, `${slot}&s=${SIZE}`, deferred));
});

test('A-4 a parameter that stands twice is 400; the highest version decides alone', async () => {
  const v = signV(TEST_SECRET, 'a-4', SIZE);
  const v2 = signV2(TEST_SECRET, 'a-4', SIZE, 'application/octet-stream');
  const wrong = '0'.repeat(64);
  assert.equal((await post(server, target('a-4', `?v=${v}&v=${v}`), LENGTH)).status, 400);
  assertRefused(await post(server, target('a-4', `?v=${v}&v2=${wrong}`), LENGTH), 403);
  locationOf(await post(server, target('a-4', `?v=${wrong}&v2=${v2}`), LENGTH));
});

test('A-5 the signature of a path and a size does not open the path that both spell', async () => {
  const query = `?v=${signV(TEST_SECRET, 'p', SIZE)}`;
  for (const length of [0, 1, SIZE]) {
    const fields = { ...VERSION, 'Upload-Length': String(length) };
    assertRefused(await post(server, target(`p ${SIZE}`, query), fields), 403);
  }
  const bare = await post(server, target(`p ${SIZE}`, `${query}&s=${SIZE}`), {
    ...VERSION,
    'Upload-Defer-Length': '1',
  });
  assertRefused(bare, 403);
});

test('A-6 no method override gets an unsigned POST past the check', async () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'PATCH', 'DELETE', 'PUT', 'POST']) {
    const fields = { ...LENGTH, 'X-HTTP-Method-Override': method };
    const response = await post(server, '/files/a-6', fields);
    assert.notEqual(response.status, 201, method);
    assert.equal(fieldOf(response, 'location'), null, method);
  }
  await assertNotStored(server, 'a-6');
});

function partialPut(slot: string, range: string, body: Uint8Array): Promise<RawResponse> {
  return exchange(server.port, requestBytes('PUT', slot, { 'Content-Range': range }, body));
}

test('A-9 a PUT of another length, of another total, or unsigned stores nothing, and the right one still works', async () => {
  const slot = server.signedTarget('a-9', SIZE);
  const half = BODY.subarray(0, 50);
  assert.equal((await put(server.port, slot, Buffer.alloc(SIZE + 1))).status, 403);
  assert.equal((await partialPut(slot, `bytes 0-49/${SIZE + 1}`, half)).status, 403);
  assert.equal((await put(server.port, '/files/a-9', BODY)).status, 403);
  assert.equal((await partialPut('/files/a-9', `bytes 0-49/${SIZE}`, half)).status, 403);
  await assertNotStored(server, 'a-9');
  assert.equal((await partialPut(slot, `bytes 0-49/${SIZE}`, half)).status, 308);
  assert.equal((await partialPut(slot, `bytes 50-99/${SIZE}`, half)).status, 201);
  await assertStored(server, 'a-9', BODY);
});

test('A-10 a PUT without Content-Length is refused', async () => {
  const request = requestBytes('PUT', server.signedTarget('a-10', SIZE), { 'Transfer-Encoding': 'chunked' });
  const response = await exchange(server.port, Buffer.concat([request, Buffer.from('0\r\n\r\n')]));
  assert.equal(response.status, 411);
  await assertNotStored(server, 'a-10');
});

test('A-11 a used slot is 409 for every protocol', async () => {
  const slot = server.signedTarget('a-11', SIZE);
  const path = await create(server, 'a-11', SIZE);
  assert.equal((await patch(server, path, 0, BODY)).status, 204);
  assertRefused(await post(server, slot, LENGTH), 409);
  assert.equal((await put(server.port, slot, BODY)).status, 409);
  assert.equal((await partialPut(slot, `bytes 0-49/${SIZE}`, BODY.subarray(0, 50))).status, 409);
  await assertStored(server, 'a-11', BODY);
});

test('a new creation on an unfinished slot takes the place of the old one', async () => {
  const old = await create(server, 'replaced', SIZE);
  await patch(server, old, 0, BODY.subarray(0, 50));
  const path = await create(server, 'replaced', SIZE);
  assert.equal((await head(server, old)).status, 410);
  assertRefused(await patch(server, old, 50, BODY.subarray(50)), 410);
  assert.equal((await patch(server, path, 0, BODY)).status, 204);
  await assertStored(server, 'replaced', BODY);
});

test('A-12 other spellings of a signed path are no such path', async () => {
  const query = `?v=${signV(TEST_SECRET, 'dir/a-12', SIZE)}`;
  const paths = [
    'dir//a-12',
    'dir/./a-12',
    'dir/x/../a-12',
    'dir%2Fa-12',
    'dir/a-12%00',
    'prefix/dir/a-12',
    'Dir/a-12',
  ];
  for (const path of [...paths, '/dir/a-12', '../files/dir/a-12', 'dir/a-12//']) {
    const { status } = await post(server, `/files/${path}${query}`, LENGTH);
    assert.ok([400, 403, 404].includes(status), `${path}: ${status}`);
  }
  assert.equal((await put(server.port, `/files/dir/a-12/${query}`, BODY)).status, 400);
});
