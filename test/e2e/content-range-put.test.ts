/** PUT with Content-Range on the wire: append only, and never stored as the whole file. */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  exchange,
  fieldOf,
  get,
  put,
  type RawBytes,
  RawConnection,
  type RawResponse,
  requestBytes,
} from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually, publicTreeOf } from '../support/store-state.ts';

const SIZE = 300_000;
const CUT = 100_000;
const BODY = randomBytes(SIZE);

type Fields = Readonly<Record<string, string>>;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

/** PUT of a part on the slot that is signed for `total`. */
function putPart(
  key: string,
  contentRange: string,
  body: RawBytes,
  total: number,
  fields: Fields = {},
): Promise<RawResponse> {
  return put(server.port, server.signedTarget(key, total), body, { 'Content-Range': contentRange, ...fields });
}

function query(key: string, total: number): Promise<RawResponse> {
  return putPart(key, `bytes */${total}`, '', total);
}

/** Status, and where the upload is. */
function stateOf(response: RawResponse): readonly [status: number, range: string | null] {
  assert.equal(fieldOf(response, 'location'), null);
  return [response.status, fieldOf(response, 'range')];
}

async function assertStored(key: string, expected: RawBytes): Promise<void> {
  const response = await get(server.port, `/files/${key}`);
  assert.equal(response.status, 200, key);
  assert.ok(response.body.equals(Buffer.from(expected)), key);
}

async function assertNotStored(key: string): Promise<void> {
  assert.equal((await get(server.port, `/files/${key}`)).status, 404, key);
}

test('P-1 a plain PUT is 201, and the content comes back', async () => {
  const response = await put(server.port, server.signedTarget('P-1', SIZE), BODY);
  assert.deepEqual(stateOf(response), [201, null]);
  await assertStored('P-1', BODY);
});

test('P-2 a PUT with Expect: 100-continue gets its 100, then 201', async () => {
  const connection = await RawConnection.open(server.port);
  const bytes = requestBytes('PUT', server.signedTarget('P-2', SIZE), { Expect: '100-continue' }, BODY);
  await connection.send(bytes.subarray(0, bytes.length - SIZE));
  assert.equal((await connection.response()).status, 100);
  await connection.send(BODY);
  assert.equal((await connection.response()).status, 201);
  connection.drop();
  await assertStored('P-2', BODY);
});

test('P-3 what URLSession adds to every upload task changes nothing: 201, and the content comes back', async () => {
  for (const version of ['3', '6', '8', '9']) {
    const key = `P-3-${version}`;
    const complete: Fields = version === '3' ? { 'Upload-Incomplete': '?0' } : { 'Upload-Complete': '?1' };
    const fields = { 'Upload-Draft-Interop-Version': version, ...complete, Expect: '100-continue' };
    const response = await put(server.port, server.signedTarget(key, SIZE), BODY, fields);
    assert.equal(response.status, 201, version);
    await assertStored(key, BODY);
  }
});

test('P-4 a part is never stored as the whole file', async () => {
  const response = await putPart('P-4', 'bytes 0-3/8', 'abcd', 8);
  assert.equal(response.status, 308);
  await assertNotStored('P-4');
  const signedForPart = await put(server.port, server.signedTarget('P-4-other', 4), 'abcd', {
    'Content-Range': 'bytes 0-3/8',
  });
  assert.equal(signedForPart.status, 403);
  await assertNotStored('P-4-other');
});

test('P-5 an unknown unit is 400', async () => {
  assert.equal((await putPart('P-5', 'items 0-9/10', '0123456789', 10)).status, 400);
  await assertNotStored('P-5');
});

test('P-6 the range that is the whole body is a plain PUT, also over what a cut one has left', async () => {
  assert.deepEqual(stateOf(await putPart('P-6', 'bytes 0-3/8', 'xxxx', 8)), [308, 'bytes=0-3']);
  assert.deepEqual(stateOf(await putPart('P-6', 'bytes 0-7/8', 'abcdefgh', 8)), [201, null]);
  await assertStored('P-6', 'abcdefgh');
});

