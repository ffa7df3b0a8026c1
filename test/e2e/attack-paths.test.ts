/**
 * Attacks by the path of a request, byte for byte over a socket, against the running server. Each title begins with the
 * number of the attack. What has no safe meaning is 400 and leaves nothing; everything else is a name.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { linesUpToNow } from '../support/log-marker.ts';
import { exchange, fieldOf, get, put, RawConnection, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { signDelete, signV, signV2 } from '../support/sign.ts';
import { publicTreeOf, settledTree, treeOf } from '../support/store-state.ts';

const BODY = 'abc';

let server: ServerProcess;
let logFolder: string;

before(async () => {
  logFolder = mkdtempSync(join(tmpdir(), 'hmac-file-server-log-'));
  server = await ServerProcess.start({ settings: { LogFile: join(logFolder, 'server.log') } });
});

after(async () => {
  await server.stop();
  rmSync(logFolder, { recursive: true });
});

/** A target below the base path, given as the bytes of a Latin-1 text, with a signature of `key`. */
function target(raw: string, key: string | null): Buffer {
  const query = key === null ? '' : `?v=${signV(TEST_SECRET, key, BODY.length)}`;
  return Buffer.from(`/files/${raw}${query}`, 'latin1');
}

/** What a careless reader could take the raw path for. */
function readings(raw: string): ReadonlySet<string> {
  const bytes = Buffer.from(raw, 'latin1');
  const decoded = raw.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  const resolved = new URL(`http://test/files/${raw.replace(/#.*/, '')}`).pathname.replace(/^\/(files\/)?/, '');
  return new Set([raw, bytes.toString('utf8'), decoded, Buffer.from(decoded, 'latin1').toString('utf8'), resolved]);
}

/** Asserts that each raw path is refused whatever is signed and by whatever method, and that nothing is left. */
async function assertRefused(raws: readonly string[], allowed: readonly number[] = [400]): Promise<void> {
  const before = await settledTree(server);
  for (const raw of raws) {
    const keys = [null, ...readings(raw)];
    const statuses = await Promise.all([
      ...keys.map(async (key) => (await put(server.port, target(raw, key), BODY)).status),
      ...['GET', 'HEAD'].map(async (method) => (await fetchStatus(method, raw)).status),
    ]);
    for (const status of statuses) assert.ok(allowed.includes(status), `${JSON.stringify(raw)} ${statuses}`);
  }
  assert.deepEqual(await settledTree(server), before);
}

function fetchStatus(method: string, raw: string): Promise<RawResponse> {
  return exchange(server.port, requestBytes(method, target(raw, null)), { isToHead: method === 'HEAD' });
}

/** Asserts that the raw path is the name `key`: stored under it once, and served by the same spelling. */
async function assertName(raw: string, key: string): Promise<void> {
  const before = publicTreeOf(server.storeDir);
  assert.equal((await put(server.port, target(raw, key), BODY)).status, 201, raw);
  const files = publicTreeOf(server.storeDir).filter((path) => !before.includes(path) && !path.endsWith('/'));
  assert.deepEqual(files, [key]);
  const served = await get(server.port, target(raw, null));
  assert.deepEqual([served.status, served.body.toString()], [200, BODY], raw);
}

/** The bytes of a text in UTF-8, as a Latin-1 text. */
function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

test('A01 plain dot segments are 400 in every place, signed or not', async () => {
  await assertRefused([
    '.',
    '..',
    '../x',
    './x',
    'a/../x',
    'a/./x',
    'a/..',
    'a/.',
    '../files/x',
    '../../etc/passwd',
    'a/../../x',
  ]);
  for (const path of ['/../files/x', '/./files/x', '/..', '/.']) {
    assert.equal((await put(server.port, `${path}?v=${signV(TEST_SECRET, 'x', 3)}`, BODY)).status, 404, path);
  }
});

test('A02 encoded dot segments are 400 in every spelling', async () => {
  await assertRefused(['%2e%2e/x', '.%2e/x', '%2E%2E/x', '%2e./x', '%2e/x', 'a/%2e%2e/x', 'a/%2E', 'a/.%2E']);
});

test('A03 an encoded slash is 400 everywhere', async () => {
  await assertRefused(['a%2fb', 'a%2Fb', '%2f', '%2fetc%2fpasswd', '..%2f..%2fx', 'a/%2f/b', 'x%2f']);
});

test('A04 doubly encoded dots, slashes and letters are decoded once: names with a percent sign', async () => {
  await assertName('%252e%252e/x', '%2e%2e/x');
  await assertName('%252e', '%2e');
  await assertName('a%25252fb', 'a%252fb');
  await assertName('%2541', '%41');
  await assertName('%252fetc', '%2fetc');
});

