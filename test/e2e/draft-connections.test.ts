/** The IETF draft on bad networks, once per version: cut, frozen and competing requests. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before } from 'node:test';
import {
  append,
  appendBytes,
  assertNotStored,
  assertStored,
  begin,
  cancel,
  create,
  creationBytes,
  head,
  row,
  type Version,
} from '../support/draft-wire.ts';
import { fieldOf, RawConnection } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { uploadHas } from '../support/upload-bytes.ts';

const SIZE = 300_000;
/** What of it arrives before something goes wrong. */
const SENT = 100_000;
const BODY = randomBytes(SIZE);

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

/** Sends the head of an append with the whole rest, and a part of its body. */
async function hang(version: Version, path: string): Promise<RawConnection> {
  const bytes = appendBytes(version, path, { offset: 0, isComplete: true, body: BODY });
  const connection = await RawConnection.open(server.port);
  await connection.send(bytes.subarray(0, bytes.length - SIZE + SENT));
  await uploadHas(server, path, SENT);
  return connection;
}

/** Where the upload stands, and what has not been stored of the file. */
async function goOn(version: Version, path: string): Promise<number> {
  const retrieved = await head(server, version, path);
  assert.equal(retrieved.status, 204);
  const offset = Number(fieldOf(retrieved, 'upload-offset'));
  const rest = await append(server, version, path, { offset, isComplete: true, body: BODY.subarray(offset) });
  assert.equal(rest.status, 200, rest.body.toString());
  return offset;
}

row(
  '32',
  'a creation that is cut has told no URL, for there is no 104: its slot takes a new one',
  async (version, key) => {
    const bytes = creationBytes(server, version, key, { isComplete: true, size: SIZE, body: BODY });
    const connection = await RawConnection.open(server.port);
    await connection.send(bytes.subarray(0, bytes.length - SIZE + SENT));
    connection.reset();
    const again = await create(server, version, key, { isComplete: true, size: SIZE, body: BODY });
    assert.equal(again.status, 201);
    await assertStored(server, key, BODY);
  },
  { last: 9 },
);

row('33', 'an append that is cut keeps what arrived, and going on gives the right content', async (version, key) => {
  const path = await begin(server, version, key, SIZE);
  const connection = await hang(version, path);
  connection.drop();
  const offset = await goOn(version, path);
  assert.equal(offset, SENT);
  await assertStored(server, key, BODY);
});

row('34', 'HEAD is answered while an append hangs, and its offset is then accepted', async (version, key) => {
  const path = await begin(server, version, key, SIZE);
  const hanging = await hang(version, path);
  const offset = await goOn(version, path);
  assert.equal(offset, SENT);
  await hanging.closed();
  await assertStored(server, key, BODY);
});

row('35', 'DELETE is answered while an append hangs, and the upload is no more', async (version, key) => {
  const path = await begin(server, version, key, SIZE);
  const hanging = await hang(version, path);
  assert.equal((await cancel(server, version, path)).status, 204);
  await hanging.closed();
  assert.equal((await head(server, version, path)).status, 404);
  await assertNotStored(server, key);
});

row(
  '36',
  'of two appends at one offset one wins, or both lose and going on works; the content is right',
  async (version, key) => {
    const path = await begin(server, version, key, SIZE);
    const whole = { offset: 0, isComplete: true, body: BODY };
    const answers = await Promise.allSettled([
      append(server, version, path, whole),
      append(server, version, path, whole),
    ]);
    const statuses = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.status : 0));
    const winners = statuses.filter((status) => status === 200).length;
    assert.ok(winners <= 1, statuses.join());
    if (winners === 0) await goOn(version, path);
    await assertStored(server, key, BODY);
  },
);
