/** Digests of answers, for those who ask (RFC 9530 §4, RFC 3230): compared with what the test itself computes. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { content, store } from '../support/paced-transfer.ts';
import { fieldOf, put } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';

const SMALL = content('small', 1_000);
/** Larger than what one piece is hashed in, and no multiple of it. */
const LARGE = content('large', 3 * 1024 * 1024 + 17);

/** Without stored digests: what is wanted is computed. */
let plain: ServerProcess;
let keeping: ServerProcess;
const urls: string[] = [];
let emptyUrl: string;
let largeUrl: string;
let keptUrl: string;

before(async () => {
  [plain, keeping] = await Promise.all([
    ServerProcess.start(),
    ServerProcess.start({ settings: { StoreDigest: true } }),
  ]);
  emptyUrl = await store(plain, 'empty.bin', Buffer.alloc(0));
  largeUrl = await store(plain, 'large.bin', LARGE);
  keptUrl = await store(keeping, 'kept.bin', SMALL);
  urls.push(await store(plain, 'small.bin', SMALL), keptUrl);
});

after(() => Promise.all([plain.stop(), keeping.stop()]));

function digest(bytes: Uint8Array, algorithm = 'sha256'): string {
  return createHash(algorithm).update(bytes).digest('base64');
}

function structured(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
  return `${algorithm.replace('sha', 'sha-')}=:${digest(bytes, algorithm)}:`;
}

interface Fields {
  readonly status: number;
  readonly repr: string | null;
  readonly content: string | null;
  readonly legacy: string | null;
}

async function ask(url: string, fields: Readonly<Record<string, string>>, expected: Buffer | null): Promise<Fields> {
  const response = await fetch(url, { method: expected === null ? 'HEAD' : 'GET', headers: fields });
  const body = Buffer.from(await response.arrayBuffer());
  if (expected !== null) assert.ok(body.equals(expected), `${body.length} bytes`);
  const { headers, status } = response;
  return {
    status,
    repr: headers.get('repr-digest'),
    content: headers.get('content-digest'),
    legacy: headers.get('digest'),
  };
}

const NOTHING = { repr: null, content: null, legacy: null };

test('G-1 Want-Repr-Digest is answered with the right Repr-Digest, on GET and HEAD, stored or computed', async () => {
  for (const url of urls) {
    for (const body of [SMALL, null]) {
      const found = await ask(url, { 'Want-Repr-Digest': 'sha-256=10' }, body);
      assert.deepEqual(found, { ...NOTHING, status: 200, repr: structured(SMALL) }, url);
    }
  }
  const large = await ask(largeUrl, { 'Want-Repr-Digest': 'sha-512=3, md5=10' }, LARGE);
  assert.equal(large.repr, structured(LARGE, 'sha512'));
  const empty = await ask(emptyUrl, { 'Want-Repr-Digest': 'sha-256=1' }, Buffer.alloc(0));
  assert.equal(empty.repr, structured(Buffer.alloc(0)));
});

test('G-1 nothing is said that was not asked for, or cannot be said', async () => {
  assert.deepEqual(await ask(keptUrl, {}, SMALL), { ...NOTHING, status: 200 });
  for (const wish of ['md5=10', 'sha-256=0', 'garbage,', '']) {
    assert.deepEqual(await ask(keptUrl, { 'Want-Repr-Digest': wish }, SMALL), { ...NOTHING, status: 200 }, wish);
  }
});

test('G-2 on a 206 Repr-Digest covers the whole file, and Content-Digest the part', async () => {
  const range = { Range: 'bytes=100000-1999999' };
  const part = LARGE.subarray(100_000, 2_000_000);
  const whole = await ask(largeUrl, { ...range, 'Want-Repr-Digest': 'sha-256=10' }, part);
  assert.deepEqual(whole, { ...NOTHING, status: 206, repr: structured(LARGE) });
  const both = { ...range, 'Want-Repr-Digest': 'sha-256=10', 'Want-Content-Digest': 'sha-256=10' };
  const found = await ask(largeUrl, both, part);
  assert.deepEqual(found, { ...NOTHING, status: 206, repr: structured(LARGE), content: structured(part) });
  const all = await ask(largeUrl, { 'Want-Content-Digest': 'sha-256=10' }, LARGE);
  assert.deepEqual(all, { ...NOTHING, status: 200, content: structured(LARGE) });
});

