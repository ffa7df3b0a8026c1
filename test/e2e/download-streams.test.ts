/** Long downloads: slow readers, readers that do not read, and files that change by hand while they are sent. */

import assert from 'node:assert/strict';
import { appendFileSync, renameSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { content, PacedClient, put, sha256, store, urlOf } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually } from '../support/store-state.ts';

const MIB = 1024 * 1024;
/** Far more than the kernel takes for a client that does not read. */
const LARGE = content('streams', 24 * MIB);
const READERS = 64;
const SLOW_BYTES_PER_SECOND = 60_000;
/** The transport's own timer would cut such a reader after 8 to 12 seconds. */
const SLOW_SECONDS = 16;
/** Memory is looked at when readers have kept the server waiting for so long. */
const SETTLE_MS = 3_000;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
  await store(server, 'large.bin', LARGE);
});

after(() => server.stop());

/** Begins a download of a file of its own and leaves it where only the first bytes have been read. */
async function begin(key: string, from = server): Promise<{ client: PacedClient; first: Buffer; path: string }> {
  await store(from, key, LARGE);
  const client = await PacedClient.openDownload(from, key);
  const head = await client.receiveHead();
  assert.equal(head.fields.get('content-length'), String(LARGE.length));
  return { client, first: await client.receive(100_000), path: join(from.storeDir, key) };
}

async function completes({ client, first }: { client: PacedClient; first: Buffer }): Promise<void> {
  const rest = await client.receive(LARGE.length - first.length);
  client.close();
  assert.equal(sha256(Buffer.concat([first, rest])), sha256(LARGE));
}

test('a download goes on to its end although the file is deleted meanwhile', async () => {
  const download = await begin('deleted.bin');
  unlinkSync(download.path);
  assert.equal((await fetch(urlOf(server, 'deleted.bin'), { method: 'HEAD' })).status, 404);
  await completes(download);
});

test('a download goes on to its end although the file is replaced meanwhile', async () => {
  const download = await begin('replaced.bin');
  const other = content('other', 1000);
  writeFileSync(join(server.folder, 'new'), other);
  renameSync(join(server.folder, 'new'), download.path);
  const response = await fetch(urlOf(server, 'replaced.bin'));
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(other));
  await completes(download);
});

test('a file that grows during its download is sent as long as it was announced', async () => {
  const download = await begin('grown.bin');
  appendFileSync(download.path, content('more', MIB));
  await completes(download);
});

test('a file that becomes shorter during its download ends the connection: never a short 200', async () => {
  const own = await ServerProcess.start();
  try {
    const { client, path } = await begin('truncated.bin', own);
    truncateSync(path, 200_000);
    assert.ok((await client.drain()) + 100_000 < LARGE.length);
    const aborted = await own.event('download.aborted', 10_000, (line) => line['reason'] === 'io');
    assert.equal(aborted['level'], 'error');
  } finally {
    await own.stop();
  }
});

test('a read error leaves the store in service: uploads and downloads go on', async () => {
  const own = await ServerProcess.start();
  try {
    const { client, path } = await begin('truncated.bin', own);
    truncateSync(path, 200_000);
    await client.drain();
    assert.equal(await put(own, 'after-truncation.bin', content('after', 1000)), 201);
    assert.equal((await fetch(`${own.operatorOrigin}/readyz`)).status, 200);
  } finally {
    await own.stop();
  }
});

test('nothing stays open for clients that leave in the middle', async () => {
  const before = server.openDescriptors();
  const clients = await Promise.all(Array.from({ length: 20 }, () => PacedClient.openDownload(server, 'large.bin')));
  await Promise.all(clients.map((client) => client.receive(1_000)));
  const seen = server.lines.filter(({ event }) => event === 'download.aborted').length;
  for (const [index, client] of clients.entries()) index % 2 === 0 ? client.reset() : client.close();
  await server.event('download.aborted', 10_000, () => {
    return server.lines.filter(({ event }) => event === 'download.aborted').length >= seen + clients.length;
  });
  await eventually(() => server.openDescriptors() <= before, 'descriptors as before');
});

describe('readers that keep the server waiting', { concurrency: true }, () => {
  it('serves a reader at 60 KB/s for longer than the timer of the transport would allow, to the last byte', async () => {
    const client = await PacedClient.openDownload(server, 'large.bin');
    await client.receiveHead();
    const slow = await client.receiveAtRate(SLOW_BYTES_PER_SECOND * SLOW_SECONDS, SLOW_BYTES_PER_SECOND);
    await completes({ client, first: slow });
  });

  it('holds little memory for 64 readers that do not read, and answers another GET quickly', async () => {
    const small = await store(server, 'small.bin', content('small', 2 * MIB));
    const baseline = server.residentBytes();
    const clients = await Promise.all(
      Array.from({ length: READERS }, () => PacedClient.openDownload(server, 'large.bin')),
    );
    await Promise.all(clients.map((client) => client.receiveHead()));
    assert.ok((await timeOf(small)) < 2_500, 'while all buffers are taken');
    await delay(SETTLE_MS);
    const grown = server.residentBytes() - baseline;
    assert.ok(grown < 60 * MIB, `${Math.round(grown / MIB)} MiB more`);
    assert.ok((await timeOf(small)) < 1_000, 'when they are free again');
    const [first, ...others] = clients;
    for (const client of others) client.reset();
    assert.ok(first !== undefined);
    await completes({ client: first, first: Buffer.alloc(0) });
  });
});

async function timeOf(url: string): Promise<number> {
  const started = performance.now();
  const response = await fetch(url);
  assert.equal((await response.arrayBuffer()).byteLength, 2 * MIB);
  return performance.now() - started;
}
