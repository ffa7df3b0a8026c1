/** Disks that break under a running server, for real. Needs root. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, test } from 'node:test';
import { content, put, store, urlOf } from '../support/paced-transfer.ts';
import { ServerProcess, type TomlSettings } from '../support/server-process.ts';
import { command } from './support/host.ts';
import { leftovers } from './support/leftovers.ts';
import { type FileSystemKind, LoopFileSystem, type LoopOptions } from './support/loop-file-system.ts';
import { StoreFaults } from './support/store-faults.ts';

const MIB = 1024 ** 2;
const KEPT = content('kept', 100_000);
/** Three probes, five seconds apart. */
const RECOVERY_LIMIT_MS = 40_000;
const HANG_SECONDS = 4;
const PROMPT_MS = 100;

interface Site {
  readonly fileSystem: LoopFileSystem;
  readonly server: ServerProcess;
  readonly faults: StoreFaults;
}

/** A server with one stored file, `kept.bin`, on a file system of its own. */
async function onDisk(
  kind: FileSystemKind,
  options: LoopOptions & { readonly settings?: TomlSettings },
  use: (site: Site) => Promise<void>,
): Promise<void> {
  const fileSystem = LoopFileSystem.make(kind, options);
  const { storeDir } = fileSystem;
  const faults = new StoreFaults(storeDir);
  try {
    const settings = { MinFreeInodes: 0, ...options.settings };
    const server = await ServerProcess.start({ storeDir, settings, environment: faults.environment });
    try {
      await store(server, 'kept.bin', KEPT);
      await use({ fileSystem, server, faults });
    } finally {
      server.kill('SIGKILL');
      await server.stop();
    }
  } finally {
    faults.remove();
    fileSystem.remove();
  }
}

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
}

async function assertKept(server: ServerProcess): Promise<void> {
  const response = await fetch(urlOf(server, 'kept.bin'));
  assert.equal(response.status, 200);
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(KEPT));
}

describe('disks that take no more', { concurrency: 4 }, () => {
  test('F13 a disk that is full when it syncs: no 201, one sync of that file, degraded', async (t) => {
    await onDisk('ext4', { memory: '24m' }, async ({ server, faults }) => {
      faults.arm();
      const status = await put(server, 'too-large.bin', content('too large', 60 * MIB));
      assert.equal(status, 500);
      const syncs = faults
        .calls()
        .filter(({ name, path }) => name === 'fdatasync' && path.startsWith('/.hfs/staging/'));
      assert.equal(syncs.length, 1, JSON.stringify(syncs));
      assert.equal(await statusOf(`${server.operatorOrigin}/readyz`), 503);
      assert.equal(await statusOf(urlOf(server, 'too-large.bin')), 404);
      assert.equal(await put(server, 'next.bin', content('next', 100)), 503);
      await assertKept(server);
      t.diagnostic('F13 ext4 on an overcommitted device: one sync, 500, degraded');
    });
  });

  test('F25 a file system that turns read-only: PUT 503, GET 200, not ready, until it takes writes again', async (t) => {
    await onDisk('ext4', { mountOptions: 'errors=remount-ro' }, async ({ server, fileSystem }) => {
      writeFileSync(`/sys/fs/ext4/${basename(fileSystem.device)}/trigger_fs_error`, 'fault test');
      const first = await put(server, 'refused.bin', KEPT);
      assert.ok([500, 503].includes(first), String(first));
      assert.equal(await put(server, 'refused.bin', KEPT), 503);
      await assertKept(server);
      assert.equal(await statusOf(`${server.operatorOrigin}/readyz`), 503);
      t.diagnostic(`F25 ext4 after an error of the file system: first answer ${first}, then 503; reads go on`);
    });
    await onDisk('ext4', {}, async ({ server, fileSystem }) => {
      command('mount', '-o', 'remount,ro', fileSystem.mountPoint);
      assert.equal(await put(server, 'refused.bin', KEPT), 503);
      await assertKept(server);
      assert.equal(await statusOf(`${server.operatorOrigin}/readyz`), 503);
      command('mount', '-o', 'remount,rw', fileSystem.mountPoint);
      await server.event('storage.degraded', RECOVERY_LIMIT_MS, ({ msg }) => msg === 'Store recovered');
      assert.equal(await put(server, 'refused.bin', KEPT), 201);
      assert.equal(await statusOf(`${server.operatorOrigin}/readyz`), 200);
      assert.deepEqual(leftovers(fileSystem.storeDir), []);
      t.diagnostic('F25 ext4 remounted read-only: 503, and ready again after three probes');
    });
  });
});

