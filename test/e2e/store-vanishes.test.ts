/** A store that is not where it was (F31): writes are refused, reads and the operator's port go on, and it recovers. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { content, PacedClient, put, store, urlOf } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';

/** Three probes, five seconds apart. */
const RECOVERY_MS = 25_000;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

async function metric(name: string): Promise<string | undefined> {
  const text = await (await fetch(`${server.operatorOrigin}/metrics`)).text();
  return new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1];
}

test('F31 StoreDir replaced by an empty folder: 503 until it is back, nothing in its place, GETs go on', async () => {
  const { storeDir } = server;
  const moved = `${storeDir}.moved`;
  await store(server, 'kept.bin', content('kept', 5_000));
  renameSync(storeDir, moved);
  mkdirSync(storeDir);
  const degraded = await server.event('storage.degraded');
  assert.match(String(degraded['code']), /StoreDir/);
  const client = await PacedClient.openUpload(server, 'refused.bin', 100);
  const answer = await client.receiveHead();
  assert.equal(answer.status, 503);
  assert.equal(answer.fields.get('retry-after'), '10');
  client.close();
  assert.equal((await fetch(urlOf(server, 'kept.bin'))).status, 200);
  const ready = await fetch(`${server.operatorOrigin}/readyz`);
  assert.deepEqual([ready.status, await ready.text()], [503, 'store degraded\n']);
  assert.equal((await fetch(`${server.operatorOrigin}/healthz`)).status, 200);
  assert.equal(await metric('hmac_store_degraded'), '1');
  assert.deepEqual(readdirSync(storeDir), []);
  rmdirSync(storeDir);
  renameSync(moved, storeDir);
  await server.event('storage.degraded', RECOVERY_MS, ({ msg }) => msg === 'Store recovered');
  assert.equal(await put(server, 'again.bin', content('again', 100)), 201);
  assert.ok(existsSync(`${storeDir}/again.bin`));
  assert.equal((await fetch(`${server.operatorOrigin}/readyz`)).status, 200);
  assert.equal(await metric('hmac_store_degraded'), '0');
});
