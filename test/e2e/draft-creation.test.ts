/** Creations of the IETF draft on the wire, once per version: docs of the project call the rows I3-1 to Ifinal-42. */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  append,
  assertLimit,
  assertNotStored,
  assertStored,
  begin,
  create,
  creationBytes,
  locationOf,
  PROBLEMS,
  problemOf,
  row,
  saysComplete,
  slotOf,
  versionFields,
} from '../support/draft-wire.ts';
import { exchange, fieldOf, get, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';

const BODY = randomBytes(100_000);
const MAX_BYTES = 1_000_000;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ settings: { MaxUploadSize: MAX_BYTES } });
});

after(() => server.stop());

row('1', 'an empty creation that is not complete is 201 with the URL of the upload', async (version, key) => {
  const response = await create(server, version, key, { isComplete: false, size: 10 });
  assert.match(locationOf(response), /^\/files\/\.hfs\/u\/[0-9a-f]{32}\.[0-9A-Za-z_-]{22}$/);
  assert.equal(saysComplete(response, version), false);
  assert.equal(fieldOf(response, 'upload-draft-interop-version'), version === 'final' ? null : String(version));
  assert.equal(fieldOf(response, 'cache-control'), 'no-store');
  assert.equal(fieldOf(response, 'referrer-policy'), 'no-referrer');
  await assertNotStored(server, key);
});

row('2', 'a creation is 201 with the offset, with and without a first piece', async (version, key) => {
  for (const method of ['POST', 'PUT'] as const) {
    const empty = await create(server, version, `${key}-${method}-empty`, { isComplete: false, size: 10, method });
    assert.deepEqual([empty.status, fieldOf(empty, 'upload-offset')], [201, '0']);
    const piece = await create(server, version, `${key}-${method}`, {
      isComplete: false,
      size: 10,
      body: 'abcd',
      method,
    });
    assert.deepEqual([piece.status, fieldOf(piece, 'upload-offset'), saysComplete(piece, version)], [201, '4', false]);
  }
});

row('3', 'a creation says its limits', async (version, key) => {
  assertLimit(await create(server, version, key, { isComplete: false, size: 10 }));
});

row(
  '4',
  'there is no 104: the first answer to a creation is the last',
  async (version, key) => {
    const connection = await RawConnection.open(server.port);
    await connection.send(creationBytes(server, version, key, { isComplete: false, size: 10, body: 'abcd' }));
    const response = await connection.response();
    assert.deepEqual([response.status, fieldOf(response, 'upload-offset')], [201, '4']);
    locationOf(response);
    connection.drop();
  },
  { last: 9 },
);

row(
  '5',
  'there is no 104 before the body either: a 100 where it is expected, then the 201',
  async (version, key) => {
    const connection = await RawConnection.open(server.port);
    const bytes = creationBytes(server, version, key, {
      isComplete: true,
      size: 4,
      body: 'abcd',
      fields: { Expect: '100-continue' },
    });
    await connection.send(bytes.subarray(0, -4));
    assert.equal((await connection.response()).status, 100);
    await connection.send('abcd');
    assert.equal((await connection.response()).status, 201);
    connection.drop();
  },
  { last: 9 },
);

row('6', 'a creation with the whole body is stored, and is not said to be incomplete', async (version, key) => {
  for (const method of ['POST', 'PUT'] as const) {
    const name = `${key}-${method}`;
    const response = await create(server, version, name, { isComplete: true, size: BODY.length, body: BODY, method });
    assert.deepEqual([response.status, fieldOf(response, 'upload-offset')], [201, String(BODY.length)]);
    assert.equal(saysComplete(response, version), true);
    // A PUT is an ordinary upload, of which nothing is left to ask for.
    if (method === 'POST') locationOf(response);
    else assert.equal(fieldOf(response, 'location'), null);
    await assertStored(server, name, BODY);
  }
});

row('7', 'an empty file in one request is stored', async (version, key) => {
  const response = await create(server, version, key, { isComplete: true, size: 0, body: '' });
  assert.deepEqual([response.status, saysComplete(response, version)], [201, true]);
  await assertStored(server, key, '');
});