test('A05 a backslash, plain or encoded, is part of a name of one segment', async () => {
  await assertName('back\\slash', 'back\\slash');
  await assertName('back%5cslash2', 'back\\slash2');
  await assertName('..\\..\\x', '..\\..\\x');
  await assertName('%5c..%5c', '\\..\\');
});

test('A06 encoded control characters are 400 before any signature is computed', async () => {
  const codes = [...Array.from({ length: 32 }, (_, code) => code), 0x7f];
  const ascii = codes.map((code) => `a%${code.toString(16).padStart(2, '0')}b`);
  const c1 = Array.from({ length: 32 }, (_, code) => `a%c2%${(0x80 + code).toString(16)}b`);
  await assertRefused([...ascii, ...c1, 'a%0d%0aSet-Cookie:x', '%00', 'x%00.png']);
  const checked = (await linesUpToNow(server)).filter(
    (line) => line.event === 'signature.checked' && line['reason'] === 'mismatch',
  );
  assert.deepEqual(checked, []);
});

test('A06 a v2 signature does not verify as the v signature of a path with NULs', async () => {
  const forged = signV2(TEST_SECRET, 'a', 5, 't 3');
  assert.equal((await put(server.port, `/files/a%005%00t?v=${forged}`, BODY)).status, 400);
});

test('A07 encoded bytes that are no UTF-8 are 400', async () => {
  await assertRefused([
    '%c0%ae%c0%ae/x',
    '%e0%80%ae',
    '%c0%af',
    '%fc',
    'gr%fcn',
    '%ed%a0%80',
    '%f5',
    '%80',
    '%c3',
    '%ff',
  ]);
});

test('A08 raw UTF-8 in the target is the same name as its encoded form', async () => {
  await assertName(utf8('Grüße 1'.replace(' ', '%20')), 'Grüße 1');
  assert.equal((await get(server.port, '/files/Gr%C3%BC%C3%9fe%201')).status, 200);
  await assertName('%f0%9f%98%80.png', '\u{1f600}.png');
  assert.equal((await get(server.port, '/files/\u{1f600}.png')).status, 200);
});

test('A09 raw bytes that are no UTF-8 are 400, and so is a raw U+FFFD; an encoded one is a name', async () => {
  await assertRefused(['a\xfcb', '\xff', '\xc3', 'a/\xed\xa0\x80', '\xc0\xae\xc0\xae/x', utf8('a\ufffdb')]);
  await assertName('a%ef%bf%bdb', 'a\ufffdb');
});

test('A10 malformed escapes are 400', async () => {
  await assertRefused(['%', '%4', '%zz', '%u0041', 'a%', 'a%2', '%%41', '%g0', '%-1']);
});

test('A11 empty segments, the base path and folders are 400 or 404: no redirect, no listing', async () => {
  await assertName('folder/inside', 'folder/inside');
  const paths = [
    '/',
    '//',
    '//etc/passwd',
    '/files',
    '/files/',
    '/files//',
    '/files//x',
    '/files/x/',
    '/files/folder',
    '/files/folder/',
  ];
  for (const path of paths) {
    for (const method of ['GET', 'HEAD']) {
      const response = await exchange(server.port, requestBytes(method, path), { isToHead: method === 'HEAD' });
      assert.ok(response.status === 400 || response.status === 404, `${method} ${path} ${response.status}`);
      assert.equal(fieldOf(response, 'location'), null);
      assert.ok(!response.body.includes('inside'));
    }
  }
  await assertRefused(['', '/etc/passwd', '/x', 'x/', 'a//b', 'folder/', '/']);
});

test('A12 the composed and the decomposed form of a name are two files, each reachable by its own form', async () => {
  await assertName('nfc-%c3%bc', 'nfc-\u00fc');
  assert.equal((await get(server.port, '/files/nfc-u%cc%88')).status, 404);
  await assertName('nfc-u%cc%88', 'nfc-u\u0308');
  const names = readdirSync(server.storeDir).filter((name) => name.startsWith('nfc-'));
  assert.equal(names.length, 2);
});

test('A13 bidirectional, invisible and homoglyph letters are stored, and never written unescaped', async () => {
  const names = ['bidi-\u202egnp.exe', 'zero-\u200b\u200d\ufeff.bin', 'p\u0430ypal.bin', 'poo-\u{1f4a9}.bin'];
  for (const name of names) {
    await assertName(utf8(name), name);
    const disposition = fieldOf(await get(server.port, `/files/${name}`), 'content-disposition') ?? '';
    assert.match(disposition, /^attachment; filename="[\x20-\x7e]*"; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+$/);
    assert.ok(disposition.endsWith(`UTF-8''${encodeURIComponent(name)}`));
    await server.event('request.completed', 10_000, (line) => line['path'] === `/files/${name}`);
  }
  const log = readFileSync(join(logFolder, 'server.log'));
  assert.ok(log.includes('bidi-\\u202egnp.exe'));
  assert.ok(log.every((byte) => byte === 0x0a || (byte >= 0x20 && byte <= 0x7e)));
});

