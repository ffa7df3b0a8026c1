/** Room on the disk: what could not be kept is refused before its body is received (507), and promises are counted. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content, PacedClient, put, store } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually, treeOf } from '../support/store-state.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-space-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Sends a head and nothing else, and answers how it was answered. */
async function statusWithoutBody(server: ServerProcess, key: string, sizeBytes: number): Promise<number> {
  const client = await PacedClient.openUpload(server, key, sizeBytes);
  const head = await client.receiveHead();
  client.close();
  return head.status;
}

test('MinFreeSpace: an upload that would leave less is answered 507 before its body, and reading goes on', async () => {
  const storeDir = join(folder, 'space');
  const roomy = await ServerProcess.start({ storeDir });
  await store(roomy, 'kept.bin', content('kept', 1000));
  await roomy.stop();
  const server = await ServerProcess.start({ storeDir, settings: { MinFreeSpace: Number.MAX_SAFE_INTEGER } });
  try {
    const before = treeOf(storeDir);
    assert.equal(await statusWithoutBody(server, 'refused.bin', 100), 507);
    assert.equal(await put(server, 'refused/small.bin', content('small', 10)), 507);
    assert.deepEqual(treeOf(storeDir), before);
    const response = await fetch(`${server.origin}/files/kept.bin`);
    assert.equal((await response.arrayBuffer()).byteLength, 1000);
    assert.equal((await fetch(`${server.operatorOrigin}/readyz`)).status, 200);
  } finally {
    await server.stop();
  }
});

test('MinFreeInodes: the same, on file systems that count inodes', async () => {
  const server = await ServerProcess.start({ settings: { MinFreeInodes: Number.MAX_SAFE_INTEGER } });
  try {
    const countsInodes = statfsSync(server.storeDir).files > 0;
    assert.equal(await put(server, 'refused.bin', content('small', 10)), countsInodes ? 507 : 201);
    assert.deepEqual(server.stagingFiles(), []);
  } finally {
    await server.stop();
  }
});

test('an upload larger than the disk is answered 507 before its body', async () => {
  const server = await ServerProcess.start();
  try {
    assert.equal(await statusWithoutBody(server, 'huge.bin', 900_000_000_000_000), 507);
  } finally {
    await server.stop();
  }
});

test('uploads whose promised sizes together exceed the room are refused at once, and promises end with them', async () => {
  const { bavail, bsize } = statfsSync(folder);
  const room = 4 * GIB;
  const server = await ServerProcess.start({ settings: { MinFreeSpace: bavail * bsize - room } });
  try {
    const size = 512 * MIB;
    const clients = await Promise.all(
      Array.from({ length: 40 }, (_, index) => PacedClient.openUpload(server, `promised-${index}.bin`, size)),
    );
    const refused = new Set<PacedClient>();
    for (const client of clients) {
      const isRefused = async (): Promise<unknown> =>
        (await client.receiveHead()).status === 507 && refused.add(client);
      // The others are never answered.
      isRefused().catch(() => {});
    }
    // Others write to this disk, too: somewhat more or less than 8 fit.
    await eventually(() => refused.size + server.stagingFiles().length === clients.length, 'all are decided');
    const accepted = server.stagingFiles().length;
    assert.ok(accepted >= 4 && accepted <= 9, `${accepted} accepted`);
    assert.equal(await put(server, 'small.bin', content('small', MIB)), 201, 'what fits is taken');
    for (const client of clients) client.reset();
    await eventually(() => server.stagingFiles().length === 0, 'nothing is left');
    const again = await PacedClient.openUpload(server, 'again.bin', size);
    await eventually(() => server.stagingFiles().length === 1, 'there is room again');
    again.reset();
  } finally {
    await server.stop();
  }
});

test('F17 of 100 uploads at once as many are stored as there is room for, and not one more', async () => {
  const { bavail, bsize } = statfsSync(folder);
  const room = 200 * MIB;
  const size = 4 * MIB;
  const server = await ServerProcess.start({ settings: { MinFreeSpace: bavail * bsize - room, Durability: 'none' } });
  try {
    const body = content('parallel', size);
    const statuses = await Promise.all(
      Array.from({ length: 100 }, (_, index) => put(server, `parallel-${index}.bin`, body)),
    );
    const stored = statuses.filter((status) => status === 201).length;
    assert.equal(statuses.filter((status) => status === 507).length, 100 - stored, statuses.join());
    // Others write to this disk, too, and remove what they wrote.
    assert.ok(stored >= 30 && stored <= 55, `${stored} stored`);
    assert.deepEqual(server.stagingFiles(), []);
  } finally {
    await server.stop();
  }
});

test('A47 sizes that nobody signed are no promises: a flood of them refuses no honest upload', async () => {
  const server = await ServerProcess.start();
  let isOver = false;
  const flood = async (): Promise<void> => {
    while (!isOver) {
      const client = await PacedClient.connect(server);
      const target = `/files/flood.bin?v=${'0'.repeat(64)}`;
      await client.send(`PUT ${target} HTTP/1.1\r\nHost: test\r\nContent-Length: 900000000000000\r\n\r\n`);
      assert.equal((await client.receiveHead()).status, 403);
      client.close();
    }
  };
  try {
    const floods = Array.from({ length: 16 }, flood);
    const statuses: number[] = [];
    for (let index = 0; index < 50; index += 1) {
      statuses.push(await put(server, `honest-${index}.bin`, content('honest', 1000)));
    }
    isOver = true;
    await Promise.all(floods);
    assert.deepEqual(
      statuses.filter((status) => status !== 201),
      [],
    );
  } finally {
    isOver = true;
    await server.stop();
  }
});
