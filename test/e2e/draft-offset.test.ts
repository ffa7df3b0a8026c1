/** Offset retrieval and cancellation of the IETF draft on the wire, once per version. */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import {
  append,
  assertAt,
  assertLimit,
  assertNotStored,
  begin,
  cancel,
  create,
  head,
  locationOf,
  row,
  saysComplete,
} from '../support/draft-wire.ts';
import { fieldOf, get } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';

const UNKNOWN = `/files/.hfs/u/${'0'.repeat(32)}.${'A'.repeat(22)}`;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

row('8', 'HEAD is 204 with offset and completeness, and is not to be kept; GET is the same', async (version, key) => {
  const path = locationOf(await create(server, version, key, { isComplete: false, size: 10, body: 'abc' }));
  for (const response of [await head(server, version, path), await get(server.port, path)]) {
    assert.equal(response.status, 204);
    assert.deepEqual([fieldOf(response, 'upload-offset'), fieldOf(response, 'cache-control')], ['3', 'no-store']);
    assert.equal(fieldOf(response, 'referrer-policy'), 'no-referrer');
    assert.equal(fieldOf(response, 'content-length'), null);
  }
  assert.equal(saysComplete(await head(server, version, path), version), false);
  await append(server, version, path, { offset: 3, isComplete: true, body: 'defghij' });
  await assertAt(server, version, path, 10, true);
});

row(
  '9',
  'HEAD tells the length that was declared, and the limits',
  async (version, key) => {
    const response = await head(server, version, await begin(server, version, key, 10));
    assert.equal(fieldOf(response, 'upload-length'), '10');
    assertLimit(response);
    assert.match(fieldOf(response, 'upload-limit') ?? '', /max-age=[0-9]+/);
  },
  { first: 8 },
);

row('10', 'an unknown upload is 404 without an offset', async (version) => {
  const response = await head(server, version, UNKNOWN);
  assert.deepEqual([response.status, fieldOf(response, 'upload-offset')], [404, null]);
});

row('30', 'DELETE is 204, and the upload is no more', async (version, key) => {
  const path = await begin(server, version, key, 10);
  await append(server, version, path, { offset: 0, isComplete: false, body: 'abc' });
  assert.equal((await cancel(server, version, path)).status, 204);
  const afterwards = await head(server, version, path);
  assert.deepEqual([afterwards.status, fieldOf(afterwards, 'upload-offset')], [404, null]);
  assert.equal((await append(server, version, path, { offset: 3, isComplete: true, body: 'defghij' })).status, 404);
  assert.equal((await cancel(server, version, path)).status, 404);
  await assertNotStored(server, key);
});

row('30', 'DELETE of a finished upload is 403, and the file stays', async (version, key) => {
  const path = await begin(server, version, `${key}-done`, 4);
  await append(server, version, path, { offset: 0, isComplete: true, body: 'abcd' });
  assert.equal((await cancel(server, version, path)).status, 403);
  assert.equal((await get(server.port, `/files/${key}-done`)).body.toString(), 'abcd');
});

row(
  '31',
  'HEAD and DELETE that say something about the upload are 400, and change nothing',
  async (version, key) => {
    const path = await begin(server, version, key, 10);
    const name = version === 3 ? 'Upload-Incomplete' : 'Upload-Complete';
    for (const fields of [{ 'Upload-Offset': '0' }, { [name]: '?1' }]) {
      assert.equal((await head(server, version, path, fields)).status, 400);
      assert.equal((await cancel(server, version, path, fields)).status, 400);
    }
    await assertAt(server, version, path, 0);
  },
  { last: 6 },
);

row(
  '31',
  'from version 7 on such fields are passed over',
  async (version, key) => {
    const path = await begin(server, version, key, 10);
    assert.equal((await head(server, version, path, { 'Upload-Offset': '0' })).status, 204);
    assert.equal((await cancel(server, version, path, { 'Upload-Complete': '?1' })).status, 204);
  },
  { first: 7 },
);