test('P-7 two parts in order are 308 and 201, and nothing is visible before the last', async () => {
  const first = await putPart('P-7', `bytes 0-${CUT - 1}/${SIZE}`, BODY.subarray(0, CUT), SIZE);
  assert.deepEqual(stateOf(first), [308, `bytes=0-${CUT - 1}`]);
  await assertNotStored('P-7');
  const last = await putPart('P-7', `bytes ${CUT}-${SIZE - 1}/${SIZE}`, BODY.subarray(CUT), SIZE);
  assert.deepEqual(stateOf(last), [201, null]);
  await assertStored('P-7', BODY);
});

test('P-8 a query is 308 with what is there, and 200 once the file is complete', async () => {
  assert.deepEqual(stateOf(await query('P-8', 8)), [308, null]);
  await putPart('P-8', 'bytes 0-3/8', 'abcd', 8);
  assert.deepEqual(stateOf(await query('P-8', 8)), [308, 'bytes=0-3']);
  await putPart('P-8', 'bytes 4-7/8', 'efgh', 8);
  assert.deepEqual(stateOf(await query('P-8', 8)), [200, null]);
  await put(server.port, server.signedTarget('P-8-plain', 4), 'abcd');
  assert.deepEqual(stateOf(await query('P-8-plain', 4)), [200, null]);
});

test('P-8 an unsigned query, or one with another signature, learns nothing', async () => {
  await putPart('P-8-secret', 'bytes 0-3/8', 'abcd', 8);
  for (const target of [
    '/files/P-8-secret',
    server.signedTarget('P-8-secret', 9),
    server.signedTarget('P-8-other', 8),
  ]) {
    const response = await put(server.port, target.replace('P-8-other', 'P-8-secret'), '', {
      'Content-Range': 'bytes */8',
    });
    assert.deepEqual(stateOf(response), [403, null], target);
  }
});

test('P-9 a gap is 409 with what is there, and changes nothing', async () => {
  assert.deepEqual(stateOf(await putPart('P-9', 'bytes 2-3/8', 'cd', 8)), [409, null]);
  await putPart('P-9', 'bytes 0-3/8', 'abcd', 8);
  assert.deepEqual(stateOf(await putPart('P-9', 'bytes 6-7/8', 'gh', 8)), [409, 'bytes=0-3']);
  assert.deepEqual(stateOf(await putPart('P-9', 'bytes 4-7/8', 'efgh', 8)), [201, null]);
  await assertStored('P-9', 'abcdefgh');
});

test('P-10 an overlap is 409 with what is there, and corrupts nothing', async () => {
  await putPart('P-10', 'bytes 0-3/8', 'abcd', 8);
  for (const contentRange of ['bytes 0-3/8', 'bytes 3-6/8', 'bytes 2-5/8']) {
    assert.deepEqual(stateOf(await putPart('P-10', contentRange, 'XXXX', 8)), [409, 'bytes=0-3'], contentRange);
  }
  assert.deepEqual(stateOf(await putPart('P-10', 'bytes 4-7/8', 'efgh', 8)), [201, null]);
  await assertStored('P-10', 'abcdefgh');
});

test('P-11 another total than the first part had is 409, and changes nothing', async () => {
  await putPart('P-11', 'bytes 0-3/8', 'abcd', 8);
  assert.equal((await putPart('P-11', 'bytes 4-7/9', 'efgh', 9)).status, 409);
  assert.equal((await query('P-11', 9)).status, 409);
  assert.deepEqual(stateOf(await query('P-11', 8)), [308, 'bytes=0-3']);
});

test('P-12 a body that is not as long as its range is 400', async () => {
  for (const [contentRange, body] of [
    ['bytes 0-3/8', 'abc'],
    ['bytes 0-3/8', 'abcde'],
    ['bytes */8', 'a'],
    ['bytes 300-699/1000', 'x'.repeat(1000)],
  ] as const) {
    const total = Number(contentRange.split('/')[1]);
    assert.equal((await putPart('P-12', contentRange, body, total)).status, 400, contentRange);
  }
  assert.deepEqual(stateOf(await query('P-12', 8)), [308, null]);
});

