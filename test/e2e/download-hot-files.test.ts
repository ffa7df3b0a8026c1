/** Files that many ask for are answered from memory: byte for byte the same, and never for long what is gone. */

import assert from 'node:assert/strict';
import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { content, PacedClient, sha256, store, urlOf } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';

const FILE = content('hot', 40_000);
/** Of several buffers, and as much as the sockets of several clients take at once. */
const LARGE = content('large', 1_500_000);
/** What is in memory is read again after a second; a little more for the way. */
const STALE_MS = 1_500;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ settings: { LogLevel: 'info' } });
});

after(() => server.stop());

interface Served {
  readonly status: number;
  readonly etag: string | null;
  readonly body: Buffer;
}

async function get(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Served> {
  const response = await fetch(url, { method, headers });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, etag: response.headers.get('etag'), body };
}

/** Reads a file so often that it is answered from memory. */
async function heat(url: string): Promise<readonly Served[]> {
  return Promise.all(Array.from({ length: 40 }, () => get(url)));
}

for (const file of [FILE, LARGE]) {
  test(`a hot file of ${file.length} bytes is answered with the same bytes and validators as a cold one`, async () => {
    const url = await store(server, `hot-${file.length}.bin`, file);
    const cold = await get(url);
    for (const { status, etag, body } of [...(await heat(url)), ...(await heat(url))]) {
      assert.deepEqual([status, etag], [200, cold.etag]);
      assert.ok(body.equals(file));
    }
    const { status, body } = await get(url, { Range: 'bytes=30000-' });
    assert.deepEqual([status, body.equals(file.subarray(30_000))], [206, true]);
  });
}

test('ranges, conditions and HEAD of a hot file are those of a cold one', async () => {
  const url = await store(server, 'hot-ranges.bin', FILE);
  const requests: readonly (readonly [headers: Record<string, string>, method: string])[] = [
    [{}, 'HEAD'],
    [{ Range: 'bytes=0-0' }, 'GET'],
    [{ Range: 'bytes=100-30000' }, 'GET'],
    [{ Range: 'bytes=-10' }, 'GET'],
    [{ Range: 'bytes=40000-' }, 'GET'],
    [{ 'If-None-Match': '*' }, 'GET'],
    [{ 'If-Match': '"other"' }, 'GET'],
    [{ 'If-Range': '"other"', Range: 'bytes=1-2' }, 'GET'],
  ];
  const cold: Served[] = [];
  for (const [headers, method] of requests) cold.push(await get(url, headers, method));
  assert.ok(cold[2]?.body.equals(FILE.subarray(100, 30_001)));
  await heat(url);
  for (const [index, [headers, method]] of requests.entries()) {
    assert.deepEqual(await get(url, headers, method), cold[index], JSON.stringify(headers));
  }
  const parts = await get(url, { Range: 'bytes=5-9, 39990-, 0-20000' });
  assert.equal(parts.status, 206);
  for (const [first, end] of [
    [5, 10],
    [39_990, 40_000],
    [0, 20_001],
  ] as const) {
    assert.ok(parts.body.includes(FILE.subarray(first, end)));
  }
});

test('a hot file that is replaced by hand is served anew soon, and no answer mixes old and new', async () => {
  const url = await store(server, 'replaced.bin', FILE);
  const [old] = await heat(url);
  const other = content('other', 40_000);
  writeFileSync(join(server.folder, 'other'), other);
  renameSync(join(server.folder, 'other'), join(server.storeDir, 'replaced.bin'));
  const startedMs = performance.now();
  const seen = new Map<string, Set<string | null>>();
  let last: Served | undefined;
  while (performance.now() - startedMs < STALE_MS) {
    [last] = await heat(url);
    const hash = sha256(last?.body ?? new Uint8Array());
    seen.set(hash, (seen.get(hash) ?? new Set()).add(last?.etag ?? null));
    await delay(20);
  }
  assert.ok(last?.body.equals(other));
  assert.notEqual(last?.etag, old?.etag);
  for (const [hash, tags] of seen) {
    assert.ok(hash === sha256(FILE) || hash === sha256(other));
    assert.equal(tags.size, 1);
  }
});

test('a hot file that is deleted by hand is gone soon', async () => {
  const url = await store(server, 'deleted.bin', FILE);
  await heat(url);
  unlinkSync(join(server.storeDir, 'deleted.bin'));
  await delay(STALE_MS);
  assert.deepEqual(new Set((await heat(url)).map(({ status }) => status)), new Set([404]));
});

test('a hot file that is overwritten is answered to nobody once the upload is', async () => {
  const own = await ServerProcess.start({ settings: { EnableVersioning: true } });
  try {
    for (let version = 0; version < 10; version += 1) {
      const file = content(`version ${version}`, LARGE.length);
      const url = await store(own, 'overwritten.bin', file);
      for (const { body } of [...(await heat(url)), ...(await heat(url))]) assert.ok(body.equals(file));
    }
  } finally {
    await own.stop();
  }
});

test('a file that many asked for before it was there is served as soon as its upload is answered', async () => {
  const url = urlOf(server, 'awaited.bin');
  assert.deepEqual(new Set((await heat(url)).map(({ status }) => status)), new Set([404]));
  await store(server, 'awaited.bin', FILE);
  assert.ok((await get(url)).body.equals(FILE));
});

for (const file of [FILE, LARGE]) {
  test(`slow readers of a hot file of ${file.length} bytes get all of it, while others leave`, async () => {
    const key = `slow-${file.length}.bin`;
    const url = await store(server, key, file);
    await heat(url);
    const clients = await Promise.all(Array.from({ length: 20 }, () => PacedClient.openDownload(server, key)));
    const [leaving, staying] = [clients.slice(0, 5), clients.slice(5)];
    for (const client of leaving) client.reset();
    const bodies = await Promise.all(staying.map((client) => receiveSlowly(client, file.length)));
    for (const body of bodies) assert.ok(body.equals(file));
  });
}

/** In about half a second. */
async function receiveSlowly(client: PacedClient, length: number): Promise<Buffer> {
  await client.receiveHead();
  const body = await client.receiveAtRate(length, 2 * length);
  client.close();
  return body;
}
