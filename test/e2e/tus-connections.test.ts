/** tus on the wire: connections that break, hang and cross each other (resumable.md 3.2: T-P17 to T-P20, T-P24 to T-P27, T-X4). */

import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HiddenPuts } from '../support/hidden-put.ts';
import { content } from '../support/paced-transfer.ts';
import { exchangeUntilClose, fieldOf, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually } from '../support/store-state.ts';
import {
  appendFields,
  assertStored,
  type Coding,
  create,
  head,
  offsetOf,
  patch,
  patchBytes,
  remove,
} from '../support/tus-wire.ts';

const SIZE = 2_000_000;
const SENT = 1_200_000;
const BODY = content('tus-connections', SIZE);
/** Longer than any handover may take. */
const HANDOVER_MS = 12_000;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

/** Bytes in the server's own tree: unfinished uploads, mostly. */
function ownBytes(storeDir: string): number {
  const tree = join(storeDir, '.hfs');
  const files = readdirSync(tree, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => {
    return sum + (statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}

/** Sends the beginning of the whole body, and leaves the connection open. Resolves when the server has most of it. */
async function hang(path: string, coding: Coding = 'length'): Promise<RawConnection> {
  const before = ownBytes(server.storeDir);
  const connection = await RawConnection.open(server.port);
  const bytes = patchBytes(path, appendFields(0), BODY, coding);
  await connection.send(bytes.subarray(0, bytes.length - (SIZE - SENT)));
  await eventually(() => ownBytes(server.storeDir) >= before + SENT / 2, 'bytes have arrived', HANDOVER_MS);
  return connection;
}

/** Goes on where the server says, and asserts that the file arrives. */
async function finish(path: string, key: string, leastOffset = 0): Promise<void> {
  const offset = await offsetOf(server, path);
  assert.ok(offset >= leastOffset && offset <= SIZE, `offset ${offset}`);
  assert.equal((await patch(server, path, offset, BODY.subarray(offset))).status, 204);
  await assertStored(server, key, BODY);
}

const cuts = {
  close: (connection: RawConnection) => connection.drop(),
  reset: (connection: RawConnection) => connection.reset(),
  'half close': (connection: RawConnection) => connection.halfClose(),
};

for (const [how, cut] of Object.entries(cuts)) {
  for (const coding of ['length', 'chunked'] as const) {
    test(`T-P17, T-P18 a ${how} in a body (${coding}) keeps what arrived, and the rest completes it`, async () => {
      const key = `t-p17-${how.replace(' ', '-')}-${coding}`;
      const path = await create(server, key, SIZE);
      const connection = await hang(path, coding);
      // A reset takes away what the kernel still holds: not all that was sent is kept then.
      cut(connection);
      await finish(path, key, SENT / 2);
      connection.drop();
    });
  }
}

test('T-P19 Expect: 100-continue is told to go on, then answered', async () => {
  const path = await create(server, 't-p19', SIZE);
  const connection = await RawConnection.open(server.port);
  const bytes = patchBytes(path, { ...appendFields(0), Expect: '100-continue' }, BODY);
  await connection.send(bytes.subarray(0, bytes.length - SIZE));
  assert.equal((await connection.response()).status, 100);
  await connection.send(BODY);
  assert.equal((await connection.response()).status, 204);
  connection.drop();
  await assertStored(server, 't-p19', BODY);
});

test('T-P20 Expect with a wrong offset ends in 409', async () => {
  const path = await create(server, 't-p20', SIZE);
  const connection = await RawConnection.open(server.port);
  const bytes = patchBytes(path, { ...appendFields(7), Expect: '100-continue' }, BODY);
  await connection.send(bytes.subarray(0, bytes.length - SIZE));
  const response = await connection.finalResponse();
  assert.equal(response.status, 409);
  assert.equal(fieldOf(response, 'upload-offset'), '0');
  connection.drop();
});

test('T-P24 of two PATCHes at one offset at most one is 204, and the content is right', async () => {
  for (let round = 0; round < 5; round += 1) {
    const key = `t-p24-${round}`;
    const path = await create(server, key, SIZE);
    const append = (): Promise<number | null> =>
      patch(server, path, 0, BODY).then(
        (response) => response.status,
        () => null,
      );
    const statuses = await Promise.all([append(), append()]);
    assert.ok(statuses.filter((status) => status === 204).length <= 1, String(statuses));
    const allowed: readonly (number | null)[] = [204, 409, 423, 403, 413, null];
    assert.ok(
      statuses.every((status) => allowed.includes(status)),
      String(statuses),
    );
    await finish(path, key);
  }
});

test('T-P25 HEAD while a PATCH hangs is answered soon, closes it, and its offset is accepted', async () => {
  const path = await create(server, 't-p25', SIZE);
  const hanging = await hang(path);
  const offset = await offsetOf(server, path);
  assert.ok(offset <= SENT);
  await hanging.closed();
  await finish(path, 't-p25', offset);
});

test('T-P26 PATCH while an older one hangs goes through, and the older one does no harm', async () => {
  const path = await create(server, 't-p26', SIZE);
  const hanging = await hang(path);
  const response = await patch(server, path, 0, BODY).catch(() => null);
  assert.ok(response === null || [204, 409, 423].includes(response.status));
  await hanging.send(BODY.subarray(SENT));
  await finish(path, 't-p26');
  hanging.drop();
});

test('T-X4 DELETE while a PATCH hangs is answered soon, and the upload is gone', async () => {
  const path = await create(server, 't-x4', SIZE);
  const hanging = await hang(path);
  assert.equal((await remove(server, path)).status, 204);
  assert.equal((await head(server, path)).status, 404);
  await hanging.closed();
});

test('T-P27 Content-Length with Transfer-Encoding is refused, and nothing behind it is read', async () => {
  const hidden = new HiddenPuts(server);
  const path = await create(server, 't-p27', SIZE);
  const fields = { ...appendFields(0), 'Content-Length': '3', 'Transfer-Encoding': 'chunked' };
  const request = requestBytes('PATCH', path, fields);
  const answers = await exchangeUntilClose(
    server.port,
    Buffer.concat([request, Buffer.from('0\r\n\r\n'), hidden.next()]),
  );
  assert.ok(answers.length <= 1 && answers.every(({ status }) => status === 400));
  await hidden.assertUnseen();
  assert.equal(await offsetOf(server, path), 0);
});

test('T-K12 a trailer section never desynchronises the connection', async () => {
  const hidden = new HiddenPuts(server);
  const path = await create(server, 't-k12', 3);
  const fields = { ...appendFields(0), Trailer: 'Upload-Checksum', 'Transfer-Encoding': 'chunked' };
  const head = requestBytes('PATCH', path, fields);
  const body = Buffer.from('3\r\nabc\r\n0\r\n');
  const answers = await exchangeUntilClose(server.port, Buffer.concat([head, body, hidden.next()]));
  assert.ok(answers.length <= 1, `${answers.length} answers`);
  await hidden.assertUnseen();
});
