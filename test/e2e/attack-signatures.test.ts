/**
 * Attacks by the signature of an upload, over a socket against the running server. Each title begins with the number of
 * the attack. A refused upload leaves nothing and tells nothing.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exchange, fieldOf, get, put, RawConnection, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { hmacHex, signDelete, signV, signV2, signV3 } from '../support/sign.ts';
import { publicTreeOf, settledTree } from '../support/store-state.ts';

const BODY = 'abcde';
const SIZE = BODY.length;
const TYPE = 'image/png';
const ZEROS = '0'.repeat(64);
const NO_MAC = "No HMAC attached to URL. Expecting 'v', 'v2', or 'token' parameter as MAC\n";

let server: ServerProcess;
let keys = 0;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

/** Uploads to a fresh name with the query that is made for it. */
async function attempt(queryOf: (key: string) => string, type = TYPE): Promise<RawResponse> {
  keys += 1;
  const key = `key-${keys}.png`;
  return put(server.port, `/files/${key}?${queryOf(key)}`, BODY, { 'Content-Type': type });
}

async function assertAccepted(queries: readonly ((key: string) => string)[]): Promise<void> {
  for (const queryOf of queries) assert.equal((await attempt(queryOf)).status, 201, queryOf('KEY'));
}

async function assertRefused(
  queries: readonly ((key: string) => string)[],
  expected: { readonly status?: number; readonly text?: string } = {},
): Promise<void> {
  const before = await settledTree(server);
  for (const queryOf of queries) {
    const response = await attempt(queryOf);
    assert.equal(response.status, expected.status ?? 403, queryOf('KEY'));
    if (expected.text !== undefined) assert.equal(response.body.toString(), expected.text, queryOf('KEY'));
    assert.equal(fieldOf(response, 'content-type'), 'text/plain; charset=utf-8');
  }
  assert.deepEqual(await settledTree(server), before);
}

const v = (key: string): string => signV(TEST_SECRET, key, SIZE);
const v2 = (key: string): string => signV2(TEST_SECRET, key, SIZE, TYPE);
const later = Math.floor(Date.now() / 1_000) + 600;
const v3 = (key: string, expires: number | string = later): string => signV3(TEST_SECRET, `/files/${key}`, expires);

/** Everything about a response but its moment. */
function timeless({ status, fields, body }: RawResponse): unknown {
  return { status, body: body.toString(), fields: fields.filter(([name]) => name !== 'date') };
}

test('A26 a wrong MAC is answered the same whether the file exists or not', async () => {
  await put(server.port, server.signedTarget('there.png', SIZE), BODY);
  await put(server.port, server.signedTarget('there/file', SIZE), BODY);
  const wrong = (key: string): readonly string[] => [
    `v=${ZEROS}`,
    `v=${signV(TEST_SECRET, `${key}x`, SIZE)}`,
    `v=${signV(TEST_SECRET, key, SIZE + 1)}`,
    `v=${signV('another-secret-of-some-length', key, SIZE)}`,
    `v2=${signV2(TEST_SECRET, key, SIZE, 'text/x-other')}`,
    `token=${signV2(TEST_SECRET, key, SIZE + 1, TYPE)}`,
    `v3=${v3(`${key}x`)}&expires=${later}`,
    'v=zz',
    'x=1',
  ];
  const pairs = [
    ['there.png', 'never.png'],
    ['there/file', 'never/file'],
    ['there.png/below', 'never.png/below'],
    ['there', 'never'],
  ] as const;
  for (const [present, absent] of pairs) {
    for (const [index, query] of wrong(present).entries()) {
      const answers = await Promise.all([
        put(server.port, `/files/${present}?${query}`, BODY, { 'Content-Type': TYPE }),
        put(server.port, `/files/${absent}?${wrong(absent)[index]}`, BODY, { 'Content-Type': TYPE }),
      ]);
      assert.equal(answers[0].status, 403);
      assert.deepEqual(timeless(answers[0]), timeless(answers[1]), query);
    }
  }
  assert.equal((await get(server.port, '/files/there.png')).body.toString(), BODY);
});

