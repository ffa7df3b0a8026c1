/** tus on the wire: creation (resumable.md 3.2: T-C). */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fieldOf, get, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { signV } from '../support/sign.ts';
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
  VERSION,
} from '../support/tus-wire.ts';

const MAX_SIZE = 1_000_000;
const FILE_SIZE = 11;
const CONTENT = 'hello world';

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ settings: { MaxUploadSize: MAX_SIZE } });
});

after(() => server.stop());

/** Finishes an upload of `CONTENT`. */
async function finish(path: string, key: string): Promise<void> {
  assert.equal((await patch(server, path, 0, CONTENT)).status, 204);
  await assertStored(server, key, Buffer.from(CONTENT));
}

test('T-C1, T-C2 POST with a length is 201 with a Location that leads to the upload', async () => {
  const path = await create(server, 't-c1', FILE_SIZE);
  assert.match(path, /^\/files\/\.hfs\/u\/[0-9a-f]{32}\.[0-9A-Za-z_-]{22}$/);
  assert.equal(await offsetOf(server, path), 0);
  await assertNotStored(server, 't-c1');
  await finish(path, 't-c1');
});

test('T-C3 upload URLs differ in 128 bits, and name no file', async () => {
  const paths = await Promise.all(Array.from({ length: 20 }, (_, n) => create(server, `t-c3-${n}`, FILE_SIZE)));
  const ids = paths.map((path) => /[0-9a-f]{32}/.exec(path)?.[0]);
  assert.equal(new Set(ids).size, paths.length);
  assert.ok(paths.every((path) => !path.includes('t-c3')));
});

test('T-C4, T-C6, T-C7 neither length nor deferral, both, and a deferral of 2 are 400', async () => {
  const slot = server.signedTarget('t-c4', FILE_SIZE);
  assertRefused(await post(server, slot, VERSION), 400);
  const length = { ...VERSION, 'Upload-Length': String(FILE_SIZE) };
  assertRefused(await post(server, slot, { ...length, 'Upload-Defer-Length': '1' }), 400);
  assertRefused(await post(server, slot, { ...VERSION, 'Upload-Defer-Length': '2' }), 400);
});

for (const [row, length] of ['-1', 'abc', '1e3', '0x10', '1.0', '+5', '9'.repeat(40)].entries()) {
  test(`T-C5.${row + 1} Upload-Length ${length.slice(0, 5)} is 400`, async () => {
    const slot = `/files/t-c5?v=${signV(TEST_SECRET, 't-c5', length)}`;
    assertRefused(await post(server, slot, { ...VERSION, 'Upload-Length': length }), 400);
  });
}

test('T-C8 a length above Tus-Max-Size is 413 without Location', async () => {
  const length = { ...VERSION, 'Upload-Length': String(MAX_SIZE + 1) };
  assertRefused(await post(server, server.signedTarget('t-c8', MAX_SIZE + 1), length), 413);
});

test('T-C9 length 0 is complete at once', async () => {
  const path = await create(server, 't-c9', 0);
  const response = await head(server, path);
  assert.equal(fieldOf(response, 'upload-offset'), '0');
  assert.equal(fieldOf(response, 'upload-length'), '0');
  await assertStored(server, 't-c9', Buffer.alloc(0));
});

test('T-C10, T-C11 HEAD gives the metadata back as it came, UTF-8 names included', async () => {
  const name = Buffer.from('Grüße 😀.txt').toString('base64');
  const metadata = `filename ${name},is_confidential,empty ,filetype dGV4dC9wbGFpbg==`;
  const path = await create(server, 't-c10', FILE_SIZE, { 'Upload-Metadata': metadata });
  assert.equal(fieldOf(await head(server, path), 'upload-metadata'), metadata);
});

test('T-C12 without metadata there is none', async () => {
  const path = await create(server, 't-c12', FILE_SIZE);
  assert.equal(fieldOf(await head(server, path), 'upload-metadata'), null);
});

