/** TLS in the server itself: the same answers inside it, and a new certificate under load without a lost request. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { content } from '../support/paced-transfer.ts';
import { RawConnection } from '../support/raw-http.ts';
import { reload } from '../support/reload.ts';
import { tlsData, trustedCertificates } from '../support/test-certificate.ts';
import { TlsServer } from '../support/tls-server.ts';

const SMALL = content('tls', 10_000);
const LARGE_BYTES = 24 * 1024 * 1024;
const RENEWALS = 8;
const CLIENTS = 12;
/** Each client sends so many after the last renewal. */
const LAST_REQUESTS = 5;

for (const listeners of [1, 2]) {
  describe(`TLS with ${listeners} listener(s)`, () => {
    let tls: TlsServer;
    before(async () => {
      tls = await TlsServer.start({ Listeners: listeners });
    });
    after(() => tls.stop());

    testRequests(() => tls);
    testRenewal(() => tls);
  });
}

function testRequests(current: () => TlsServer): void {
  test('PUT, GET, HEAD and ranges are the same as without', async () => {
    const tls = current();
    assert.equal((await tls.put('small.bin', SMALL)).status, 201);
    const whole = await tls.get('small.bin');
    assert.ok(whole.status === 200 && whole.body.equals(SMALL));
    assert.equal(whole.certificate, 'first');
    const head = await tls.get('small.bin', { method: 'HEAD' });
    assert.deepEqual([head.status, head.fields['content-length'], head.body.length], [200, '10000', 0]);
    const part = await tls.get('small.bin', { fields: { Range: 'bytes=-10' } });
    assert.ok(part.status === 206 && part.body.equals(SMALL.subarray(-10)));
    assert.equal((await tls.put('small.bin', SMALL)).status, 409);
    const wrong = tls.server.signedTarget('refused.bin', 1);
    assert.equal((await tls.exchange(wrong, { method: 'PUT', body: SMALL })).status, 403);
  });

  test('large bodies are whole in both directions, several at once', async () => {
    const tls = current();
    const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        const body = content(name, LARGE_BYTES);
        assert.equal((await tls.put(`large-${name}.bin`, body)).status, 201);
        const answer = await tls.get(`large-${name}.bin`);
        assert.equal(sha256(answer.body), sha256(body));
      }),
    );
  });

  test('a refusal reaches a client that is still sending', async () => {
    const tls = current();
    const target = tls.server.signedTarget('bad.bin', 1);
    const connection = await RawConnection.openTls(tls.server.port, {
      servername: 'localhost',
      ca: trustedCertificates.join('\n'),
    });
    try {
      const head = `PUT ${target} HTTP/1.1\r\nHost: test\r\nContent-Length: 60000000\r\n\r\n`;
      await connection.send(Buffer.concat([Buffer.from(head), Buffer.alloc(1_000_000)]));
      assert.equal((await connection.finalResponse()).status, 403);
    } finally {
      connection.drop();
    }
  });

  test('clients without TLS, and those of TLS 1.1, get nothing', async () => {
    const tls = current();
    await assert.rejects(fetch(`http://127.0.0.1:${tls.server.port}/files/small.bin`));
    const ended = await new Promise((resolve) => {
      const socket = connect({
        host: '127.0.0.1',
        port: tls.server.port,
        rejectUnauthorized: false,
        maxVersion: 'TLSv1.1',
      });
      socket.once('error', () => resolve('refused')).once('secureConnect', () => resolve('connected'));
    });
    assert.equal(ended, 'refused');
    assert.ok(!tls.server.lines.some(({ event }) => event === 'tls.server.failed'));
  });
}

function testRenewal(current: () => TlsServer): void {
  test('a new certificate takes effect on SIGHUP, under load and without a lost request', async () => {
    const tls = current();
    await tls.put('loaded.bin', SMALL);
    let round = 0;
    const used = new Set<string>();
    const client = async (id: number): Promise<void> => {
      const agent = new Agent({ keepAlive: id % 2 === 0, maxCachedSessions: 0 });
      for (let last = 0, count = 0; last < LAST_REQUESTS; count += 1) {
        const isPut = id % 3 === 0;
        const answer = await (isPut ? tls.put(`load/${id}/${count}`, SMALL, agent) : tls.get('loaded.bin', { agent }));
        assert.equal(answer.status, isPut ? 201 : 200);
        used.add(answer.certificate);
        if (round === RENEWALS) last += 1;
      }
      agent.destroy();
    };
    const clients = Promise.all(Array.from({ length: CLIENTS }, (_, id) => client(id)));
    for (; round < RENEWALS; round += 1) {
      tls.install(round % 2 === 0 ? 'second' : 'first');
      const line = await reload(tls.server, (text) => text);
      assert.deepEqual(line['changed'], ['TLSCertFile']);
      const expected = round % 2 === 0 ? 'second' : 'first';
      assert.equal((await tls.get('loaded.bin')).certificate, expected);
    }
    await clients;
    assert.deepEqual([...used].sort(), ['first', 'second']);
  });

  test('a kept connection is told to close once there is a new certificate', async () => {
    const tls = current();
    const agent = new Agent({ keepAlive: true });
    const kept = (await tls.get('small.bin', { agent })).certificate;
    tls.install(kept === 'first' ? 'second' : 'first');
    await reload(tls.server, (text) => text);
    const answer = await tls.get('small.bin', { agent });
    assert.deepEqual([answer.certificate, answer.fields['connection']], [kept, 'close']);
    assert.notEqual((await tls.get('small.bin', { agent })).certificate, kept);
    agent.destroy();
  });

  test('files that do not fit each other keep the old certificate, and say why', async () => {
    const tls = current();
    const { certificate } = await tls.get('small.bin');
    copyFileSync(tlsData('first.pem'), join(tls.folder, 'server.pem'));
    copyFileSync(tlsData('second.key'), join(tls.folder, 'server.key'));
    const line = await reload(tls.server, (text) => text, 'config.rejected');
    assert.match(String(line['error']), /is not the key of the first certificate/);
    assert.equal((await tls.get('small.bin')).certificate, certificate);
  });
}