test('A27 a MAC that is not 64 hexadecimal digits is 403, also when it begins with the right one', async () => {
  const encoding = { text: 'Invalid MAC encoding\n' };
  await assertRefused(
    [
      () => `v=${'f'.repeat(63)}`,
      () => `v=${'f'.repeat(65)}`,
      (key) => `v=${v(key)}0`,
      () => 'v=zz',
      (key) => `v=${v(key).slice(0, 62)}zz`,
      (key) => `v=${v(key)}%00`,
      (key) => `v=${v(key)}zz`,
      () => 'v=\u00fc\u00fc',
      () => 'v=0x00',
      (key) => `v=%${v(key)}`,
    ],
    encoding,
  );
  const wrong = { text: 'Invalid MAC\n' };
  await assertRefused(
    [() => 'v=00', () => `v=${'f'.repeat(128)}`, (key) => `v=${v(key)}00`, (key) => `v=${v(key).slice(2)}`],
    wrong,
  );
  await assertRefused([() => 'v=', () => 'v', () => '', () => 'v2=&token=', () => 'w=1'], { text: NO_MAC });
});

test('A28 upper-case and mixed-case digits of the right MAC are accepted', async () => {
  await assertAccepted([
    (key) => `v=${v(key).toUpperCase()}`,
    (key) => `v=${v(key).slice(0, 30).toUpperCase()}${v(key).slice(30)}`,
    (key) => `v2=${v2(key).toUpperCase()}`,
  ]);
});

test('A29 the highest version present decides alone', async () => {
  await assertAccepted([
    (key) => `v=${ZEROS}&v2=${v2(key)}`,
    (key) => `token=zz&v2=${v2(key)}&v=${ZEROS}`,
    (key) => `v=${ZEROS}&token=${v2(key)}`,
    (key) => `v=${ZEROS}&v2=${ZEROS}&token=${ZEROS}&v3=${v3(key)}&expires=${later}`,
    (key) => `v=${v(key)}&v2=&token=&v3=`,
  ]);
  await assertRefused([
    (key) => `v=${v(key)}&v2=${ZEROS}`,
    (key) => `v2=zz&v=${v(key)}`,
    (key) => `v=${v(key)}&token=${ZEROS}`,
    (key) => `token=${v2(key)}&v2=${ZEROS}`,
    (key) => `v=${v(key)}&v2=${v2(key)}&v3=${ZEROS}&expires=${later}`,
    (key) => `v=${v(key)}&v2=${v2(key)}&v3=${v3(key)}`,
  ]);
});

test('A30 the same parameter twice is 400, equal or not, empty or not', async () => {
  const twice = [v, () => ZEROS, () => ''].map((second) => (key: string) => `v=${v(key)}&v=${second(key)}`);
  await assertRefused(
    [...twice, (key) => `v&v=${v(key)}`, (key) => `v=${v(key)}&s=1&s=1`, (key) => `v2=${v2(key)}&x&v2=`],
    {
      status: 400,
      text: 'Bad Request\n',
    },
  );
});

test('A31 other spellings of a known name are not that name', async () => {
  const names = ['V', '%76', 'v[]', 'v%00', ';v', 'v%20', '+v', '?v', '__proto__', 'constructor'];
  await assertRefused(
    names.map((name) => (key: string) => `${name}=${v(key)}`),
    { text: NO_MAC },
  );
  await assertAccepted(names.map((name) => (key: string) => `${name}=${ZEROS}&v=${v(key)}`));
});

test('A32 one reading of the query: unknown items do not matter, a second ? and a semicolon are text', async () => {
  await assertAccepted([
    (key) => `x&v=${v(key)}`,
    (key) => `&&v=${v(key)}&`,
    (key) => `v=${v(key)}&x=?v=${ZEROS}`,
    (key) => `a=b;v=${ZEROS}&v=${v(key)}`,
  ]);
  await assertRefused([
    (key) => `?v=${v(key)}`,
    (key) => `v=${v(key)}?b`,
    (key) => `v=?${v(key)}`,
    (key) => `v=${v(key)};x=1`,
  ]);
});