test('P-13 ranges without a meaning are 400, and so is a chunked part', async () => {
  for (const contentRange of [
    'bytes 300-298/299',
    'bytes 0-99/50',
    'bytes 0-9',
    'bytes -5/10',
    'bytes 0-9/abc',
    'bytes */*',
    '',
  ]) {
    assert.equal((await putPart('P-13', contentRange, '0123456789', 10)).status, 400, contentRange);
  }
  const head = requestBytes('PUT', server.signedTarget('P-13', 299), {
    'Content-Range': 'bytes 0-9/299',
    'Transfer-Encoding': 'chunked',
  });
  const connection = await RawConnection.open(server.port);
  await connection.send(head, 'a\r\n0123456789\r\n0\r\n\r\n');
  assert.equal((await connection.finalResponse()).status, 400);
  connection.drop();
  await assertNotStored('P-13');
});

test('P-13 Content-Range twice is 400, whatever the two say', async () => {
  const line = 'Content-Range: bytes 0-3/4\r\n';
  const target = server.signedTarget('P-13-twice', 4);
  const bytes = requestBytes('PUT', target, { 'Content-Range': 'bytes 0-3/4' }, 'abcd').toString();
  assert.equal((await exchange(server.port, bytes.replace(line, line + line))).status, 400);
  await assertNotStored('P-13-twice');
});

/** Resolves once what arrived of a cut request is kept. */
async function suspended(key: string): Promise<void> {
  const fileId = createHash('sha256').update(key).digest('hex').slice(0, 12);
  await server.event('upload.suspended', 10_000, (line) => line['file_id'] === fileId);
}

/** Begins a plain PUT and cuts it; resolves once what arrived is kept. */
async function cutPlainPut(key: string, fields: Fields = {}): Promise<void> {
  const bytes = requestBytes('PUT', server.signedTarget(key, SIZE), fields, BODY);
  const connection = await RawConnection.open(server.port);
  await connection.send(bytes.subarray(0, bytes.length - SIZE + CUT));
  connection.halfClose();
  await suspended(key);
  connection.drop();
}

test('P-14 a cut plain PUT is found by a query, and a part goes on with it', async () => {
  await cutPlainPut('P-14');
  const found = await query('P-14', SIZE);
  assert.equal(found.status, 308);
  const offset = Number(/^bytes=0-([0-9]+)$/.exec(fieldOf(found, 'range') ?? '')?.[1] ?? -1) + 1;
  assert.ok(offset > 0 && offset <= CUT, String(offset));
  const rest = await putPart('P-14', `bytes ${offset}-${SIZE - 1}/${SIZE}`, BODY.subarray(offset), SIZE);
  assert.deepEqual(stateOf(rest), [201, null]);
  await assertStored('P-14', BODY);
});

test('P-14 what URLSession had sent of a cut task is found by a query, and a part goes on with it', async () => {
  await cutPlainPut('P-14-task', { 'Upload-Complete': '?1', 'Upload-Draft-Interop-Version': '6' });
  const range = fieldOf(await query('P-14-task', SIZE), 'range');
  const offset = Number(/-([0-9]+)$/.exec(range ?? '')?.[1] ?? -1) + 1;
  assert.ok(offset > 0, `${range}`);
  const rest = await putPart('P-14-task', `bytes ${offset}-${SIZE - 1}/${SIZE}`, BODY.subarray(offset), SIZE);
  assert.equal(rest.status, 201);
  await assertStored('P-14-task', BODY);
});

test('P-14 a cut part is found by a query, and the next one goes on with it', async () => {
  const bytes = requestBytes(
    'PUT',
    server.signedTarget('P-14-part', SIZE),
    { 'Content-Range': `bytes 0-${SIZE - 2}/${SIZE}` },
    BODY.subarray(0, -1),
  );
  const connection = await RawConnection.open(server.port);
  await connection.send(bytes.subarray(0, bytes.length - SIZE + CUT));
  connection.halfClose();
  await suspended('P-14-part');
  connection.drop();
  const range = fieldOf(await query('P-14-part', SIZE), 'range');
  const offset = Number(/-([0-9]+)$/.exec(range ?? '')?.[1] ?? -1) + 1;
  assert.ok(offset > 0, `${range}`);
  const rest = await putPart('P-14-part', `bytes ${offset}-${SIZE - 1}/${SIZE}`, BODY.subarray(offset), SIZE);
  assert.equal(rest.status, 201);
  await assertStored('P-14-part', BODY);
});

