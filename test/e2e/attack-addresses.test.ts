/**
 * Clients that claim to be somebody else: forwarded fields and PROXY heads from trusted peers and from strangers. The
 * titles begin with the number of the attack.
 */

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { proxyHead } from '../support/proxy-head.ts';
import { exchange, fieldOf, RawConnection, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { reload } from '../support/reload.ts';
import { ServerProcess } from '../support/server-process.ts';

const STRANGER = '127.0.0.1';

let trusting: ServerProcess;
let distrustful: ServerProcess;

before(async () => {
  [trusting, distrustful] = await Promise.all([
    ServerProcess.start({ settings: { TrustedProxies: ['127.0.0.0/8', 'fd00::/8'] } }),
    ServerProcess.start({ settings: { TrustedProxies: ['192.0.2.0/24', 'unix'] } }),
  ]);
});

after(async () => {
  await Promise.all([trusting.stop(), distrustful.stop()]);
});

let requests = 0;

/** A path that no other request has: it finds the line of the log. */
function newPath(): string {
  requests += 1;
  return `/files/address/${requests}`;
}

/** The client of the request for a path, as the log has it. */
async function loggedClient(server: ServerProcess, path: string): Promise<unknown> {
  const line = await server.event('request.completed', 10_000, (candidate) => candidate['path'] === path);
  return line['remote'];
}

async function clientOf(
  server: ServerProcess,
  fields: Readonly<Record<string, string>>,
  head: Buffer = Buffer.alloc(0),
): Promise<unknown> {
  const path = newPath();
  const answer = await exchange(server.port, Buffer.concat([head, requestBytes('GET', path, fields)]));
  assert.equal(answer.status, 404);
  return loggedClient(server, path);
}

test('A54 X-Forwarded-For is taken from a trusted peer, up to the first address that is not trusted', async () => {
  assert.equal(await clientOf(trusting, { 'X-Forwarded-For': '203.0.113.7' }), '203.0.113.7');
  assert.equal(await clientOf(trusting, { 'X-Forwarded-For': '198.51.100.1, 203.0.113.7, fd00::5' }), '203.0.113.7');
  assert.equal(await clientOf(trusting, { 'X-Forwarded-For': '2001:DB8::0:7' }), '2001:db8::7');
  assert.equal(await clientOf(trusting, { 'X-Forwarded-For': 'unknown' }), STRANGER);
  assert.equal(await clientOf(trusting, {}), STRANGER);
});

test('A54 a stranger is who it is, whatever it says', async () => {
  for (const value of ['203.0.113.7', '192.0.2.1', '']) {
    const fields = { 'X-Forwarded-For': value, 'X-Real-IP': value, Forwarded: `for=${value}`, 'X-Client-IP': value };
    assert.equal(await clientOf(distrustful, fields), STRANGER);
  }
});

test('A54 no answer depends on Host or a forwarded field', async () => {
  const fields = {
    'X-Forwarded-Host': 'evil.example',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Port': '1',
    'X-Forwarded-Prefix': '/evil',
    Forwarded: 'host=evil.example;proto=https',
  };
  for (const server of [trusting, distrustful]) {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST']) {
      const path = newPath();
      const send = (extra: Readonly<Record<string, string>>): Promise<RawResponse> =>
        exchange(server.port, requestBytes(method, path, extra), { isToHead: method === 'HEAD' });
      const plain = await send({});
      const forged = await send({ Host: 'evil.example', ...fields });
      const withoutDate = ({ status, fields: lines, body }: RawResponse) =>
        [status, lines.filter(([name]) => name !== 'date'), body.toString()] as const;
      assert.deepEqual(withoutDate(forged), withoutDate(plain), method);
      assert.equal(fieldOf(forged, 'location'), null);
    }
  }
});

test('A71 a PROXY head is taken from a trusted peer, IPv4 and IPv6', async () => {
  assert.equal(await clientOf(trusting, {}, proxyHead('203.0.113.9')), '203.0.113.9');
  assert.equal(await clientOf(trusting, {}, proxyHead('2001:db8:0:0:0:0:0:9')), '2001:db8::9');
  // Nobody vouches for what the client behind it wrote.
  assert.equal(
    await clientOf(trusting, { 'X-Forwarded-For': '198.51.100.1' }, proxyHead('203.0.113.9')),
    '203.0.113.9',
  );
});

test('A71 a PROXY head from a stranger changes nothing, also between two requests', async () => {
  assert.equal(await clientOf(distrustful, {}, proxyHead('192.0.2.9')), STRANGER);
  const connection = await RawConnection.open(distrustful.port);
  try {
    for (const head of [Buffer.alloc(0), proxyHead('203.0.113.9'), proxyHead('192.0.2.9')]) {
      const path = newPath();
      await connection.send(Buffer.concat([head, requestBytes('GET', path, { 'X-Forwarded-For': '203.0.113.9' })]));
      assert.equal((await connection.finalResponse()).status, 404);
      assert.equal(await loggedClient(distrustful, path), STRANGER);
    }
  } finally {
    connection.drop();
  }
});

test('SIGHUP takes a new list of proxies', async () => {
  const server = await ServerProcess.start();
  try {
    const fields = { 'X-Forwarded-For': '203.0.113.7' };
    assert.equal(await clientOf(server, fields), STRANGER);
    const line = await reload(server, (text) => `${text}TrustedProxies = ["127.0.0.1"]\n`);
    assert.deepEqual(line['changed'], ['TrustedProxies']);
    assert.equal(await clientOf(server, fields), '203.0.113.7');
  } finally {
    await server.stop();
  }
});

test('the peers of a unix socket are trusted by a word of their own', async () => {
  for (const [words, client] of [
    [['unix'], '203.0.113.7'],
    [['127.0.0.1'], ''],
  ] as const) {
    const server = ServerProcess.spawn({
      settings: { ListenPort: './http.sock', UnixSocket: true, TrustedProxies: words },
    });
    try {
      await server.event('server.started');
      const path = newPath();
      const socketPath = join(server.folder, 'http.sock');
      const status = await new Promise((resolve, reject) => {
        const outgoing = request({ socketPath, path, headers: { 'X-Forwarded-For': '203.0.113.7' } }, (answer) => {
          answer.resume().once('end', () => resolve(answer.statusCode));
        });
        outgoing.once('error', reject).end();
      });
      assert.equal(status, 404);
      assert.equal((await loggedClient(server, path)) ?? '', client);
    } finally {
      await server.stop();
    }
  }
});
