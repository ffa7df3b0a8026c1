/** Webhooks of the real server: told when a file is complete, across a stop and a kill, and never in anybody's way. */

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ServerProcess } from '../support/server-process.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

let folder = '';
let receiver: WebhookReceiver;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webhooks-'));
  receiver = await WebhookReceiver.start();
});

after(() => {
  receiver.stop();
  rmSync(folder, { recursive: true });
});

function start(name: string): Promise<ServerProcess> {
  const settings = { WebhookURL: receiver.url, WebhookSecret: 'a-secret-of-webhooks' };
  return ServerProcess.start({ settings, storeDir: join(folder, name) });
}

async function upload(server: ServerProcess, name: string): Promise<void> {
  const put = await fetch(server.origin + server.signedTarget(name, 5), { method: 'PUT', body: 'hello' });
  assert.equal(put.status, 201);
}

/** Paths of all messages so far. */
function pathsSeen(): string[] {
  return receiver.received.map(
    ({ body }) => (JSON.parse(body) as { readonly data: { readonly path: string } }).data.path,
  );
}

test('a completed upload is told with its path, and counted; the secret stands nowhere', async () => {
  const server = await start('told');
  await upload(server, 'a b/ü.txt');
  await receiver.until(1);
  assert.deepEqual(pathsSeen(), ['a b/ü.txt']);
  const metrics = async (): Promise<string> => (await fetch(`${server.operatorOrigin}/metrics`)).text();
  while (!/^hmac_webhooks_delivered_total 1$/m.test(await metrics()));
  assert.match(await metrics(), /^hmac_webhooks_queued 0$/m);
  assert.doesNotMatch(JSON.stringify(server.lines), /a-secret-of-webhooks/);
  assert.equal((await server.stop()).status, 0);
});

test('what a receiver that fails did not take is told after kill -9 and a new start, under the same id', async () => {
  receiver.received.length = 0;
  receiver.answer = (response) => response.writeHead(503).end();
  const killed = await start('killed');
  await upload(killed, 'one.txt');
  await receiver.until(1);
  await upload(killed, 'two.txt');
  // The second message waits behind the pause; it is on disk when the first attempt of the first one has failed twice.
  await receiver.until(2);
  killed.kill('SIGKILL');
  await killed.stop();
  const idsBefore = new Set(receiver.ids);
  receiver.received.length = 0;
  receiver.answer = (response) => response.writeHead(200).end();
  const next = await start('killed');
  await receiver.until(2);
  assert.deepEqual(pathsSeen().toSorted(), ['one.txt', 'two.txt']);
  for (const id of idsBefore) assert.ok(receiver.ids.includes(id), id);
  assert.equal((await next.stop()).status, 0);
});

test('a receiver that hangs delays neither uploads nor the stop, and the stop keeps what waits', async () => {
  receiver.received.length = 0;
  receiver.answer = () => {};
  const server = await start('hangs');
  const startedMs = performance.now();
  for (let n = 0; n < 50; n += 1) await upload(server, `${n}.txt`);
  assert.ok(performance.now() - startedMs < 10_000);
  await receiver.until(8);
  const stoppingMs = performance.now();
  assert.equal((await server.stop()).status, 0);
  assert.ok(performance.now() - stoppingMs < 5_000);
  receiver.received.length = 0;
  receiver.answer = (response) => response.writeHead(200).end();
  const next = await start('hangs');
  await receiver.until(50);
  assert.equal(new Set(pathsSeen()).size, 50);
  await next.stop();
});

test('without the keys there is no queue, and a URL without a secret is refused', async () => {
  const server = await ServerProcess.start({ storeDir: join(folder, 'off') });
  await upload(server, 'a.txt');
  await server.stop();
  assert.equal(existsSync(join(folder, 'off.webhooks')), false);
  const wrong = ServerProcess.spawn({ settings: { WebhookURL: receiver.url }, storeDir: join(folder, 'off') });
  assert.equal((await wrong.exited).status, 78);
  assert.match(wrong.errors, /WebhookURL needs WebhookSecret/);
  await wrong.stop();
});
