/** The stream behind the status page on the wire: one message a second, for as long as somebody reads. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RawConnection } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

interface Update {
  readonly isWhole: boolean;
  readonly now: { readonly state: string; readonly uploads: number };
  readonly samples: readonly { readonly receivedBytesPerSecond: number; readonly sentBytesPerSecond: number }[];
}

/** Reads updates until one passes. */
async function updates(passes: (update: Update) => boolean): Promise<Update[]> {
  const response = await fetch(`${server.operatorOrigin}/status/stream`);
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const seen: Update[] = [];
  let unread = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const messages = (unread + decoder.decode(chunk, { stream: true })).split('\n\n');
    unread = messages.pop() ?? '';
    for (const message of messages) seen.push(JSON.parse(message.replace(/^data: /, '')) as Update);
    if (seen.some(passes)) return seen;
  }
  throw new Error('the stream ended');
}

test('begins with everything that is kept, and goes on with one sample at a time', async () => {
  let singles = 0;
  const seen = await updates(({ isWhole }) => {
    if (!isWhole) singles += 1;
    return singles >= 2;
  });
  assert.deepEqual([...new Set(seen.map(({ isWhole }) => isWhole))], [true, false]);
  assert.equal(seen[0]?.now.state, 'ready');
  assert.equal(seen.at(-1)?.samples.length, 1);
});

test('bytes of an upload are seen while it runs, not when it ends', async () => {
  const connection = await RawConnection.open(server.port);
  const target = server.signedTarget('running.bin', 50_000_000);
  await connection.send(
    `PUT ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n${'x'.repeat(1e6)}`,
  );
  const seen = await updates(({ samples }) => samples.some(({ receivedBytesPerSecond }) => receivedBytesPerSecond > 0));
  assert.equal(seen.at(-1)?.now.uploads, 1);
  connection.drop();
});

test('a viewer that leaves ends its own stream and no other', async () => {
  const connection = await RawConnection.open(server.metricsPort);
  await connection.send('GET /status/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await updates(({ isWhole }) => !isWhole);
  connection.drop();
  // The stream of the one that left is over, others go on.
  await updates(({ isWhole }) => !isWhole);
});

test('HEAD gets the fields alone (RFC 9110 §9.3.2)', async () => {
  const response = await fetch(`${server.operatorOrigin}/status/stream`, { method: 'HEAD' });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
});

test('none of it is on the public port', async () => {
  for (const path of ['/status', '/status/stream', '/status/status.js']) {
    assert.equal((await fetch(server.origin + path)).status, 404, path);
  }
});
