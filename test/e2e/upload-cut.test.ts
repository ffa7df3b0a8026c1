/** F37, F38: uploads whose client goes away. What arrived is kept unseen, and their slot is free at once. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { linesUpToNow } from '../support/log-marker.ts';
import { get, put, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually, publicTreeOf, settledTree } from '../support/store-state.ts';

/** Larger than one piece, so that the file has grown when the client goes. */
const SIZE = 700_000;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

/** Sends the head and the first bytes; resolves when the server is receiving them into the store. */
async function begin(key: string, bytes: number): Promise<RawConnection> {
  const connection = await RawConnection.open(server.port);
  const head = requestBytes('PUT', server.signedTarget(key, SIZE), { 'Content-Length': String(SIZE) });
  await connection.send(Buffer.concat([head, Buffer.alloc(bytes, 'c')]));
  const fileId = createHash('sha256').update(key).digest('hex').slice(0, 12);
  await server.event('upload.created', 10_000, (line) => line['file_id'] === fileId);
  assert.equal(server.stagingFiles().length, 1);
  return connection;
}

const leave = {
  'a close': (connection: RawConnection) => connection.drop(),
  'a reset': (connection: RawConnection) => connection.reset(),
  'a half close': (connection: RawConnection) => connection.halfClose(),
};

for (const [how, go] of Object.entries(leave)) {
  for (const bytes of [0, 1, SIZE / 2, SIZE - 1]) {
    test(`an upload that is cut by ${how} after ${bytes} of ${SIZE} bytes is seen by nobody, and its slot is free`, async () => {
      const key = `cut-${how.replaceAll(' ', '-')}-${bytes}`;
      const before = publicTreeOf(server.storeDir);
      const connection = await begin(key, bytes);
      assert.deepEqual(publicTreeOf(server.storeDir), before);
      go(connection);
      await eventually(() => server.stagingFiles().length === 0, 'the staging file is gone');
      connection.drop();
      assert.deepEqual(publicTreeOf(server.storeDir), before);
      assert.equal((await get(server.port, `/files/${key}`)).status, 404);
      const again = await put(server.port, server.signedTarget(key, SIZE), Buffer.alloc(SIZE, 'd'));
      assert.equal(again.status, 201);
      assert.ok((await get(server.port, `/files/${key}`)).body.equals(Buffer.alloc(SIZE, 'd')));
    });
  }
}

test('each cut upload is told of once: as suspended when there was something to keep, else as discarded', async () => {
  const lines = await linesUpToNow(server);
  const uploads = (event: string): readonly unknown[] =>
    lines.filter((line) => line.event === event).map((line) => line['upload_id']);
  assert.deepEqual([uploads('upload.suspended').length, uploads('upload.discarded').length], [9, 3]);
  const cut = lines.filter(({ event }) => event === 'upload.suspended' || event === 'upload.discarded');
  assert.ok(cut.every((line) => line['reason'] === 'client'));
  const told = ['upload.suspended', 'upload.discarded', 'upload.completed'].flatMap(uploads);
  assert.deepEqual(told.toSorted(), uploads('upload.created').toSorted());
  assert.equal(new Set(told).size, told.length);
});

test('an upload of 10 digits is received until its client goes', async () => {
  const size = 4_294_967_297;
  const connection = await RawConnection.open(server.port);
  const fields = { 'Content-Length': String(size) };
  await connection.send(
    Buffer.concat([requestBytes('PUT', server.signedTarget('ten-digits', size), fields), Buffer.alloc(1_000)]),
  );
  const outcome = await Promise.race([
    connection.response(),
    server.event('upload.created', 10_000, (line) => line['size_bytes'] === size),
  ]);
  // On a disk without room for it the refusal is 507.
  if ('fields' in outcome) assert.equal(outcome.status, 507);
  connection.drop();
  await settledTree(server);
  assert.equal((await get(server.port, '/files/ten-digits')).status, 404);
});

test('F42 a whole upload with a half close behind it is stored whole or not at all, and a 201 is never wrong', async () => {
  for (const size of [3, SIZE]) {
    const key = `half-closed-${size}`;
    const connection = await RawConnection.open(server.port);
    await connection.send(requestBytes('PUT', server.signedTarget(key, size), {}, Buffer.alloc(size, 'h')));
    connection.halfClose();
    const response = await connection.response().catch(() => null);
    connection.drop();
    assert.ok(response === null || response.status === 201);
    await settledTree(server);
    const served = await get(server.port, `/files/${key}`);
    assert.equal(served.status, response === null && served.status === 404 ? 404 : 200);
    if (served.status === 200) assert.ok(served.body.equals(Buffer.alloc(size, 'h')));
  }
});

test('500 connections that go in the middle of an upload leave no file and no descriptor', async () => {
  await settledTree(server);
  const before = server.openDescriptors();
  for (let round = 0; round < 10; round += 1) {
    const connections = await Promise.all(Array.from({ length: 50 }, () => RawConnection.open(server.port)));
    const head = requestBytes('PUT', server.signedTarget(`many-${round}`, SIZE), { 'Content-Length': String(SIZE) });
    await Promise.all(connections.map((connection) => connection.send(Buffer.concat([head, Buffer.alloc(2_000)]))));
    for (const [index, connection] of connections.entries()) {
      if (index % 2 === 0) connection.reset();
      else connection.drop();
    }
  }
  await settledTree(server);
  await eventually(() => server.openDescriptors() <= before, 'descriptors as before');
});