row(
  '20',
  'a completeness that is no Boolean is ignored: never taken for "complete", never answered so',
  async (version, key) => {
    for (const [index, value] of ['true', '1', '?2', '?T'].entries()) {
      const name = `${key}-${index}`;
      const fields = { ...versionFields(version), 'Upload-Complete': value };
      const target = server.signedTarget(name, 4);
      const posted = await exchange(server.port, requestBytes('POST', target, fields, 'abcd'));
      assert.deepEqual([posted.status, fieldOf(posted, 'upload-complete')], [405, null], value);
      await assertNotStored(server, name);
      // Without the field it is a PUT of the whole file, and that is all it is.
      const put = await exchange(server.port, requestBytes('PUT', target, fields, 'abcd'));
      assert.deepEqual([put.status, fieldOf(put, 'upload-complete')], [201, null], value);
      await assertStored(server, name, 'abcd');
    }
  },
  { first: 4 },
);

row(
  '23',
  'a complete creation whose lengths disagree is 400, and a length above the limit is 413 first',
  async (version, key) => {
    for (const length of [9, 11]) {
      const fields = { 'Upload-Length': String(length) };
      const response = await create(server, version, key, { isComplete: true, size: 10, body: '0123456789', fields });
      assert.deepEqual([response.status, problemOf(response)['type']], [400, `${PROBLEMS}inconsistent-upload-length`]);
      assert.equal(fieldOf(response, 'location'), null);
    }
    const fields = { 'Upload-Length': String(MAX_BYTES + 1) };
    const excessive = await create(server, version, key, { isComplete: true, size: 10, body: '0123456789', fields });
    assert.equal(excessive.status, 413);
    assertLimit(excessive);
    await assertNotStored(server, key);
  },
  { first: 6 },
);

row('37', 'Expect: 100-continue is answered with a 100, then the final answer', async (version, key) => {
  const connection = await RawConnection.open(server.port);
  const fields = { Expect: '100-continue' };
  const bytes = creationBytes(server, version, key, { isComplete: true, size: BODY.length, body: BODY, fields });
  await connection.send(bytes.subarray(0, bytes.length - BODY.length));
  assert.equal((await connection.response()).status, 100);
  await connection.send(BODY);
  assert.equal((await connection.response()).status, 201);
  await assertStored(server, key, BODY);
  connection.drop();
});

row(
  '38',
  'a chunked creation that is complete is stored, held to the size in its URL',
  async (version, key) => {
    const fields = { 'Transfer-Encoding': 'chunked' };
    const creation = { isComplete: true, size: 9, fields, isLengthUnknown: true };
    const head = creationBytes(server, version, key, creation);
    const response = await exchange(
      server.port,
      Buffer.concat([head, Buffer.from('4\r\nabcd\r\n5\r\nefghi\r\n0\r\n\r\n')]),
    );
    assert.deepEqual([response.status, saysComplete(response, version)], [201, true], response.body.toString());
    await assertStored(server, key, 'abcdefghi');
    const other = creationBytes(server, version, `${key}-short`, creation);
    const short = await exchange(server.port, Buffer.concat([other, Buffer.from('4\r\nabcd\r\n0\r\n\r\n')]));
    assert.equal(short.status, 400);
    await assertNotStored(server, `${key}-short`);
  },
  { first: 6 },
);

row(
  '39',
  'a length above the limit is 413 with the limit, and nothing is created',
  async (version, key) => {
    const response = await create(server, version, key, { isComplete: false, size: MAX_BYTES + 1 });
    assert.equal(response.status, 413);
    assert.equal(fieldOf(response, 'upload-limit'), `max-size=${MAX_BYTES}`);
    assert.equal(fieldOf(response, 'location'), null);
  },
  { first: 6 },
);

row(
  '40',
  'OPTIONS tells the limits, and what PATCH takes',
  async (version) => {
    for (const target of ['/files/whatever', '/files/.hfs/u/x']) {
      const response = await exchange(server.port, requestBytes('OPTIONS', target, versionFields(version)));
      assert.equal(response.status, 200);
      assert.equal(fieldOf(response, 'upload-limit'), `max-size=${MAX_BYTES}`);
      assert.match(fieldOf(response, 'accept-patch') ?? '', /application\/partial-upload/);
    }
  },
  { first: 6 },
);