test('P-15 a second PUT on a finished slot is 409, whole or in parts, and never a mixture', async () => {
  await put(server.port, server.signedTarget('P-15', 8), 'abcdefgh');
  assert.equal((await put(server.port, server.signedTarget('P-15', 8), 'XXXXXXXX')).status, 409);
  for (const contentRange of ['bytes 0-3/8', 'bytes 4-7/8']) {
    assert.equal((await putPart('P-15', contentRange, 'XXXX', 8)).status, 409, contentRange);
  }
  await assertStored('P-15', 'abcdefgh');
});

test('P-16 a cut plain PUT is never visible as a file, and a new one begins at 0', async () => {
  await cutPlainPut('P-16');
  await assertNotStored('P-16');
  assert.ok(!publicTreeOf(server.storeDir).includes('P-16'));
  assert.equal((await put(server.port, server.signedTarget('P-16', SIZE), BODY)).status, 201);
  await assertStored('P-16', BODY);
});

test('P-18 names that climb neither escape nor are accepted unsigned', async () => {
  const body = 'abcd';
  for (const name of ['../../x', '..%2f..%2fx', 'a/../../x', '%2e%2e/x']) {
    const response = await put(server.port, `/files/${name}?v=${'0'.repeat(64)}`, body, {
      'Content-Range': 'bytes 0-3/8',
    });
    assert.ok([400, 403, 404].includes(response.status), `${name} ${response.status}`);
  }
  // A backslash is a character like any other.
  const signed = server.signedTarget('a\\..\\..\\x', 8);
  assert.equal((await put(server.port, signed, body, { 'Content-Range': 'bytes 0-3/8' })).status, 308);
  assert.equal(
    (await put(server.port, '/files/a%5C..%5C..%5Cx', body, { 'Content-Range': 'bytes 0-3/8' })).status,
    403,
  );
});

test('ResumableUploadsEnabled = false: parts are 400, whole bodies are stored, and a cut PUT leaves nothing', async () => {
  const off = await ServerProcess.start({ settings: { ResumableUploadsEnabled: false } });
  try {
    const slot = (key: string, size: number): string => off.signedTarget(key, size);
    const table: readonly (readonly [name: string, fields: Fields, status: number])[] = [
      ['part', { 'Content-Range': 'bytes 0-3/8' }, 400],
      ['incomplete', { 'Upload-Complete': '?0' }, 400],
      ['incomplete-3', { 'Upload-Incomplete': '?1', 'Upload-Draft-Interop-Version': '3' }, 400],
      ['whole', { 'Content-Range': 'bytes 0-3/4' }, 201],
      ['complete', { 'Upload-Complete': '?1', 'Upload-Draft-Interop-Version': '6' }, 201],
    ];
    for (const [name, fields, status] of table) {
      assert.equal((await put(off.port, slot(name, 4), 'abcd', fields)).status, status, name);
    }
    const statuses = await Promise.all(
      [
        requestBytes('POST', slot('post', 4), { 'Tus-Resumable': '1.0.0', 'Upload-Length': '4' }),
        requestBytes('POST', slot('post', 4), { 'Upload-Complete': '?0', 'Upload-Length': '4' }),
        requestBytes('PATCH', `/files/.hfs/u/${'0'.repeat(32)}.${'A'.repeat(22)}`, { 'Upload-Offset': '0' }, 'a'),
        requestBytes('DELETE', `/files/.hfs/u/${'0'.repeat(32)}.${'A'.repeat(22)}`),
      ].map(async (bytes) => (await exchange(off.port, bytes)).status),
    );
    assert.deepEqual(statuses, [405, 405, 405, 405]);
    const options = await exchange(off.port, requestBytes('OPTIONS', '/files/x'));
    assert.deepEqual([fieldOf(options, 'tus-version'), fieldOf(options, 'upload-limit')], [null, null]);
    const bytes = requestBytes('PUT', slot('cut', SIZE), {}, BODY);
    const connection = await RawConnection.open(off.port);
    await connection.send(bytes.subarray(0, bytes.length - SIZE + CUT));
    await eventually(() => off.stagingFiles().length > 0, 'the upload has begun');
    connection.drop();
    await eventually(() => off.stagingFiles().length === 0, 'nothing is left of it');
  } finally {
    await off.stop();
  }
});