test('A33 a signature of one scheme verifies as no other, but token and v2 are one', async () => {
  await assertAccepted([(key) => `token=${v2(key)}`, (key) => `v2=${v2(key)}`]);
  await assertRefused([
    (key) => `v=${v2(key)}`,
    (key) => `v2=${v(key)}`,
    (key) => `token=${v(key)}`,
    (key) => `v=${v3(key)}&expires=${later}`,
    (key) => `v2=${v3(key)}&expires=${later}`,
    (key) => `v3=${v(key)}&expires=${later}`,
    (key) => `v3=${v2(key)}&expires=${later}`,
  ]);
});

async function storedType(key: string, signed: string, sent: string): Promise<string | number | null> {
  const mac = signV2(TEST_SECRET, key, SIZE, signed);
  const { status } = await put(server.port, `/files/${key}?v2=${mac}`, BODY, { 'Content-Type': sent });
  return status === 201 ? fieldOf(await get(server.port, `/files/${key}`), 'content-type') : status;
}

test('A34 a type verifies only as signed, byte for byte, and is stored only when well-formed', async () => {
  const long = `a/${'b'.repeat(298)}`;
  assert.equal(await storedType('t1', 'text/x; charset=x', 'text/x; charset=x'), 'text/x; charset=x');
  assert.equal(await storedType('t2', 'text/x; x', 'text/x; x'), 'text/x');
  assert.equal(await storedType('t3', long, long), 'application/octet-stream');
  assert.equal(await storedType('t4', 'image/png, text/html', 'image/png, text/html'), 'application/octet-stream');
  assert.equal(await storedType('t5', 'Text/X', 'Text/X'), 'Text/X');
  assert.equal(await storedType('t6', 'Text/X', 'text/x'), 403);
  assert.equal(await storedType('t7', 'text/x;a=b', 'text/x; a=b'), 403);
  assert.equal(await storedType('t8', 'a\0b', 'a\0b'), 400);
  assert.equal(await storedType('t9', 'a/b\nX: y', 'a/b\nX: y'), 400);
  assert.equal(await storedType('t10', 'a/\x01b', 'a/\x01b'), 400);
});

test('A35 another type than the signed one is 403, unless it is that of the extension', async () => {
  assert.equal(await storedType('u1.png', 'image/png', 'text/html'), 'image/png');
  assert.equal(await storedType('u2.png', 'text/html', 'image/png'), 403);
  assert.equal(await storedType('u3', 'image/png', 'text/html'), 403);
});

test('A36 another Content-Length than the signed one is 403, a missing one 411, and nothing is stored', async () => {
  const before = await settledTree(server);
  for (const size of [0, 1, SIZE - 1, SIZE + 1, 100]) {
    const response = await put(server.port, server.signedTarget('length', SIZE), Buffer.alloc(size, 'x'));
    assert.deepEqual([response.status, response.body.toString()], [403, 'Invalid MAC\n']);
  }
  const missing = await exchange(server.port, requestBytes('PUT', server.signedTarget('length', SIZE)));
  assert.deepEqual([missing.status, missing.body.toString()], [411, 'Length Required\n']);
  assert.deepEqual(await settledTree(server), before);
});

test('A38 fewer bytes than declared make no file, more than declared are never stored', async () => {
  await settledTree(server);
  const before = publicTreeOf(server.storeDir);
  const request = requestBytes('PUT', server.signedTarget('short', SIZE), {}, BODY);
  const connection = await RawConnection.open(server.port);
  await connection.send(request.subarray(0, -1));
  connection.halfClose();
  await connection.closed();
  await settledTree(server);
  assert.deepEqual(publicTreeOf(server.storeDir), before);
  for (const [index, packets] of [[`${BODY}surplus`], [BODY, 'surplus']].entries()) {
    const target = server.signedTarget(`surplus-${index}`, SIZE);
    const head = requestBytes('PUT', target, { 'Content-Length': String(SIZE) });
    const sender = await RawConnection.open(server.port);
    await sender.send(Buffer.concat([head, Buffer.from(packets[0] ?? '')]), ...packets.slice(1));
    await sender.response().catch(() => null);
    sender.drop();
    const served = await get(server.port, `/files/surplus-${index}`);
    if (served.status === 200) assert.equal(served.body.toString(), BODY);
  }
});