test('A14 the reserved tree is 400 in every spelling, for every method, signed or not', async () => {
  const raws = [
    '.hfs',
    '.HFS',
    '.Hfs/x',
    '%2ehfs',
    '.%68fs/x',
    '.h%46s/x',
    '.hfs/lock',
    '.hfs/u/',
    '.hfs/versions/aa/x',
  ];
  await assertRefused(raws);
  for (const raw of raws) {
    const signed = `/files/${raw}?token=${signDelete(TEST_SECRET, decodeURIComponent(raw), 'x')}`;
    for (const method of ['DELETE', 'POST', 'PATCH']) {
      assert.equal((await exchange(server.port, requestBytes(method, signed))).status, 400, `${method} ${raw}`);
    }
  }
  // Uploads have their names there; this is none.
  await assertRefused(['.hfs/u/x'], [404, 405]);
});

test('A14 nothing of the tree is readable: records, long names, uploads that are being received', async () => {
  const type = 'application/x-recorded';
  const mac = signV2(TEST_SECRET, 'recorded', BODY.length, type);
  await put(server.port, `/files/recorded?v2=${mac}`, BODY, { 'Content-Type': type });
  const long = 'l'.repeat(300);
  await put(server.port, server.signedTarget(long, BODY.length), BODY);
  const connection = await RawConnection.open(server.port);
  await connection.send(requestBytes('PUT', server.signedTarget('unfinished', 9), { 'Content-Length': '9' }), 'secret');
  await server.event('upload.created', 10_000, (line) => line['size_bytes'] === 9);
  const own = treeOf(server.storeDir).filter((path) => path.startsWith('.hfs'));
  for (const part of ['records/', 'long/', 'staging/']) {
    assert.ok(
      own.some((path) => path.startsWith(`.hfs/${part}`) && !path.endsWith('/')),
      part,
    );
  }
  for (const path of own) {
    const response = await get(server.port, `/files/${path}`);
    assert.deepEqual([response.status, response.body.toString()], [400, 'Bad Request\n'], path);
  }
  connection.drop();
  await settledTree(server);
});

test('A15 other leading, trailing and lonely dots and spaces are names', async () => {
  const names = ['.htaccess', '.well-known/x', 'a/.hfs', '...', 'x.', 'x ', ' x', ' ', '.hfsx', '.hf', '..x', '. .'];
  for (const name of names) await assertName(name.replaceAll(' ', '%20'), name);
});

test('A16 long segments, long paths and deep paths are stored and served under their own names', async () => {
  const deep = `${'d/'.repeat(499)}x`;
  await assertName(deep, deep);
  const before = publicTreeOf(server.storeDir);
  const path = `p/${Array.from({ length: 12 }, () => 's'.repeat(249)).join('/')}`;
  assert.equal(path.length, 3001);
  const names = ['n'.repeat(256), '\u20ac'.repeat(86), path];
  for (const name of names) {
    const spelling = name.split('/').map(encodeURIComponent).join('/');
    assert.equal((await put(server.port, target(spelling, name), BODY)).status, 201);
    assert.equal((await get(server.port, target(spelling, null))).body.toString(), BODY);
    assert.equal((await put(server.port, target(spelling, name), BODY)).status, 409);
    assert.equal((await get(server.port, target(`${spelling}y`, null))).status, 404);
  }
  assert.deepEqual(publicTreeOf(server.storeDir), before);
});

test('A23 what only looks like the base path is 404', async () => {
  const mac = signV(TEST_SECRET, 'x', BODY.length);
  for (const path of [
    '/filesx',
    '/Files/x',
    '/FILES/x',
    '/file',
    '/files',
    '/%66iles/x',
    '/files%2fx',
    '/files\\x',
    '/x',
  ]) {
    assert.equal((await put(server.port, `${path}?v=${mac}`, BODY)).status, 404, path);
    assert.equal((await get(server.port, path)).status, 404, path);
  }
});

test('A24 raw controls, spaces and # in the target are refused', async () => {
  await assertRefused(['a#b', '#', 'a\x7fb'], [400]);
  // The transport cannot find the version of the protocol behind these.
  await assertRefused(['a b', 'a\tb', 'a\x01b', 'a\x00b', 'a\x1bb'], [400, 505]);
});

test('A24 quotes, angle brackets and other punctuation are names', async () => {
  for (const name of ['q"', 'l<', 'g>', 'p|', '^`{}', '*', ':', ';', '&=+$,', "'()", '~', '-rf'])
    await assertName(name, name);
});