test('T-C13, T-C14 metadata that is not Base64, or has a key twice, is 400', async () => {
  for (const metadata of ['filename !!!', 'filename YQ', 'filename YQ== YQ==', 'a YQ==,a YQ==', 'a YQ==,,b']) {
    const length = { ...VERSION, 'Upload-Length': String(FILE_SIZE), 'Upload-Metadata': metadata };
    assertRefused(await post(server, server.signedTarget('t-c13', FILE_SIZE), length), 400, metadata);
  }
});

test('T-C15, T-C16 CR LF and paths in metadata reach neither a response field nor a path', async () => {
  for (const [n, name] of ['a\r\nSet-Cookie: b', '../../x', '/etc/passwd', '..\\..\\x', '\0'].entries()) {
    const value = Buffer.from(name).toString('base64');
    const metadata = `filename ${value},name ${value},filetype ${value}`;
    const path = await create(server, `t-c15-${n}`, FILE_SIZE, { 'Upload-Metadata': metadata });
    assert.match(path, /^\/files\/\.hfs\/u\/[0-9a-f.]+[0-9A-Za-z_-]+$/);
    await finish(path, `t-c15-${n}`);
    const response = await get(server.port, `/files/t-c15-${n}`);
    assert.equal(fieldOf(response, 'set-cookie'), null);
  }
});

test('a file is called what its signed path says, whatever the metadata says', async () => {
  const name = Buffer.from('another.pdf').toString('base64');
  const path = await create(server, 't-name/signed.bin', FILE_SIZE, { 'Upload-Metadata': `filename ${name}` });
  await finish(path, 't-name/signed.bin');
  assert.equal(fieldOf(await head(server, path), 'upload-metadata'), `filename ${name}`);
  const disposition = fieldOf(await get(server.port, '/files/t-name/signed.bin'), 'content-disposition') ?? '';
  assert.match(disposition, /signed\.bin/);
  assert.doesNotMatch(disposition, /another/);
});

test('T-C17, T-C18 an empty POST is a plain creation, whatever its type, and without a Content-Length', async () => {
  const fields = { ...VERSION, 'Upload-Length': String(FILE_SIZE) };
  const slot = server.signedTarget('t-c17', FILE_SIZE);
  const typed = locationOf(await post(server, slot, { ...fields, 'Content-Type': 'text/html' }, ''));
  assert.equal(await offsetOf(server, typed), 0);
  await finish(locationOf(await post(server, slot, fields)), 't-c17');
});

test('T-C19 a length beyond what can be counted exactly is refused', async () => {
  const length = '9007199254740993';
  const slot = `/files/t-c19?v=${signV(TEST_SECRET, 't-c19', length)}`;
  assertRefused(await post(server, slot, { ...VERSION, 'Upload-Length': length }), 413);
});

test('T-C20 3 KB of metadata are kept, and the connection stays', async () => {
  const metadata = `filename ${Buffer.alloc(2_250, 'n').toString('base64')}`;
  const connection = await RawConnection.open(server.port);
  const fields = { ...VERSION, 'Upload-Length': String(FILE_SIZE), 'Upload-Metadata': metadata };
  await connection.send(requestBytes('POST', server.signedTarget('t-c20', FILE_SIZE), fields));
  const path = locationOf(await connection.response());
  await connection.send(requestBytes('HEAD', path, VERSION));
  assert.equal(fieldOf(await connection.response({ isToHead: true }), 'upload-metadata'), metadata);
  connection.drop();
});

test('T-C21 an endpoint that a library has put a slash behind is the same slot', async () => {
  const slot = server.signedTarget('t-c21', FILE_SIZE).replace('?', '/?');
  const fields = { ...VERSION, 'Upload-Length': String(FILE_SIZE) };
  await finish(locationOf(await post(server, slot, fields)), 't-c21');
});