test('A39 a used slot is 409 for ever, whatever is sent, and keeps its first content', async () => {
  const target = server.signedTarget('used', SIZE);
  assert.equal((await put(server.port, target, BODY)).status, 201);
  const before = await settledTree(server);
  for (let count = 0; count < 100; count += 1) {
    const response = await put(server.port, target, count % 2 === 0 ? BODY : 'XXXXX');
    assert.deepEqual([response.status, response.body.toString()], [409, 'Conflict\n']);
  }
  assert.deepEqual(await settledTree(server), before);
  assert.equal((await get(server.port, '/files/used')).body.toString(), BODY);
});

test('A40 without a DeleteSecret a signed DELETE is 405, removes nothing and opens nothing', async () => {
  const target = server.signedTarget('deleted', SIZE);
  assert.equal((await put(server.port, target, BODY)).status, 201);
  const deletion = `/files/deleted?token=${signDelete(TEST_SECRET, 'deleted', 'delete-secret')}`;
  const refused = await exchange(server.port, requestBytes('DELETE', deletion));
  assert.deepEqual([refused.status, fieldOf(refused, 'allow')], [405, 'OPTIONS, GET, HEAD, PUT']);
  assert.equal((await put(server.port, target, BODY)).status, 409);
  assert.equal((await get(server.port, '/files/deleted')).body.toString(), BODY);
});

test('A41 a v3 signature is good until it expires, and only with its own time', async () => {
  await assertAccepted([(key) => `v3=${v3(key)}&expires=${later}`]);
  const past = Math.floor(Date.now() / 1_000) - 1;
  await assertRefused([(key) => `v3=${v3(key, past)}&expires=${past}`], { text: 'Signature expired\n' });
  const malformed = ['', '1e9', '-1', '9'.repeat(16), '9'.repeat(1_000), 'x', `${later}.0`];
  await assertRefused([
    (key) => `v3=${v3(key)}`,
    (key) => `v3=${v3(key)}&expires=${later + 1}`,
    ...malformed.map((expires) => (key: string) => `v3=${v3(key, expires)}&expires=${expires}`),
  ]);
});

test('A42 the signature of an upload allows nothing else', async () => {
  const target = server.signedTarget('only-put', SIZE);
  assert.equal((await put(server.port, target, BODY)).status, 201);
  const before = await settledTree(server);
  for (const method of ['DELETE', 'POST', 'PATCH']) {
    assert.equal((await exchange(server.port, requestBytes(method, target, {}, BODY))).status, 405, method);
  }
  assert.equal((await get(server.port, target.replace('only-put', 'other'))).status, 404);
  assert.deepEqual(await settledTree(server), before);
});

test('A43 signatures over less than path and size are never accepted', async () => {
  const texts: readonly ((key: string) => string)[] = [
    (key) => key,
    (key) => `${key}\0${SIZE}`,
    (key) => `${key}\0${SIZE}\0`,
    (key) => `PUT\n${key}`,
    (key) => `PUT\n/files/${key}`,
    (key) => `${key} -1`,
    () => '/upload',
    () => '',
  ];
  for (const textOf of texts) {
    await assertRefused(
      ['v', 'v2', 'token', 'v3'].map(
        (name) => (key: string) => `${name}=${hmacHex(TEST_SECRET, textOf(key))}&expires=${later}`,
      ),
    );
  }
  await assertRefused([(key) => `token=${signDelete(TEST_SECRET, key, '')}`]);
  keys += 1;
  const signed = requestBytes('PUT', `/files/key-${keys}`, { 'X-Signature': hmacHex(TEST_SECRET, '/upload') }, BODY);
  assert.equal((await exchange(server.port, signed)).status, 403);
});
