/** Calls that do less than they were asked for, come back early, come late, or fail while a file is read. */

import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { content, PacedClient, put, store, urlOf } from '../support/paced-transfer.ts';
import { reload } from '../support/reload.ts';
import { ServerProcess, type TomlSettings } from '../support/server-process.ts';
import { leftovers } from './support/leftovers.ts';
import { StoreFaults } from './support/store-faults.ts';

const MIB = 1024 ** 2;
const ALL = 2 ** 31;
const SLOW_SYNC_MS = 500;
const UPLOADS = 20;

/** A server whose calls on its store can be struck. */
async function withFaults(
  use: (server: ServerProcess, faults: StoreFaults) => Promise<void>,
  settings: TomlSettings = {},
): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hmac-odd-')));
  const storeDir = join(folder, 'store');
  const faults = new StoreFaults(storeDir);
  try {
    const server = await ServerProcess.start({ storeDir, settings, environment: faults.environment });
    try {
      await use(server, faults);
    } finally {
      await server.stop();
    }
  } finally {
    faults.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function read(server: ServerProcess, key: string): Promise<Buffer> {
  const response = await fetch(urlOf(server, key));
  assert.equal(response.status, 200);
  return Buffer.from(await response.arrayBuffer());
}

/** Which calls a signal or a busy device may send back. */
const interruptions = [
  { error: 'EINTR', calls: ['write', 'fdatasync', 'fsync'] },
  { error: 'EAGAIN', calls: ['write'] },
] as const;

describe('calls that do less', { concurrency: 4 }, () => {
  test('F24 short writes and short reads: content intact', async (t) => {
    await withFaults(async (server, faults) => {
      const bytes = content('short', 3 * MIB);
      faults.arm({ strike: { type: 'shorten' }, first: 1, last: ALL });
      await store(server, 'short.bin', bytes);
      const writes = faults.calls().filter(({ name }) => name === 'write').length;
      faults.arm({ strike: { type: 'shorten' }, first: 1, last: ALL, kinds: ['reads'] });
      assert.ok((await read(server, 'short.bin')).equals(bytes));
      const reads = faults.calls().filter(({ name }) => name === 'pread').length;
      assert.ok(writes > 20 && reads > 10, `${writes} writes, ${reads} reads`);
      t.diagnostic(`F24 ${writes} short writes, ${reads} short reads: content intact`);
    });
  });

  for (const { error, calls } of interruptions) {
    test(`F24 ${error} of ${calls.join(', ')} in an upload: content intact, or refused whole`, async (t) => {
      await withFaults(async (server, faults) => {
        const answers: number[] = [];
        for (const only of calls) {
          const key = `${only}.bin`;
          const bytes = content(key, MIB);
          faults.arm({ strike: { type: 'fail', error }, first: 1, only });
          const status = await put(server, key, bytes);
          answers.push(status);
          if (status === 201) assert.ok((await read(server, key)).equals(bytes));
          else assert.equal(status >= 500, true, `${only}: ${status}`);
        }
        faults.disarm();
        assert.deepEqual(leftovers(server.storeDir), []);
        t.diagnostic(`F24 ${error} in ${calls.join(', ')}: answered ${answers.join(', ')}`);
      });
    });
  }
});

describe('calls that come late, or fail while a file is read', { concurrency: 4 }, () => {
  test('F30 syncs that take half a second cost latency only, and those of a folder are shared', async (t) => {
    await withFaults(async (server, faults) => {
      await store(server, 'other.bin', content('other', 1_000));
      faults.arm({ strike: { type: 'delay', milliseconds: SLOW_SYNC_MS }, first: 1, last: ALL, only: 'fsync' });
      const bodies = Array.from({ length: UPLOADS }, (_, index) => content(`slow ${index}`, 100_000));
      let isAnswered = false;
      const uploads = Promise.all(bodies.map((bytes, index) => put(server, `folder/${index}.bin`, bytes))).finally(
        () => {
          isAnswered = true;
        },
      );
      assert.equal((await read(server, 'other.bin')).length, 1_000);
      assert.equal(isAnswered, false, 'reads wait for no sync');
      assert.deepEqual(new Set(await uploads), new Set([201]));
      const syncs = faults.calls().filter(({ name, path }) => name === 'fsync' && path === '/folder').length;
      assert.ok(syncs <= UPLOADS / 2, `${syncs} syncs of the folder`);
      for (const [index, bytes] of bodies.entries())
        assert.ok((await read(server, `folder/${index}.bin`)).equals(bytes));
      t.diagnostic(`F30 ${UPLOADS} uploads into one folder: ${syncs} syncs of it`);
    });
  });

  test('F23 a read error in the middle of a file: the connection is cut, and other files are served', async (t) => {
    await withFaults(async (server, faults) => {
      const bytes = content('broken', 8 * MIB);
      await store(server, 'broken.bin', bytes);
      await store(server, 'whole.bin', content('whole', 100_000));
      faults.arm({ strike: { type: 'fail', error: 'EIO' }, first: 4, last: ALL, only: 'pread', kinds: ['reads'] });
      const client = await PacedClient.openDownload(server, 'broken.bin');
      const head = await client.receiveHead();
      const received = await client.drain();
      faults.disarm();
      assert.equal(head.status, 200);
      assert.equal(head.fields.get('content-length'), String(bytes.length));
      assert.ok(received < bytes.length, 'never a whole answer');
      assert.equal((await read(server, 'whole.bin')).length, 100_000);
      const metrics = await (await fetch(`${server.operatorOrigin}/metrics`)).text();
      assert.match(metrics, /^hmac_file_server_download_errors_total 1$/m);
      assert.equal((await fetch(`${server.operatorOrigin}/readyz`)).status, 200, 'a broken file is no broken store');
      t.diagnostic(`F23 cut after ${received} of ${bytes.length} bytes`);
    });
  });

  test('F23 a folder that cannot be read is left out of a pass, and uploads go on', async (t) => {
    await withFaults(
      async (server, faults) => {
        await server.event('expiry.completed');
        await store(server, 'folder/file.bin', content('in a folder', 1_000));
        faults.arm({ strike: { type: 'fail', error: 'EIO' }, first: 1, last: ALL, only: 'opendir', kinds: ['reads'] });
        await reload(server, (text) => text.replace('FileTTL = "30d"', 'FileTTL = "20d"'));
        const pass = await server.event('expiry.completed', 10_000, (line) => line['passed_over'] !== 0);
        faults.disarm();
        assert.equal((await fetch(`${server.operatorOrigin}/readyz`)).status, 200, 'nothing is wrong with writing');
        await store(server, 'folder/other.bin', content('other', 1_000));
        t.diagnostic(`F23 ${String(pass['passed_over'])} folders could not be read, uploads go on`);
      },
      { FileTTL: '30d' },
    );
  });

  test('F14 a log that takes nothing: dropped lines are counted, and the service goes on', async (t) => {
    await withFaults(
      async (server) => {
        await store(server, 'logged.bin', content('logged', 1_000));
        assert.equal((await read(server, 'logged.bin')).length, 1_000);
        const dropped = await eventuallyDropped(server);
        t.diagnostic(`F14 LogFile = "/dev/full": ${dropped} lines dropped, service unaffected`);
      },
      { LogFile: '/dev/full' },
    );
  });
});

async function eventuallyDropped(server: ServerProcess): Promise<number> {
  const deadlineMs = performance.now() + 5_000;
  while (performance.now() < deadlineMs) {
    const metrics = await (await fetch(`${server.operatorOrigin}/metrics`)).text();
    const dropped = Number(/^hmac_log_lines_dropped_total (\d+)$/m.exec(metrics)?.[1]);
    if (dropped > 0) return dropped;
  }
  throw new Error('no dropped lines were counted');
}
