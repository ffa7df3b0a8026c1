/** tus on the wire: what OPTIONS says, versions, and what browsers need (resumable.md 3.2: T-O, T-V, T-R). */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exchange, fieldOf, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import {
  appendFields,
  assertNotStored,
  assertRefused,
  create,
  head,
  offsetOf,
  patch,
  post,
  remove,
  VERSION,
} from '../support/tus-wire.ts';

const MAX_SIZE = 5_000_000;
const OTHER_VERSION = { 'Tus-Resumable': '0.2.2' };

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ settings: { MaxUploadSize: MAX_SIZE } });
});

after(() => server.stop());

function options(target: string, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> {
  return exchange(server.port, requestBytes('OPTIONS', target, fields));
}

function listOf(response: RawResponse, name: string): readonly string[] {
  return (fieldOf(response, name) ?? '').split(',').map((member) => member.trim());
}

test('T-O1 OPTIONS answers 2xx with Tus-Version containing 1.0.0', async () => {
  const response = await options(server.signedTarget('a', 1));
  assert.equal(response.status, 200);
  assert.ok(listOf(response, 'tus-version').includes('1.0.0'));
});

test('T-O2 OPTIONS with another Tus-Resumable answers as without', async () => {
  const target = server.signedTarget('a', 1);
  const [plain, versioned] = [await options(target), await options(target, OTHER_VERSION)];
  assert.equal(versioned.status, plain.status);
  const described = (response: RawResponse): unknown => response.fields.filter(([name]) => name.startsWith('tus-'));
  assert.deepEqual(described(versioned), described(plain));
});

const EXTENSIONS = new Set([
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'expiration',
  'checksum',
  'termination',
  'concatenation',
]);

test('T-O3, T-O5 OPTIONS lists known extensions once each, and those of creation only with creation', async () => {
  const extensions = listOf(await options('/files/a'), 'tus-extension');
  assert.deepEqual(new Set(extensions), EXTENSIONS);
  assert.equal(extensions.length, EXTENSIONS.size);
});

test('T-O4 OPTIONS says the limit as a non-negative integer', async () => {
  assert.equal(fieldOf(await options('/files/a'), 'tus-max-size'), String(MAX_SIZE));
});

test('T-O6, T-O7 OPTIONS on an upload, and without authorisation, answers 2xx', async () => {
  const path = await create(server, 't-o6', 10);
  for (const target of [path, '/files/t-o7', '/files/']) assert.equal((await options(target)).status, 200, target);
});

test('T-V1 POST with another version is 412 with Tus-Version, and nothing is created', async () => {
  const response = await post(server, server.signedTarget('t-v1', 0), { ...OTHER_VERSION, 'Upload-Length': '0' });
  assertRefused(response, 412);
  assert.equal(fieldOf(response, 'tus-version'), '1.0.0');
  await assertNotStored(server, 't-v1');
});

test('T-V2 POST with Upload-Length but without Tus-Resumable is no creation', async () => {
  const response = await post(server, server.signedTarget('t-v2', 0), { 'Upload-Length': '0' });
  assert.equal(response.status, 405);
  assert.equal(fieldOf(response, 'location'), null);
  await assertNotStored(server, 't-v2');
});

test('T-V3 PATCH with another version is 412 with Tus-Version, the offset unchanged', async () => {
  const path = await create(server, 't-v3', 10);
  const response = await patch(server, path, 0, 'abc', OTHER_VERSION);
  assertRefused(response, 412);
  assert.equal(fieldOf(response, 'tus-version'), '1.0.0');
  assert.equal(await offsetOf(server, path), 0);
});

test('T-V4 HEAD with another version is 412', async () => {
  const path = await create(server, 't-v4', 10);
  assert.equal((await head(server, path, OTHER_VERSION)).status, 412);
});

test('T-V5 DELETE with another version is 412, and the upload survives', async () => {
  const path = await create(server, 't-v5', 10);
  assertRefused(await remove(server, path, OTHER_VERSION), 412);
  assert.equal(await offsetOf(server, path), 0);
});

test('T-V6 answers to POST, HEAD and PATCH say Tus-Resumable', async () => {
  const created = await post(server, server.signedTarget('t-v6', 3), { ...VERSION, 'Upload-Length': '3' });
  const path = fieldOf(created, 'location') ?? '';
  const others = [await head(server, path), await patch(server, path, 0, 'abc'), await remove(server, path)];
  for (const response of [created, ...others]) assert.equal(fieldOf(response, 'tus-resumable'), '1.0.0');
});

test('T-V7, T-R4 so do 400, 403, 404, 409, 413 and 415, which every origin may read', async () => {
  const path = await create(server, 't-v7', 10);
  const unknown = path.replace(/[0-9a-f]{32}/, 'f'.repeat(32));
  assertRefused(await patch(server, path, 'x', 'abc'), 400);
  assertRefused(await post(server, '/files/t-v7', { ...VERSION, 'Upload-Length': '10' }), 403);
  assertRefused(await patch(server, unknown, 0, 'abc'), 404);
  assertRefused(await patch(server, path, 5, 'abc'), 409);
  assertRefused(await patch(server, path, 0, 'eleven byte'), 413);
  assertRefused(await patch(server, path, 0, 'abc', { 'Content-Type': 'text/plain' }), 415);
});

test('T-R1 a preflight allows every origin and the methods of tus', async () => {
  const response = await options('/files/a', { Origin: 'https://other.example', ...requested('PATCH') });
  assert.equal(fieldOf(response, 'access-control-allow-origin'), '*');
  const methods = listOf(response, 'access-control-allow-methods');
  for (const method of ['POST', 'PATCH', 'HEAD', 'DELETE', 'PUT']) assert.ok(methods.includes(method), method);
});

function requested(method: string): Readonly<Record<string, string>> {
  return { 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'tus-resumable' };
}

test('T-R2 a preflight allows every request field of tus', async () => {
  const response = await options('/files/a', requested('POST'));
  const allowed = listOf(response, 'access-control-allow-headers').map((name) => name.toLowerCase());
  const names = ['tus-resumable', 'upload-length', 'upload-offset', 'upload-metadata', 'upload-defer-length'];
  const others = ['upload-concat', 'upload-checksum', 'x-http-method-override', 'x-request-id', 'content-type'];
  for (const name of [...names, ...others, 'authorization', 'x-requested-with'])
    assert.ok(allowed.includes(name), name);
});

test('T-R3 every answer exposes the response fields of tus, Upload-Expires included', async () => {
  const path = await create(server, 't-r3', 10);
  for (const response of [await head(server, path), await patch(server, path, 0, 'abc')]) {
    const exposed = listOf(response, 'access-control-expose-headers').map((name) => name.toLowerCase());
    const known = response.fields.map(([name]) => name).filter((name) => /^(?:tus|upload)-/.test(name));
    for (const name of [...known, 'location', 'upload-concat', 'upload-expires', 'upload-length', 'tus-version']) {
      assert.ok(exposed.includes(name), name);
    }
  }
});

test('T-R5 no answer allows credentials', async () => {
  const path = await create(server, 't-r5', 10);
  const withOrigin = { Origin: 'https://other.example', Cookie: 'a=b' };
  const answers = [await options(path, withOrigin), await head(server, path, { ...VERSION, ...withOrigin })];
  for (const response of [...answers, await patch(server, path, 0, 'abc', { ...appendFields(0), ...withOrigin })]) {
    assert.equal(fieldOf(response, 'access-control-allow-origin'), '*');
    assert.equal(fieldOf(response, 'access-control-allow-credentials'), null);
  }
});
