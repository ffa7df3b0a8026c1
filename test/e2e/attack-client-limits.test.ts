/** A74: one client that does more at once than it may is told so, and nobody else notices. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { content, PacedClient, pathOf, store } from '../support/paced-transfer.ts';
import { exchange, fieldOf, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { reload } from '../support/reload.ts';
import { ServerProcess } from '../support/server-process.ts';

const SIZE = 100_000;
const BODY = content('limited', SIZE);
const MAX_UPLOADS = 3;
const MAX_REQUESTS = 5;
const LARGE = content('large', 16 * 1024 * 1024);

/** Fields of a request that a trusted proxy passes on. */
function from(client: string): string {
  return `X-Forwarded-For: ${client}\r\n`;
}

/** The head of an upload and half of its body. */
async function holdUpload(server: ServerProcess, key: string, client: string): Promise<PacedClient> {
  const connection = await PacedClient.connect(server);
  const target = server.signedTarget(key, SIZE);
  await connection.send(`PUT ${target} HTTP/1.1\r\nHost: test\r\nContent-Length: ${SIZE}\r\n${from(client)}\r\n`);
  await connection.send(BODY.subarray(0, SIZE / 2));
  await server.event('request.received', 10_000, ({ path }) => path === pathOf(server, key));
  return connection;
}

async function finish(connection: PacedClient): Promise<number> {
  await connection.send(BODY.subarray(SIZE / 2));
  const { status } = await connection.receiveAnswer();
  connection.close();
  return status;
}

function upload(server: ServerProcess, key: string, client: string): Promise<RawResponse> {
  const target = server.signedTarget(key, SIZE);
  return exchange(server.port, requestBytes('PUT', target, { 'X-Forwarded-For': client }, BODY));
}

for (const listeners of [1, 2]) {
  describe(`limits for each client, with ${listeners} listener(s)`, () => {
    const settings = { TrustedProxies: ['127.0.0.1'], Listeners: listeners, MaxUploadsPerAddress: MAX_UPLOADS };

    test('A74 uploads above the limit are 429 with Retry-After; a /64 counts as one, others are served', async () => {
      const server = await ServerProcess.start({ settings });
      try {
        for (const [name, own, neighbour, other] of [
          ['v4', '203.0.113.1', '203.0.113.1', '203.0.113.2'],
          ['v6', '2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:3::1'],
        ] as const) {
          const held = await Promise.all(
            Array.from({ length: MAX_UPLOADS }, (_, index) => holdUpload(server, `${name}/held-${index}`, own)),
          );
          const refused = await upload(server, `${name}/more`, neighbour);
          assert.deepEqual([refused.status, fieldOf(refused, 'retry-after')], [429, '5']);
          assert.equal((await upload(server, `${name}/other`, other)).status, 201);
          const get = requestBytes('GET', pathOf(server, 'none'), { 'X-Forwarded-For': own });
          assert.equal((await exchange(server.port, get)).status, 404, 'downloads have a limit of their own');
          assert.deepEqual(await Promise.all(held.map(finish)), [201, 201, 201]);
          assert.equal((await upload(server, `${name}/more`, neighbour)).status, 201, 'all is free again');
        }
      } finally {
        await server.stop();
      }
    });
  });
}

test('A74 a client that leaves is not counted any more', async () => {
  const server = await ServerProcess.start({
    settings: { TrustedProxies: ['127.0.0.1'], MaxUploadsPerAddress: 1 },
  });
  try {
    for (let round = 0; round < 5; round += 1) {
      const held = await holdUpload(server, `left-${round}`, '203.0.113.1');
      held.close();
      await server.event('request.failed', 10_000, ({ path }) => path === pathOf(server, `left-${round}`));
    }
    assert.equal((await upload(server, 'stays', '203.0.113.1')).status, 201);
  } finally {
    await server.stop();
  }
});

test('A74 requests in progress are limited, downloads included; SIGHUP changes the limit', async () => {
  const settings = { TrustedProxies: ['192.0.2.1'], MaxRequestsPerAddress: MAX_REQUESTS };
  const server = await ServerProcess.start({ settings });
  try {
    await store(server, 'large.bin', LARGE);
    const get = (): Promise<RawResponse> => exchange(server.port, requestBytes('GET', pathOf(server, 'none')));
    const slow = await Promise.all(
      Array.from({ length: MAX_REQUESTS }, async () => {
        const client = await PacedClient.openDownload(server, 'large.bin');
        await client.receiveHead();
        return client;
      }),
    );
    assert.equal((await get()).status, 429);
    await reload(server, (text) => text.replace(/MaxRequestsPerAddress.*\n/, ''));
    assert.equal((await get()).status, 404);
    await reload(server, (text) => `${text}MaxRequestsPerAddress = ${MAX_REQUESTS}\n`);
    assert.equal((await get()).status, 429, 'those that were counted still are');
    for (const client of slow) assert.ok((await client.receive(LARGE.length)).equals(LARGE));
    assert.equal((await get()).status, 404);
    for (const client of slow) client.close();
  } finally {
    await server.stop();
  }
});

test('A74 a proxy that names nobody is not taken for one client', async () => {
  const server = await ServerProcess.start({
    settings: { TrustedProxies: ['127.0.0.1'], MaxUploadsPerAddress: 1 },
  });
  try {
    const held = await Promise.all(['a', 'b', 'c'].map((key) => holdUpload(server, key, '')));
    assert.deepEqual(await Promise.all(held.map(finish)), [201, 201, 201]);
  } finally {
    await server.stop();
  }
});