row(
  '42',
  'a Repr-Digest that does not fit fails the completion, and the right one passes',
  async (version, key) => {
    const digest = (text: string): Record<string, string> => ({
      'Repr-Digest': `sha-256=:${createHash('sha256').update(text).digest('base64')}:`,
    });
    const wrong = locationOf(
      await create(server, version, key, { isComplete: false, size: 6, fields: digest('other!') }),
    );
    const refused = await append(server, version, wrong, { offset: 0, isComplete: true, body: 'abcdef' });
    assert.equal(refused.status, 400);
    await assertNotStored(server, key);
    const right = locationOf(
      await create(server, version, key, { isComplete: false, size: 6, fields: digest('abcdef') }),
    );
    const partly = await append(server, version, right, { offset: 0, isComplete: false, body: 'abc' });
    assert.ok(partly.status < 300, String(partly.status));
    assert.equal((await append(server, version, right, { offset: 3, isComplete: true, body: 'def' })).status, 200);
    await assertStored(server, key, 'abcdef');
  },
  { first: 6 },
);

test('I0-1 a version that is missing, 2 or 99 is spoken as the RFC to come: no 104, no echo, no server error', async () => {
  for (const version of [null, '2', '99', 'abc']) {
    const key = `I0-1-${version}`;
    const fields = {
      'Upload-Complete': '?0',
      'Upload-Length': '4',
      ...(version === null ? {} : { 'Upload-Draft-Interop-Version': version }),
    };
    const connection = await RawConnection.open(server.port);
    await connection.send(requestBytes('POST', server.signedTarget(key, 4), fields, 'ab'));
    const response = await connection.response();
    assert.deepEqual([response.status, fieldOf(response, 'upload-draft-interop-version')], [201, null]);
    connection.drop();
    const path = locationOf(response);
    assert.equal((await append(server, 'final', path, { offset: 2, isComplete: true, body: 'cd' })).status, 200);
    await assertStored(server, key, 'abcd');
  }
});

test('A-8 a wrong signature on a creation is 403 without Location, whatever the version', async () => {
  for (const query of ['', `?v=${'0'.repeat(64)}`, '?v=zz']) {
    const fields = { 'Upload-Complete': '?0', 'Upload-Length': '4', 'Upload-Draft-Interop-Version': '6' };
    const connection = await RawConnection.open(server.port);
    await connection.send(requestBytes('POST', `/files/A-8${query}`, fields));
    const response = await connection.response();
    assert.deepEqual([response.status, fieldOf(response, 'location')], [403, null], query);
    connection.drop();
  }
});

test('A-3 the size in the URL is under the signature: another one, or none where it is needed, creates nothing', async () => {
  const creation = { isComplete: false, size: 10, isLengthUnknown: true };
  const slot = slotOf(server, 'A-3', creation);
  const targets = [slot.replace('s=10', 's=11'), slot.replace('A-3', 'A-3b'), slot.replace('&s=10', '')];
  const statuses: number[] = [];
  for (const target of targets) {
    const response = await exchange(server.port, requestBytes('POST', target, { 'Upload-Complete': '?0' }));
    assert.equal(fieldOf(response, 'location'), null);
    statuses.push(response.status);
  }
  assert.deepEqual(statuses, [403, 403, 400]);
});

test('a second creation on a slot takes the place of the first, and a finished slot is 409', async () => {
  const first = await begin(server, 6, 'replaced', 4);
  const second = await begin(server, 6, 'replaced', 4);
  assert.equal((await append(server, 6, first, { offset: 0, isComplete: true, body: 'abcd' })).status, 410);
  assert.equal((await append(server, 6, second, { offset: 0, isComplete: true, body: 'efgh' })).status, 200);
  await assertStored(server, 'replaced', 'efgh');
  const late = await create(server, 6, 'replaced', { isComplete: false, size: 4 });
  assert.deepEqual([late.status, fieldOf(late, 'location')], [409, null]);
});

test('the URL of an upload is no way to its content, and GET is offset retrieval', async () => {
  const path = await begin(server, 'final', 'secret', 4);
  const response = await get(server.port, path);
  assert.deepEqual([response.status, fieldOf(response, 'upload-offset'), response.body.length], [204, '0', 0]);
});
