/** Appends of the IETF draft on the wire, once per version. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  append,
  appendBytes,
  assertAt,
  assertNotStored,
  assertStored,
  atLeast,
  begin,
  create,
  head,
  locationOf,
  PROBLEMS,
  problemOf,
  row,
  saysComplete,
  type Version,
} from '../support/draft-wire.ts';
import { exchange, fieldOf, RawConnection } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

/** An upload whose length no request has told, `s` in its URL being 10. */
async function beginUnknown(version: Version, key: string): Promise<string> {
  return locationOf(await create(server, version, key, { isComplete: false, size: 10, isLengthUnknown: true }));
}

row('11', 'an append that is not the last, and the last: offsets and content are right', async (version, key) => {
  const path = await begin(server, version, key, 10);
  const first = await append(server, version, path, { offset: 0, isComplete: false, body: '0123' });
  assert.deepEqual([first.status, saysComplete(first, version)], [atLeast(version, 7) ? 204 : 201, false]);
  await assertAt(server, version, path, 4);
  await assertNotStored(server, key);
  const last = await append(server, version, path, { offset: 4, isComplete: true, body: '456789' });
  assert.deepEqual([last.status, saysComplete(last, version)], [200, true]);
  await assertStored(server, key, '0123456789');
});

row('12', 'the answers to appends carry the offset', async (version, key) => {
  const path = await begin(server, version, key, 10);
  const first = await append(server, version, path, { offset: 0, isComplete: false, body: '0123' });
  assert.equal(fieldOf(first, 'upload-offset'), '4');
  const last = await append(server, version, path, { offset: 4, isComplete: true, body: '456789' });
  assert.equal(fieldOf(last, 'upload-offset'), '10');
});

row('13', 'another offset is 409 with the right one, not complete, and changes nothing', async (version, key) => {
  const path = await begin(server, version, key, 10);
  await append(server, version, path, { offset: 0, isComplete: false, body: '0123' });
  for (const offset of [0, 3, 5, 1_000_000_000]) {
    const response = await append(server, version, path, { offset, isComplete: true, body: 'xx' });
    assert.deepEqual([response.status, fieldOf(response, 'upload-offset')], [409, '4'], String(offset));
    assert.equal(saysComplete(response, version), false);
  }
  await assertAt(server, version, path, 4);
});

row(
  '14',
  'the 409 tells both offsets in a problem for programs',
  async (version, key) => {
    const path = await begin(server, version, key, 10);
    const problem = problemOf(await append(server, version, path, { offset: 7, isComplete: false, body: 'x' }));
    assert.deepEqual(
      [problem['type'], problem['expected-offset'], problem['provided-offset'], problem['status']],
      [`${PROBLEMS}mismatching-upload-offset`, 0, 7, 409],
    );
  },
  { first: 6 },
);

row(
  '15',
  'an append with another Content-Type is 415, and changes nothing',
  async (version, key) => {
    const path = await begin(server, version, key, 10);
    for (const type of ['application/octet-stream', 'application/offset+octet-stream', '']) {
      const fields = { 'Content-Type': type };
      const response = await append(server, version, path, { offset: 0, isComplete: false, body: 'ab', fields });
      assert.equal(response.status, 415, type);
    }
    await assertAt(server, version, path, 0);
  },
  { first: 6 },
);

row(
  '16',
  'an append has any Content-Type, or none',
  async (version, key) => {
    const path = await begin(server, version, key, 10);
    for (const [index, type] of ['application/octet-stream', 'image/png', ''].entries()) {
      const fields = { 'Content-Type': type };
      const response = await append(server, version, path, {
        offset: 2 * index,
        isComplete: false,
        body: 'ab',
        fields,
      });
      assert.equal(response.status, 201, type);
    }
    await assertAt(server, version, path, 6);
  },
  { last: 5 },
);

