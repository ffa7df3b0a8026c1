/**
 * Several requests for one upload at the same time: the newest goes on, and never do two of them mix their bytes. Needs no
 * privileges.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RawConnection } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { appendFields, assertStored, create, offsetOf, patch, patchBytes } from '../support/tus-wire.ts';

const SIZE = 300_000;
const ROUNDS = 60;
/** Of each body so much is sent before the next request comes. */
const STEPS = [1, 1_000, 70_000, SIZE - 1] as const;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ settings: { ChunkSize: 32_768 } });
});

after(() => server.stop());

/** An append of one letter, of which the end is not sent. */
async function hang(path: string, letter: string, sent: number): Promise<RawConnection> {
  const connection = await RawConnection.open(server.port);
  const bytes = patchBytes(path, appendFields(0), Buffer.alloc(SIZE, letter));
  await connection.send(bytes.subarray(0, bytes.length - SIZE + sent));
  return connection;
}

test(`F77 ${ROUNDS} times three appends at one offset and a HEAD: bytes of one of them count, and the rest fits`, async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const key = `handover-${round}`;
    const path = await create(server, key, SIZE);
    const sent = (index: number): number => STEPS[(round + index) % STEPS.length] ?? 1;
    const [first, second, , third] = await Promise.all([
      hang(path, 'a', sent(0)),
      hang(path, 'b', sent(1)),
      offsetOf(server, path),
      hang(path, 'c', sent(2)),
    ]);
    const offset = await offsetOf(server, path);
    const rest = Buffer.alloc(SIZE - offset, 'd');
    assert.equal((await patch(server, path, offset, rest)).status, 204, `round ${round}`);
    // What is still sent on the old connections changes nothing any more.
    await Promise.allSettled([first, second, third].map((connection) => connection.send('zzz')));
    const stored = await fetch(`${server.origin}/files/${key}`);
    const content = Buffer.from(await stored.arrayBuffer()).toString('latin1');
    assert.match(content, /^(?:a*|b*|c*)d*$/, `round ${round}`);
    await assertStored(server, key, Buffer.from(content.padEnd(SIZE, '?'), 'latin1'));
    for (const connection of [first, second, third]) connection.drop();
  }
});
