/** Bodies on their way to the disk: every length, every packet boundary, many at once, and the memory they take. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content, PacedClient, put, sha256, store, uploadHead } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually } from '../support/store-state.ts';

const MIB = 1024 * 1024;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

/** The bytes on disk are those that were sent, and so are the bytes that a GET brings. */
async function isIntact(from: ServerProcess, key: string, bytes: Buffer): Promise<void> {
  assert.equal(sha256(readFileSync(join(from.storeDir, key))), sha256(bytes), `${key} on disk`);
  const response = await fetch(`${from.origin}/files/${key}`);
  assert.equal(sha256(new Uint8Array(await response.arrayBuffer())), sha256(bytes), `${key} by GET`);
}

const lengths = [0, 1, 16_383, 16_384, 16_385, 524_287, 524_288, 524_289, 1_048_576, 4_194_305];

for (const length of lengths) {
  test(`a body of ${length} bytes arrives intact`, async () => {
    const bytes = content(`length ${length}`, length);
    await store(server, `lengths/${length}.bin`, bytes);
    await isIntact(server, `lengths/${length}.bin`, bytes);
  });
}

test('a small body arrives intact with its head, in two packets, and byte by byte', async () => {
  const bytes = content('small', 300);
  const ways: readonly (readonly [key: string, pieces: readonly Buffer[]])[] = [
    ['with-the-head', [bytes]],
    ['two-packets', [bytes.subarray(0, 150), bytes.subarray(150)]],
    ['byte-by-byte', Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))],
  ];
  for (const [key, pieces] of ways) {
    const client = await PacedClient.connect(server);
    const [first = Buffer.alloc(0), ...others] = pieces;
    await client.send(Buffer.concat([Buffer.from(uploadHead(server, key, bytes.length)), first]));
    if (others.length > 0) await server.event('request.received', 10_000, ({ path }) => path === `/files/${key}`);
    for (const piece of others) await client.send(piece);
    assert.equal((await client.receiveAnswer()).status, 201, key);
    client.close();
    await isIntact(server, key, bytes);
  }
});

test('two uploads and a download follow each other on one connection', async () => {
  const client = await PacedClient.connect(server);
  const bytes = content('kept alive', 700_000);
  for (const key of ['alive-1', 'alive-2']) {
    await client.send(uploadHead(server, key, bytes.length));
    await client.send(bytes);
    assert.equal((await client.receiveAnswer()).status, 201);
  }
  await client.send('GET /files/alive-2 HTTP/1.1\r\nHost: test\r\n\r\n');
  assert.ok((await client.receiveAnswer()).body.equals(bytes));
  client.close();
});

test('a body that is cut after any part of it leaves nothing, and the slot works again', async () => {
  const bytes = content('cut', 1_500_000);
  for (const [index, sent] of [0, 1, 750_000, bytes.length - 1].entries()) {
    const key = `cut-${index}.bin`;
    const client = await PacedClient.openUpload(server, key, bytes.length);
    await client.send(bytes.subarray(0, sent));
    await server.event('request.received', 10_000, ({ path }) => path === `/files/${key}`);
    client.reset();
    await server.event('request.failed', 10_000, ({ path }) => path === `/files/${key}`);
    await eventually(() => server.stagingFiles().length === 0, 'staging emptied');
    assert.equal((await fetch(`${server.origin}/files/${key}`)).status, 404);
    await store(server, key, bytes);
    await isIntact(server, key, bytes);
  }
});

test('F74 of two uploads to one path at the same time exactly one is 201, the other 409, and one is served', async () => {
  const bodies = ['first', 'second'].map((seed) => content(seed, 300_000));
  for (let round = 0; round < 20; round += 1) {
    const key = `twice-${round}.bin`;
    const statuses = await Promise.all(bodies.map((bytes) => put(server, key, bytes)));
    assert.deepEqual(statuses.toSorted(), [201, 409]);
    await isIntact(server, key, bodies[statuses.indexOf(201)] ?? Buffer.alloc(0));
  }
});

test('16 parallel uploads of 16 MiB arrive intact within bounded memory, which is returned', async () => {
  const own = await ServerProcess.start();
  try {
    await store(own, 'warm.bin', content('warm', MIB));
    const baseline = own.residentBytes();
    const bodies = Array.from({ length: 16 }, (_, index) => content(`parallel ${index}`, 16 * MIB));
    const statuses = await Promise.all(bodies.map((bytes, index) => put(own, `parallel-${index}.bin`, bytes)));
    assert.deepEqual(new Set(statuses), new Set([201]));
    const peak = peakBytes(own) - baseline;
    assert.ok(peak < 256 * MIB, `${Math.round(peak / MIB)} MiB more at the peak`);
    for (const [index, bytes] of bodies.entries()) await isIntact(own, `parallel-${index}.bin`, bytes);
    await eventually(() => own.residentBytes() - baseline < 48 * MIB, 'memory returned', 25_000);
    assert.deepEqual(own.stagingFiles(), []);
  } finally {
    await own.stop();
  }
});

test('ChunkSize = 4096 works for bodies of every length', async () => {
  const own = await ServerProcess.start({ settings: { ChunkSize: 4096 } });
  try {
    for (const length of [0, 1, 4_095, 4_096, 4_097, 100_000, 5 * MIB + 1]) {
      const bytes = content(`chunked ${length}`, length);
      await store(own, `chunk-${length}.bin`, bytes);
      await isIntact(own, `chunk-${length}.bin`, bytes);
    }
    const bodies = Array.from({ length: 8 }, (_, index) => content(`chunked ${index}`, 4 * MIB));
    await Promise.all(bodies.map((bytes, index) => store(own, `together-${index}.bin`, bytes)));
    for (const [index, bytes] of bodies.entries()) await isIntact(own, `together-${index}.bin`, bytes);
  } finally {
    await own.stop();
  }
});

test('ChunkSize = 67108864 works, and takes no more memory than the transport delivers', async () => {
  const own = await ServerProcess.start({ settings: { ChunkSize: 67_108_864 } });
  try {
    const bytes = content('huge chunk', 20 * MIB);
    await store(own, 'huge.bin', bytes);
    await isIntact(own, 'huge.bin', bytes);
  } finally {
    await own.stop();
  }
});

/** Highest resident memory of the process so far. */
function peakBytes({ pid }: ServerProcess): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}