describe('disks that are gone', { concurrency: 4 }, () => {
  for (const kind of ['ext4', 'xfs'] as const) {
    test(`F27 ${kind}: a disk of which every call fails: the process stays, and its log stays small`, async (t) => {
      await onDisk(kind, {}, async ({ server, fileSystem }) => {
        fileSystem.cutPower();
        const before = server.lines.length;
        const puts = Array.from({ length: 200 }, (_, index) =>
          put(server, `lost-${index}.bin`, content('lost', 1_000)),
        );
        const answers = await Promise.all(puts);
        assert.ok(
          answers.every((status) => status === 500 || status === 503),
          answers.join(),
        );
        assert.equal(await statusOf(`${server.operatorOrigin}/healthz`), 200);
        assert.equal(await statusOf(`${server.operatorOrigin}/readyz`), 503);
        const alarms = server.lines.slice(before).filter(({ level }) => level === 'error' || level === 'warning');
        assert.ok(alarms.length <= 100, `${alarms.length} lines`);
        t.diagnostic(`F27 ${kind}: 200 uploads refused, ${alarms.length} lines of alarm`);
      });
    });
  }

  test('F28 a disk that hangs: what needs no disk goes on, and then all is well', async (t) => {
    await onDisk('ext4', {}, async ({ server, fileSystem }) => {
      // First the thaw: nothing that touches a frozen file system can be stopped.
      const thaw = spawn('sh', ['-c', `sleep ${HANG_SECONDS}; fsfreeze --unfreeze "$0"`, fileSystem.mountPoint]);
      const thawed = once(thaw, 'exit');
      command('fsfreeze', '--freeze', fileSystem.mountPoint);
      let isAnswered = false;
      const upload = put(server, 'hung.bin', KEPT).finally(() => {
        isAnswered = true;
      });
      const took: number[] = [];
      for (let count = 0; count < 20; count += 1) {
        const startedMs = performance.now();
        assert.equal(await statusOf(`${server.operatorOrigin}/${count % 2 === 0 ? 'healthz' : 'metrics'}`), 200);
        took.push(performance.now() - startedMs);
      }
      assert.equal(await statusOf(`${server.origin}/files/unsigned.bin`), 404);
      assert.equal(isAnswered, false, 'the disk hangs');
      await thawed;
      assert.equal(await upload, 201);
      await assertKept(server);
      const median = took.sort((first, second) => first - second)[10] ?? Number.NaN;
      assert.ok(median < PROMPT_MS, `${median} ms`);
      t.diagnostic(`F28 ${HANG_SECONDS} s without a disk: operator's pages in ${median.toFixed(1)} ms (median)`);
    });
  });
});

describe('disks with a limit', () => {
  test('F18 a quota that is used up: 507, nothing left, and the server goes on', async (t) => {
    await onDisk('btrfs', {}, async ({ server, fileSystem }) => {
      command('btrfs', 'quota', 'enable', fileSystem.mountPoint);
      command('btrfs', 'qgroup', 'limit', '20M', fileSystem.mountPoint);
      assert.equal(await put(server, 'too-large.bin', content('too large', 40 * MIB)), 507);
      assert.equal(await statusOf(urlOf(server, 'too-large.bin')), 404);
      assert.deepEqual(leftovers(fileSystem.storeDir), []);
      assert.equal(await statusOf(`${server.operatorOrigin}/readyz`), 200);
      await assertKept(server);
      t.diagnostic('F18 btrfs: EDQUOT is answered 507');
    });
  });
});
