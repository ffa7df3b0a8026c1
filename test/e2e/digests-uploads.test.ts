/** Digests of requests (RFC 9530, RFC 1864) on the wire: what does not fit is not stored. */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { exchange, get, put, type RawBytes, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { publicTreeOf } from '../support/store-state.ts';

const SMALL = Buffer.from('a small body');
/** More than one piece for the lanes. */
const LARGE = randomBytes(1_500_000);

type Fields = Readonly<Record<string, string>>;

let server: ServerProcess;
let keys = 0;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

function digest(algorithm: string, bytes: RawBytes): string {
  return createHash(algorithm).update(bytes).digest('base64');
}

function sha256(bytes: RawBytes): string {
  return `sha-256=:${digest('sha256', bytes)}:`;
}

function sha512(bytes: RawBytes): string {
  return `sha-512=:${digest('sha512', bytes)}:`;
}

/** PUT to a fresh name; asserts that the file is there afterwards if and only if it was accepted. */
async function upload(body: Buffer, fields: Fields): Promise<number> {
  keys += 1;
  const key = `digest-${keys}`;
  const response = await put(server.port, server.signedTarget(key, body.length), body, fields);
  const stored = await get(server.port, `/files/${key}`);
  if (response.status === 201) assert.ok(stored.body.equals(body), key);
  else {
    assert.equal(stored.status, 404, key);
    assert.ok(!publicTreeOf(server.storeDir).includes(key), key);
  }
  return response.status;
}

test('G-10 a right Content-Digest is stored, a wrong one is 400, and nothing is stored', async () => {
  for (const body of [SMALL, LARGE, Buffer.alloc(0)]) {
    for (const write of [sha256, sha512]) {
      assert.equal(await upload(body, { 'Content-Digest': write(body) }), 201);
      assert.equal(await upload(body, { 'Content-Digest': write('other') }), 400);
    }
    assert.equal(await upload(body, { 'Content-Digest': `${sha256(body)}, ${sha512(body)}` }), 201);
    assert.equal(await upload(body, { 'Content-Digest': `${sha256(body)}, ${sha512('other')}` }), 400);
  }
});

test('G-10 the right body is taken after a wrong one, on the same slot', async () => {
  const target = server.signedTarget('G-10', LARGE.length);
  const fields = { 'Content-Digest': sha256(LARGE) };
  const damaged = Buffer.from(LARGE);
  damaged[700_000] = (damaged[700_000] ?? 0) ^ 1;
  assert.equal((await put(server.port, target, damaged, fields)).status, 400);
  assert.equal((await put(server.port, target, LARGE, fields)).status, 201);
});

test('G-11 a wrong Repr-Digest is 400; an unknown algorithm beside a right one is passed over', async () => {
  for (const body of [SMALL, LARGE]) {
    assert.equal(await upload(body, { 'Repr-Digest': sha256('other') }), 400);
    assert.equal(await upload(body, { 'Repr-Digest': `${sha256(body)}, x=:AAAA:, md5=:AAAA:` }), 201);
    assert.equal(await upload(body, { 'Repr-Digest': 'md5=:AAAA:, unixsum=30637' }), 201);
    assert.equal(await upload(body, { 'Repr-Digest': sha256(body), 'Content-Digest': sha512('other') }), 400);
  }
});

test('G-12 a malformed digest is 400, whatever the protocol', async () => {
  const malformed = ['garbage,', 'sha-256=1', 'sha-256=:AAAA:', 'sha-256=:***:', 'sha-256="abc"', `${sha256(SMALL)} x`];
  for (const value of malformed) {
    for (const name of ['Content-Digest', 'Repr-Digest'])
      assert.equal(await upload(SMALL, { [name]: value }), 400, value);
    const part = { 'Content-Range': 'bytes 0-11/20', 'Content-Digest': value };
    assert.equal((await put(server.port, server.signedTarget('G-12', 20), SMALL, part)).status, 400, value);
    const creation = { 'Upload-Complete': '?1', 'Content-Digest': value };
    assert.equal((await put(server.port, server.signedTarget('G-12', 12), SMALL, creation)).status, 400, value);
  }
});

test('G-13 a wrong Content-MD5 is 400, a right one is stored', async () => {
  for (const body of [SMALL, LARGE]) {
    assert.equal(await upload(body, { 'Content-MD5': digest('md5', body) }), 201);
    assert.equal(await upload(body, { 'Content-MD5': digest('md5', 'other') }), 400);
  }
  for (const value of ['garbage', digest('sha256', SMALL), ''])
    assert.equal(await upload(SMALL, { 'Content-MD5': value }), 400);
});

test('G-10 a part with a wrong Content-Digest counts for nothing, and a right one goes on', async () => {
  const size = LARGE.length;
  const part = (first: number, last: number, fields: Fields): Promise<RawResponse> =>
    put(server.port, server.signedTarget('G-10-part', size), LARGE.subarray(first, last + 1), {
      'Content-Range': `bytes ${first}-${last}/${size}`,
      ...fields,
    });
  assert.equal((await part(0, 999_999, { 'Content-Digest': sha256(LARGE.subarray(0, 1_000_000)) })).status, 308);
  assert.equal((await part(1_000_000, size - 1, { 'Content-Digest': sha256('other') })).status, 400);
  assert.equal((await get(server.port, '/files/G-10-part')).status, 404);
  assert.equal((await part(1_000_000, size - 1, { 'Content-Digest': sha256(LARGE.subarray(1_000_000)) })).status, 201);
  assert.ok((await get(server.port, '/files/G-10-part')).body.equals(LARGE));
});

test('G-11 the Repr-Digest of a creation is compared when the last byte is there', async () => {
  for (const [key, of, status] of [
    ['right', LARGE, 200],
    ['wrong', SMALL, 400],
  ] as const) {
    const fields = { 'Upload-Complete': '?0', 'Upload-Length': String(LARGE.length), 'Repr-Digest': sha256(of) };
    const slot = server.signedTarget(`G-11-${key}`, LARGE.length);
    const created = await exchange(server.port, requestBytes('POST', slot, fields, LARGE.subarray(0, 800_000)));
    const path = created.fields.find(([name]) => name === 'location')?.[1] ?? '';
    const append = {
      'Upload-Complete': '?1',
      'Upload-Offset': '800000',
      'Content-Type': 'application/partial-upload',
    };
    const finished = await exchange(server.port, requestBytes('PATCH', path, append, LARGE.subarray(800_000)));
    assert.equal(finished.status, status, key);
    assert.equal((await get(server.port, `/files/G-11-${key}`)).status, status === 200 ? 200 : 404);
  }
});

test('StoreDigest keeps what was compared anyway, and the digest of a resumed upload is right', async () => {
  const keeping = await ServerProcess.start({ settings: { StoreDigest: true } });
  try {
    const slot = keeping.signedTarget('kept', LARGE.length);
    const parts = [LARGE.subarray(0, 600_000), LARGE.subarray(600_000)] as const;
    const fields = (first: number, last: number): Fields => ({
      'Content-Range': `bytes ${first}-${last}/${LARGE.length}`,
    });
    assert.equal((await put(keeping.port, slot, parts[0], fields(0, 599_999))).status, 308);
    assert.equal((await put(keeping.port, slot, parts[1], fields(600_000, LARGE.length - 1))).status, 201);
    // `Digest` is said only where nothing has to be read for it.
    const response = await fetch(`${keeping.origin}/files/kept`, { headers: { 'Want-Digest': 'sha-256' } });
    assert.equal(response.headers.get('digest'), `SHA-256=${digest('sha256', LARGE)}`);
    await response.arrayBuffer();
  } finally {
    await keeping.stop();
  }
});