row('17', 'an append without a valid offset is 400, and changes nothing', async (version, key) => {
  const path = await begin(server, version, key, 10);
  for (const offset of [null, 'abc', '-1', '1.5', '"0"', '?0', '0, 0']) {
    const response = await append(server, version, path, { offset, isComplete: false, body: 'ab' });
    assert.equal(response.status, 400, `${offset}`);
  }
  const twice = appendBytes(version, path, { offset: 0, isComplete: false, body: 'ab' });
  const lines = twice.toString('latin1').replace('Upload-Offset: 0\r\n', 'Upload-Offset: 0\r\nUpload-Offset: 1\r\n');
  assert.equal((await exchange(server.port, lines)).status, 400);
  await assertAt(server, version, path, 0);
});

row(
  '18',
  'an append that does not say whether it is the last is 400, and changes nothing',
  async (version, key) => {
    const path = await begin(server, version, key, 4);
    const response = await append(server, version, path, { offset: 0, isComplete: null, body: 'abcd' });
    assert.equal(response.status, 400);
    await assertAt(server, version, path, 0);
  },
  { first: 7 },
);

row(
  '18',
  'an append that does not say whether it is the last is the last',
  async (version, key) => {
    const path = await begin(server, version, key, 4);
    const response = await append(server, version, path, { offset: 0, isComplete: null, body: 'abcd' });
    assert.deepEqual([response.status, saysComplete(response, version)], [200, true]);
    await assertStored(server, key, 'abcd');
  },
  { last: 6 },
);

row(
  '19',
  'parameters of fields are passed over',
  async (version, key) => {
    const path = await begin(server, version, key, 4);
    const fields = { 'Upload-Complete': '?0;x=1' };
    const first = await append(server, version, path, { offset: '0;y', isComplete: null, body: 'ab', fields });
    assert.deepEqual([first.status, fieldOf(first, 'upload-offset')], [204, '2']);
  },
  { first: 8 },
);

row(
  '21',
  'an upload that has its length is not complete yet: an empty append finishes it',
  async (version, key) => {
    const path = await begin(server, version, key, 4);
    const full = await append(server, version, path, { offset: 0, isComplete: false, body: 'abcd' });
    assert.deepEqual([fieldOf(full, 'upload-offset'), saysComplete(full, version)], ['4', false]);
    await assertAt(server, version, path, 4);
    await assertNotStored(server, key);
    const finished = await append(server, version, path, { offset: 4, isComplete: true });
    assert.deepEqual([finished.status, saysComplete(finished, version)], [200, true]);
    await assertStored(server, key, 'abcd');
  },
  { first: 6 },
);

row(
  '22',
  'a length that nobody has told is settled by the append that completes',
  async (version, key) => {
    const path = await beginUnknown(version, key);
    const first = await append(server, version, path, { offset: 0, isComplete: false, body: '0123' });
    assert.equal(fieldOf(first, 'upload-offset'), '4');
    assert.equal(fieldOf(await head(server, version, path), 'upload-length'), null);
    assert.equal((await append(server, version, path, { offset: 4, isComplete: true, body: '456789' })).status, 200);
    assert.equal(fieldOf(await head(server, version, path), 'upload-length'), '10');
    await assertStored(server, key, '0123456789');
  },
  { first: 6 },
);

row(
  '24',
  'another length than the upload has is 400, and changes nothing',
  async (version, key) => {
    const path = await begin(server, version, key, 10);
    const fields = { 'Upload-Length': '11' };
    const response = await append(server, version, path, { offset: 0, isComplete: false, body: 'ab', fields });
    assert.deepEqual([response.status, problemOf(response)['type']], [400, `${PROBLEMS}inconsistent-upload-length`]);
    await assertAt(server, version, path, 0);
    const same = { offset: 0, isComplete: false, body: 'ab', fields: { 'Upload-Length': '10' } };
    assert.equal(fieldOf(await append(server, version, path, same), 'upload-offset'), '2');
  },
  { first: 6 },
);

row(
  '25',
  'a last append that falls short of the length is 400',
  async (version, key) => {
    const path = await begin(server, version, key, 10);
    const response = await append(server, version, path, { offset: 0, isComplete: true, body: 'short' });
    assert.deepEqual([response.status, problemOf(response)['type']], [400, `${PROBLEMS}inconsistent-upload-length`]);
    await assertNotStored(server, key);
  },
  { first: 6 },
);

