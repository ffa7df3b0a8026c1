/** tus on the wire: termination and concatenation (resumable.md 3.2: T-X, T-N). */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { content } from '../support/paced-transfer.ts';
import { fieldOf, type RawResponse } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import {
  assertNotStored,
  assertRefused,
  assertStored,
  create,
  head,
  locationOf,
  offsetOf,
  patch,
  post,
  remove,
  slotWithSize,
  VERSION,
} from '../support/tus-wire.ts';

const SIZE = 300_000;
const BODY = content('tus-concatenation', SIZE);

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

test('T-X1 DELETE of an unfinished upload is 204; then it is unknown', async () => {
  const path = await create(server, 't-x1', SIZE);
  await patch(server, path, 0, BODY.subarray(0, 1_000));
  const response = await remove(server, path);
  assert.equal(response.status, 204);
  assert.equal(fieldOf(response, 'tus-resumable'), '1.0.0');
  const statuses = [await head(server, path), await patch(server, path, 1_000, 'a'), await remove(server, path)];
  for (const { status } of statuses) assert.ok(status === 404 || status === 410, String(status));
  assert.equal(await offsetOf(server, await create(server, 't-x1', SIZE)), 0);
});

test('T-X2 DELETE of a finished upload is 403, and the file stays', async () => {
  const path = await create(server, 't-x2', 3);
  await patch(server, path, 0, 'abc');
  assertRefused(await remove(server, path), 403);
  await assertStored(server, 't-x2', Buffer.from('abc'));
});

/** Creates a part of `key`, whose whole has `size` bytes, and uploads it. */
async function part(key: string, size: number, bytes: Uint8Array, isWhole = true): Promise<string> {
  const fields = { ...VERSION, 'Upload-Concat': 'partial', 'Upload-Length': String(bytes.length) };
  const path = locationOf(await post(server, slotWithSize(server, key, size), fields));
  const sent = isWhole ? bytes : bytes.subarray(0, bytes.length / 2);
  assert.equal((await patch(server, path, 0, sent)).status, 204);
  return path;
}

function concatenate(
  key: string,
  size: number,
  paths: readonly string[],
  fields: Readonly<Record<string, string>> = {},
): Promise<RawResponse> {
  const list = { 'Upload-Concat': `final;${paths.join(' ')}` };
  return post(server, slotWithSize(server, key, size), { ...VERSION, ...list, ...fields });
}

test('T-N1 HEAD of a part says so, with its offset', async () => {
  const path = await part('t-n1', SIZE, BODY.subarray(0, 1_000), false);
  const response = await head(server, path);
  assert.equal(fieldOf(response, 'upload-concat'), 'partial');
  assert.equal(fieldOf(response, 'upload-offset'), '500');
  assert.equal(fieldOf(response, 'upload-length'), '1000');
  await assertNotStored(server, 't-n1');
});

test('T-N2, T-N3, T-N4 a final upload is its parts in order, tells their list, and takes no bytes', async () => {
  const ends = [100_000, 250_000, SIZE];
  const pieces = ends.map((end, n) => BODY.subarray(ends[n - 1] ?? 0, end));
  const paths = await Promise.all(pieces.map((piece) => part('t-n2', SIZE, piece)));
  const path = locationOf(await concatenate('t-n2', SIZE, paths));
  const response = await head(server, path);
  assert.equal(fieldOf(response, 'upload-length'), String(SIZE));
  assert.equal(fieldOf(response, 'upload-offset'), String(SIZE));
  assert.equal(fieldOf(response, 'upload-concat'), `final;${paths.join(' ')}`);
  await assertStored(server, 't-n2', BODY);
  assertRefused(await patch(server, path, SIZE, 'a'), 403);
  await assertStored(server, 't-n2', BODY);
});

test('T-N4, T-N9 part URLs on our host work; on another they are neither fetched nor matched', async () => {
  const path = await part('t-n9', 1_000, BODY.subarray(0, 1_000));
  for (const origin of ['http://127.0.0.1:1', 'http://evil.example', '//evil.example', 'http://test:1']) {
    assertRefused(await concatenate('t-n9', 1_000, [`${origin}${path}`]), 400, origin);
  }
  await assertNotStored(server, 't-n9');
  locationOf(await concatenate('t-n9', 1_000, [`http://test${path}`]));
  await assertStored(server, 't-n9', BODY.subarray(0, 1_000));
});

test('T-N5, T-N6 a part may stand twice, and in another final upload; the order of the list decides', async () => {
  const a = await part('t-n5', 400, Buffer.alloc(100, 'a'));
  const b = await part('t-n5', 400, Buffer.alloc(100, 'b'));
  locationOf(await concatenate('t-n5', 400, [b, a, b, b]));
  await assertStored(server, 't-n5', Buffer.from(['b', 'a', 'b', 'b'].map((letter) => letter.repeat(100)).join('')));
  locationOf(await concatenate('t-n6', 200, [a, b]));
  await assertStored(server, 't-n6', Buffer.from('a'.repeat(100) + 'b'.repeat(100)));
});

test('T-N7, T-N8 an unfinished or unknown part, an empty list and junk are 400', async () => {
  const unfinished = await part('t-n7', SIZE, BODY.subarray(0, 1_000), false);
  const whole = await part('t-n7', SIZE, BODY.subarray(0, 1_000));
  const unknown = `/files/.hfs/u/${'0'.repeat(32)}.${'A'.repeat(22)}`;
  const ordinary = await create(server, 't-n7-other', 3);
  for (const paths of [[unfinished], [whole, unfinished], [unknown], [whole, unknown], [ordinary], [], ['junk']]) {
    assertRefused(await concatenate('t-n7', SIZE, paths), 400, String(paths));
  }
  await assertNotStored(server, 't-n7');
});

test('a final upload has the signed size, or is refused', async () => {
  const paths = [await part('t-n-size', SIZE, BODY.subarray(0, 1_000))];
  assertRefused(await concatenate('t-n-size', SIZE, paths), 403);
  await assertNotStored(server, 't-n-size');
});

test('a part is not longer than the signed size', async () => {
  const fields = { ...VERSION, 'Upload-Concat': 'partial', 'Upload-Length': '1001' };
  assertRefused(await post(server, slotWithSize(server, 't-n-part', 1_000), fields), 413);
});

test('T-N10 the metadata of parts does not pass to the final upload', async () => {
  const fields = { ...VERSION, 'Upload-Concat': 'partial', 'Upload-Length': '3', 'Upload-Metadata': 'part YQ==' };
  const path = locationOf(await post(server, slotWithSize(server, 't-n10', 3), fields));
  await patch(server, path, 0, 'abc');
  const bare = locationOf(await concatenate('t-n10', 3, [path]));
  assert.equal(fieldOf(await head(server, bare), 'upload-metadata'), null);
  const named = locationOf(await concatenate('t-n10-b', 3, [path], { 'Upload-Metadata': 'final Yg==' }));
  assert.equal(fieldOf(await head(server, named), 'upload-metadata'), 'final Yg==');
});
