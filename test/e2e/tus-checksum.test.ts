/** tus on the wire: checksums (resumable.md 3.2: T-K). */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { content } from '../support/paced-transfer.ts';
import { exchange, fieldOf, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import {
  appendFields,
  assertNotStored,
  assertRefused,
  assertStored,
  checksumOf,
  create,
  locationOf,
  offsetOf,
  patch,
  patchBytes,
  post,
  STREAM,
  VERSION,
} from '../support/tus-wire.ts';

const SIZE = 900_000;
const BODY = content('tus-checksum', SIZE);
const HALF = 500_000;
const ALGORITHMS = ['sha1', 'md5', 'sha256', 'sha512'];

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

function sum(algorithm: string, body: Uint8Array): Readonly<Record<string, string>> {
  return { 'Upload-Checksum': checksumOf(algorithm, body) };
}

test('T-K1 OPTIONS lists the algorithms in lower case, sha1 among them', async () => {
  const response = await exchange(server.port, requestBytes('OPTIONS', '/files/a'));
  assert.equal(fieldOf(response, 'tus-checksum-algorithm'), ALGORITHMS.join(','));
});

for (const algorithm of ALGORITHMS) {
  test(`T-K2, T-K3, T-K7 a wrong ${algorithm} is 460 and changes nothing, a right one 204`, async () => {
    const key = `t-k2-${algorithm}`;
    const path = await create(server, key, SIZE);
    const wrong = await patch(server, path, 0, BODY, sum(algorithm, BODY.subarray(1)));
    assertRefused(wrong, 460);
    assert.equal(await offsetOf(server, path), 0);
    await assertNotStored(server, key);
    assert.equal((await patch(server, path, 0, BODY, sum(algorithm, BODY))).status, 204);
    await assertStored(server, key, BODY);
  });
}

test('T-K4 a wrong checksum on the second piece leaves the end of the first', async () => {
  const path = await create(server, 't-k4', SIZE);
  const [first, second] = [BODY.subarray(0, HALF), BODY.subarray(HALF)];
  assert.equal((await patch(server, path, 0, first, sum('sha1', first))).status, 204);
  const wrong = await patch(server, path, HALF, second, sum('sha1', first));
  assertRefused(wrong, 460);
  assert.equal(fieldOf(wrong, 'upload-offset'), String(HALF));
  assert.equal(await offsetOf(server, path), HALF);
  assert.equal((await patch(server, path, HALF, second, sum('sha256', second))).status, 204);
  await assertStored(server, 't-k4', BODY);
});

test('T-K5, T-K6 an unknown algorithm and malformed checksums are 400 and change nothing', async () => {
  const path = await create(server, 't-k5', SIZE);
  const sha1 = checksumOf('sha1', BODY);
  for (const value of [
    'crc32 AAAAAA==',
    `SHA1${sha1.slice(4)}`,
    'sha1',
    'sha1 ',
    'sha1 !!!',
    `${sha1} x`,
    `md5${sha1.slice(4)}`,
  ]) {
    assertRefused(await patch(server, path, 0, BODY, { 'Upload-Checksum': value }), 400, value);
  }
  assert.equal(await offsetOf(server, path), 0);
});

test('T-K8 a chunked body is checked as well', async () => {
  const path = await create(server, 't-k8', SIZE);
  const send = (fields: Readonly<Record<string, string>>): Promise<number> =>
    exchange(server.port, patchBytes(path, { ...appendFields(0), ...fields }, BODY, 'chunked')).then(
      ({ status }) => status,
    );
  assert.equal(await send(sum('sha256', BODY.subarray(1))), 460);
  assert.equal(await offsetOf(server, path), 0);
  assert.equal(await send(sum('sha256', BODY)), 204);
  await assertStored(server, 't-k8', BODY);
});

test('T-K9 of a checksummed PATCH that is cut nothing counts', async () => {
  const path = await create(server, 't-k9', SIZE);
  const first = BODY.subarray(0, 1_000);
  await patch(server, path, 0, first, sum('md5', first));
  const rest = BODY.subarray(1_000);
  const bytes = patchBytes(path, { ...appendFields(1_000), ...sum('sha1', rest) }, rest);
  const connection = await RawConnection.open(server.port);
  await connection.send(bytes.subarray(0, bytes.length - 10_000));
  connection.drop();
  assert.equal(await offsetOf(server, path), 1_000);
  assert.equal((await patch(server, path, 1_000, rest, sum('sha1', rest))).status, 204);
  await assertStored(server, 't-k9', BODY);
});

test('T-K10 a wrong checksum on a creation with data is 460 or leaves it empty', async () => {
  const slot = server.signedTarget('t-k10', SIZE);
  const fields = { ...VERSION, ...STREAM, 'Upload-Length': String(SIZE) };
  const response = await post(server, slot, { ...fields, ...sum('sha1', BODY.subarray(1)) }, BODY);
  assert.equal(response.status, 460);
  assert.equal(fieldOf(response, 'tus-resumable'), '1.0.0');
  await assertNotStored(server, 't-k10');
  const again = await post(server, slot, { ...fields, ...sum('sha1', BODY) }, BODY);
  assert.equal(await offsetOf(server, locationOf(again)), SIZE);
  await assertStored(server, 't-k10', BODY);
});

test('G-10, G-11 Content-Digest and Repr-Digest hold for tus, too', async () => {
  const digestOf = (bytes: Uint8Array): string => `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;
  const path = await create(server, 'g-10', SIZE, { 'Repr-Digest': digestOf(BODY) });
  assertRefused(await patch(server, path, 0, BODY, { 'Content-Digest': digestOf(BODY.subarray(1)) }), 400);
  assert.equal(await offsetOf(server, path), 0);
  assert.equal((await patch(server, path, 0, BODY, { 'Content-Digest': digestOf(BODY) })).status, 204);
  await assertStored(server, 'g-10', BODY);
  const other = await create(server, 'g-11', SIZE, { 'Repr-Digest': digestOf(BODY.subarray(1)) });
  assertRefused(await patch(server, other, 0, BODY, sum('sha1', BODY)), 400);
  await assertNotStored(server, 'g-11');
});

test('T-K11 checksum-trailer is not offered', async () => {
  const response = await exchange(server.port, requestBytes('OPTIONS', '/files/a'));
  assert.ok(!(fieldOf(response, 'tus-extension') ?? '').includes('checksum-trailer'));
});