row(
  '26',
  'an append beyond the length is 400, and the upload is no more',
  async (version, key) => {
    const path = await begin(server, version, key, 4);
    const response = await append(server, version, path, { offset: 0, isComplete: true, body: 'abcdef' });
    assert.equal(response.status, 400);
    const afterwards = await head(server, version, path);
    assert.ok([404, 410].includes(afterwards.status), String(afterwards.status));
    await assertNotStored(server, key);
  },
  { first: 7 },
);

row(
  '27',
  'a chunked append beyond the length is refused or cut, and nothing is stored past it',
  async (version, key) => {
    const path = await begin(server, version, key, 4);
    const fields = { 'Transfer-Encoding': 'chunked' };
    const bytes = appendBytes(version, path, { offset: 0, isComplete: true, fields });
    const chunked = bytes.toString('latin1').replace('Content-Length: 0\r\n', '');
    const connection = await RawConnection.open(server.port);
    await connection.send(`${chunked}6\r\nabcdef\r\n0\r\n\r\n`);
    const response = await connection.finalResponse();
    assert.equal(response.status, 400);
    connection.drop();
    const afterwards = await head(server, version, path);
    assert.ok(Number(fieldOf(afterwards, 'upload-offset') ?? 0) <= 4);
    await assertNotStored(server, key);
  },
  { first: 6 },
);

row('28', 'an append to a complete upload changes nothing', async (version, key) => {
  const path = await begin(server, version, key, 4);
  await append(server, version, path, { offset: 0, isComplete: true, body: 'abcd' });
  for (const offset of [0, 4]) {
    const response = await append(server, version, path, { offset, isComplete: true, body: 'efgh' });
    assert.equal(response.status, offset === 4 ? 400 : 409, String(offset));
  }
  await assertAt(server, version, path, 4, true);
  await assertStored(server, key, 'abcd');
});

row(
  '29',
  'when the last answer was lost HEAD says complete, and an empty last append what the version wants',
  async (version, key) => {
    const path = await begin(server, version, key, 4);
    const connection = await RawConnection.open(server.port);
    await connection.send(appendBytes(version, path, { offset: 0, isComplete: true, body: 'abcd' }));
    await server.event('upload.completed', 10_000, (line) => line['protocol'] === 'ietf');
    await connection.response();
    connection.drop();
    await assertAt(server, version, path, 4, true);
    const again = await append(server, version, path, { offset: 4, isComplete: true });
    if (version === 6 || version === 7 || version === 8) {
      assert.deepEqual([again.status, problemOf(again)['type']], [400, `${PROBLEMS}completed-upload`]);
    } else assert.deepEqual([again.status, saysComplete(again, version)], [200, true]);
    await assertStored(server, key, 'abcd');
  },
);

row(
  '41',
  'a Content-Digest that does not fit is refused, and nothing of the append counts',
  async (version, key) => {
    const path = await begin(server, version, key, 6);
    const digest = (text: string): Record<string, string> => ({
      'Content-Digest': `sha-256=:${createHash('sha256').update(text).digest('base64')}:`,
    });
    await append(server, version, path, { offset: 0, isComplete: false, body: 'abc', fields: digest('abc') });
    await assertAt(server, version, path, 3);
    const wrong = await append(server, version, path, {
      offset: 3,
      isComplete: true,
      body: 'def',
      fields: digest('xxx'),
    });
    assert.equal(wrong.status, 400);
    await assertAt(server, version, path, 3);
    const right = await append(server, version, path, {
      offset: 3,
      isComplete: true,
      body: 'def',
      fields: digest('def'),
    });
    assert.equal(right.status, 200);
    await assertStored(server, key, 'abcdef');
  },
  { first: 6 },
);

test('an upload that tus made answers this protocol with 412, and keeps what it has', async () => {
  const slot = server.signedTarget('of-tus', 4);
  const created = await exchange(
    server.port,
    `POST ${slot} HTTP/1.1\r\nHost: test\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 4\r\nContent-Length: 0\r\n\r\n`,
  );
  const path = locationOf(created);
  const response = await append(server, 'final', path, { offset: 0, isComplete: true, body: 'abcd' });
  assert.deepEqual([response.status, fieldOf(response, 'tus-version')], [412, '1.0.0']);
  await assertNotStored(server, 'of-tus');
});
