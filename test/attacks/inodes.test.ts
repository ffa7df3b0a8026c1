/** Crowds of empty files and folders by valid signatures: where they end, and what is left of them when they expire. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statfsSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { asSeenBy, onTmpfs } from '../support/own-mounts.ts';
import { content, put, store } from '../support/paced-transfer.ts';
import { get } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { publicTreeOf } from '../support/store-state.ts';

const INODES = 5_000;
const MIN_FREE_INODES = 1_000;
const CLIENTS = 16;
const EMPTY = Buffer.alloc(0);
const DAY_SECONDS = 86_400;
/** A pass takes a quarter of the time that it is given. */
const PASS_TIMEOUT_MS = 60_000;

let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-inodes-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Uploads empty files until each client is refused. Resolves to how many were stored. */
async function fillWith(server: ServerProcess, keyOf: (client: number, count: number) => string): Promise<number> {
  let stored = 0;
  const client = async (index: number): Promise<void> => {
    for (let count = 0; count < INODES; count += 1) {
      const status = await put(server, keyOf(index, count), EMPTY);
      if (status !== 201) return assert.equal(status, 507);
      stored += 1;
    }
    assert.fail('was never refused');
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
  return stored;
}

for (const [what, keyOf] of [
  ['files in one folder', (client: number, count: number) => `${client}-${count}`],
  ['files in a folder each', (client: number, count: number) => `${client}/${count}/x`],
  ['files 300 folders deep', (client: number, count: number) => `${client}-${count}/${'d/'.repeat(300)}x`],
] as const) {
  test(`A75 empty ${what} end at MinFreeInodes, and nobody else is disturbed`, async (context) => {
    const mounted = mkdtempSync(join(folder, 'mounted-'));
    const server = await ServerProcess.start({
      storeDir: join(mounted, 'store'),
      prefix: onTmpfs(mounted, `size=64m,nr_inodes=${INODES}`),
      settings: { MinFreeInodes: MIN_FREE_INODES },
    });
    try {
      await store(server, 'kept.bin', content('kept', 10_000));
      const stored = await fillWith(server, keyOf);
      const free = statfsSync(asSeenBy(server, mounted)).ffree;
      context.diagnostic(`${stored} files, ${free} of ${INODES} inodes are left`);
      assert.ok(free >= MIN_FREE_INODES, `${free} inodes are left`);
      assert.ok(free < MIN_FREE_INODES + 600, `${free} inodes are left`);
      assert.ok((await get(server.port, '/files/kept.bin')).body.equals(content('kept', 10_000)));
      assert.equal((await get(server.metricsPort, '/readyz')).status, 200);
    } finally {
      await server.stop();
    }
  });
}

test('A75 empty files and their folders are gone when they expire', async () => {
  const storeDir = join(folder, 'expiring');
  const settings = { FileTTL: '1d' };
  const first = await ServerProcess.start({ storeDir, settings });
  const keys = Array.from({ length: 300 }, (_, index) => `${index % 30}/${index}/empty`);
  await first.event('expiry.completed', PASS_TIMEOUT_MS);
  for (const key of keys) await store(first, key, EMPTY);
  await first.stop();
  const thenSeconds = Date.now() / 1_000 - 2 * DAY_SECONDS;
  for (const key of keys) utimesSync(join(storeDir, key), thenSeconds, thenSeconds);
  const server = await ServerProcess.start({ storeDir, settings });
  try {
    const pass = await server.event('expiry.completed', PASS_TIMEOUT_MS);
    assert.deepEqual([pass['removed_files'], pass['pruned_folders']], [300, 330]);
    assert.deepEqual(publicTreeOf(storeDir), []);
  } finally {
    await server.stop();
  }
});