test('several parts have no Content-Digest, and a 304, a 404 and a 416 have none at all', async () => {
  const wants = { 'Want-Repr-Digest': 'sha-256=10', 'Want-Content-Digest': 'sha-256=10' };
  const parts = await fetch(largeUrl, { headers: { ...wants, Range: 'bytes=0-1,5-6' } });
  assert.match(parts.headers.get('content-type') ?? '', /^multipart\/byteranges/);
  assert.equal(parts.headers.get('content-digest'), null);
  assert.equal(parts.headers.get('repr-digest'), structured(LARGE));
  await parts.arrayBuffer();
  const etag = parts.headers.get('etag') ?? '';
  const unmodified = await ask(largeUrl, { ...wants, 'If-None-Match': etag }, Buffer.alloc(0));
  assert.deepEqual(unmodified, { ...NOTHING, status: 304 });
  const beyond = await fetch(largeUrl, { headers: { ...wants, Range: 'bytes=99999999-' } });
  assert.deepEqual([beyond.status, beyond.headers.get('repr-digest')], [416, null]);
  const missing = await fetch(`${plain.origin}/files/missing`, { headers: wants });
  assert.deepEqual([missing.status, missing.headers.get('repr-digest')], [404, null]);
});

test('G-3 Want-Digest is answered with the right Digest where it is at hand, else with none', async () => {
  const want = { 'Want-Digest': 'SHA-512;q=1, SHA-256;q=1, SHA;q=0.1' };
  assert.equal((await ask(keptUrl, want, SMALL)).legacy, `SHA-256=${digest(SMALL)}`);
  const url = await store(plain, 'unasked.bin', SMALL);
  assert.equal((await ask(url, want, SMALL)).legacy, null);
  await ask(url, { 'Want-Repr-Digest': 'sha-256=10' }, SMALL);
  // Each listener remembers what it has computed.
  assert.ok([null, `SHA-256=${digest(SMALL)}`].includes((await ask(url, want, SMALL)).legacy));
});

test('many who ask at once all get the same right answer', async () => {
  const url = await store(plain, 'popular.bin', LARGE);
  const answers = await Promise.all(
    Array.from({ length: 24 }, () => ask(url, { 'Want-Repr-Digest': 'sha-256=10' }, null)),
  );
  assert.deepEqual(new Set(answers.map(({ repr }) => repr)), new Set([structured(LARGE)]));
});

test('a file that is replaced has the digest of its new content', async () => {
  const server = await ServerProcess.start({ settings: { EnableVersioning: true } });
  try {
    for (const text of ['first', 'other']) {
      const url = await store(server, 'replaced.txt', Buffer.from(text));
      const found = await ask(url, { 'Want-Repr-Digest': 'sha-256=10' }, Buffer.from(text));
      assert.equal(found.repr, structured(Buffer.from(text)));
    }
  } finally {
    await server.stop();
  }
});

test('Want-Repr-Digest on an upload is answered with the digest that is kept', async () => {
  const want = { 'Want-Repr-Digest': 'sha-256=10' };
  const ways: readonly (readonly [name: string, fields: Readonly<Record<string, string>>])[] = [
    ['plain', {}],
    ['draft', { 'Upload-Complete': '?1' }],
    ['unwanted', { 'Want-Repr-Digest': 'sha-256=0' }],
  ];
  for (const [name, fields] of ways) {
    const target = keeping.signedTarget(`answered-${name}`, SMALL.length);
    const response = await put(keeping.port, target, SMALL, { ...want, ...fields });
    assert.equal(response.status, 201);
    assert.equal(fieldOf(response, 'repr-digest'), name === 'unwanted' ? null : structured(SMALL), name);
  }
  const parts = keeping.signedTarget('answered-parts', SMALL.length);
  await put(keeping.port, parts, SMALL.subarray(0, 500), { 'Content-Range': 'bytes 0-499/1000' });
  const last = await put(keeping.port, parts, SMALL.subarray(500), { 'Content-Range': 'bytes 500-999/1000', ...want });
  assert.deepEqual([last.status, fieldOf(last, 'repr-digest')], [201, structured(SMALL)]);
  const unkept = await put(plain.port, plain.signedTarget('unkept', SMALL.length), SMALL, want);
  assert.deepEqual([unkept.status, fieldOf(unkept, 'repr-digest')], [201, null]);
});
