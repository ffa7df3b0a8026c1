/**
 * A request that goes on with an upload whose connection still hangs: all that has arrived on that connection counts, on
 * one event loop and on several, and the connection is closed.
 */

import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { content } from '../support/paced-transfer.ts';
import { fieldOf, put, RawConnection, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { uploadByTus } from '../support/tus-js.ts';
import { appendFields, create, head, offsetOf, patch } from '../support/tus-wire.ts';
import { UnreliableNetwork } from '../support/unreliable-network.ts';

const SIZE = 50_000_000;
const SENT = 20_000_000;
const BODY = content('takeover', SIZE);
const CUTS = 20;
/** A POST, and a PATCH and a HEAD for each connection, of 212 bytes at most. */
const HEADS_BYTES = (2 * CUTS + 2) * 212;

/** An event loop knows nothing of a connection whose first bytes another one has not read yet: those may be sent again. */
const manners = {
  'one event loop, two lanes': { listeners: 1, maxSentBytes: SIZE + HEADS_BYTES },
  'two event loops': { listeners: 2, maxSentBytes: null },
};

for (const [manner, { listeners, maxSentBytes }] of Object.entries(manners)) {
  suite(manner, () => {
    let server: ServerProcess;

    before(async () => {
      // Whatever the other tests run with.
      const environment = { HMAC_FILE_SERVER_LISTENERS: String(listeners) };
      server = await ServerProcess.start({ settings: { UploadLanes: 2 }, environment });
    });

    after(() => server.stop());

    /** Sends a part of a body in one go, and then nothing more. */
    async function hang(head: Buffer): Promise<RawConnection> {
      const connection = await RawConnection.open(server.port);
      await connection.send(head, BODY.subarray(0, SENT));
      return connection;
    }

    async function assertStored(key: string): Promise<void> {
      const response = await fetch(`${server.origin}/files/${key}`);
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(BODY));
    }

    function query(target: string): Promise<RawResponse> {
      return put(server.port, target, '', { 'Content-Range': `bytes */${SIZE}` });
    }

    const exactly = maxSentBytes === null ? '' : ', and no byte of the body is sent again';
    test(`F50 50 MB through twenty cuts arrive${exactly}`, async () => {
      const network = await UnreliableNetwork.start(server);
      const cuts = Array.from({ length: CUTS }, (_, n) => network.cutAfter(1_000_000 + (n % 7) * 400_000));
      const upload = await uploadByTus(BODY, { endpoint: network.origin + server.signedTarget('long', SIZE) });
      await Promise.all(cuts);
      await network.stop();
      if (maxSentBytes !== null) assert.ok(network.sentBytes <= maxSentBytes, `${network.sentBytes} bytes were sent`);
      assert.equal(await offsetOf(server, new URL(upload.url ?? '').pathname), SIZE);
      await assertStored('long');
    });

    test('a PATCH that hangs is read to what it has sent before HEAD is answered, and closed', async () => {
      const path = await create(server, 'hangs', SIZE);
      const fields = { ...appendFields(0), 'Content-Length': String(SIZE) };
      const hanging = await hang(requestBytes('PATCH', path, fields));
      assert.equal(fieldOf(await head(server, path), 'upload-offset'), String(SENT));
      await hanging.closed();
      const last = await patch(server, path, SENT, BODY.subarray(SENT));
      assert.equal(last.status, 204);
      await assertStored('hangs');
    });

    test('a plain PUT that hangs is gone on with by Content-Range where it stopped, and closed', async () => {
      const target = server.signedTarget('plain', SIZE);
      const hanging = await hang(requestBytes('PUT', target, { 'Content-Length': String(SIZE) }));
      const answer = await query(target);
      assert.deepEqual([answer.status, fieldOf(answer, 'range')], [308, `bytes=0-${SENT - 1}`]);
      await hanging.closed();
      const rest = { 'Content-Range': `bytes ${SENT}-${SIZE - 1}/${SIZE}` };
      assert.equal((await put(server.port, target, BODY.subarray(SENT), rest)).status, 201);
      await assertStored('plain');
    });

    test('whoever has another signature disturbs no plain PUT', async () => {
      const target = server.signedTarget('undisturbed', SIZE);
      const sending = await hang(requestBytes('PUT', target, { 'Content-Length': String(SIZE) }));
      assert.equal((await query(server.signedTarget('undisturbed', SIZE + 1))).status, 403);
      await sending.send(BODY.subarray(SENT));
      assert.equal((await sending.response()).status, 201);
      sending.drop();
      await assertStored('undisturbed');
    });
  });
}
