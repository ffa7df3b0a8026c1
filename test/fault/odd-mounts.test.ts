/** Stores that are read-only, in two parts, used twice, or gone. Needs root: it mounts over them. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { content, put, store, urlOf } from '../support/paced-transfer.ts';
import { ServerProcess } from '../support/server-process.ts';
import { command } from './support/host.ts';
import { LoopFileSystem } from './support/loop-file-system.ts';

const BYTES = content('stored', 10_000);
const MOUNT_SEEN_MS = 10_000;

let folder = '';
let storeDir = '';
let mounts: string[] = [];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'hmac-mounts-')));
  storeDir = join(folder, 'store');
  mounts = [];
});

afterEach(() => {
  for (const path of mounts.reverse()) command('umount', '--lazy', path);
  rmSync(folder, { recursive: true, force: true });
});

function mount(path: string, ...args: readonly string[]): void {
  mkdirSync(path, { recursive: true });
  command('mount', ...args, path);
  mounts.push(path);
}

/** What a server says that does not start on the store. */
async function refusal(prefix: readonly string[] = []): Promise<string> {
  const server = ServerProcess.spawn({ storeDir, prefix });
  const exit = await server.exited;
  await server.stop();
  assert.deepEqual(exit, { status: 1, signal: null });
  return server.errors;
}

async function storeOne(): Promise<void> {
  const server = await ServerProcess.start({ storeDir });
  await store(server, 'stored.bin', BYTES);
  await server.stop();
}

describe('starts that are refused', () => {
  test('F26 a store on a read-only file system is refused at the start, new or used', async (t) => {
    const messages: string[] = [];
    mount(storeDir, '-t', 'tmpfs', '-o', 'ro', 'none');
    messages.push(await refusal());
    command('mount', '-o', 'remount,rw', storeDir);
    await storeOne();
    command('mount', '-o', 'remount,ro', storeDir);
    messages.push(await refusal());
    for (const message of messages) assert.match(message, /^StoreDir .*: EROFS /);
    t.diagnostic('F26 read-only: refused with EROFS, new and used');
  });

  test('F32 a store of which a part lies on another file system is refused at the start', async (t) => {
    await storeOne();
    mount(join(storeDir, 'elsewhere'), '-t', 'tmpfs', 'none');
    assert.match(await refusal(), /^StoreDir .*elsewhere/);
    t.diagnostic('F32 a mount in the public tree: refused');
  });

  test('F32 a bind mount of the same file system is refused as well: no link leads across it', async (t) => {
    await storeOne();
    const other = join(folder, 'other');
    mkdirSync(other);
    mount(join(storeDir, '.hfs/staging'), '--bind', other);
    assert.match(await refusal(), /^StoreDir .*staging/);
    t.diagnostic('F32 a bind mount in the reserved tree: refused');
  });

  test('F36 a second server is refused, also in another network namespace, and kill -9 blocks nobody', async (t) => {
    const first = await ServerProcess.start({ storeDir });
    assert.match(await refusal(), /^StoreDir .* is in use by /);
    assert.match(await refusal(['unshare', '--net']), /^StoreDir .* is in use by /);
    assert.equal(await put(first, 'first.bin', BYTES), 201, 'the first one goes on');
    first.kill('SIGKILL');
    await first.stop();
    const second = await ServerProcess.start({ storeDir });
    assert.equal(await put(second, 'second.bin', BYTES), 201);
    await second.stop();
    t.diagnostic('F36 the second is refused, in this and in another network namespace');
  });
});

describe('stores that go away', () => {
  test('F31 an unmounted store: writes 503, and nothing is ever written below the mount point', async (t) => {
    const fileSystem = LoopFileSystem.make('ext4');
    try {
      const server = await ServerProcess.start({ storeDir: fileSystem.mountPoint });
      try {
        await store(server, 'stored.bin', BYTES);
        command('umount', '--lazy', fileSystem.mountPoint);
        await server.event('storage.degraded', MOUNT_SEEN_MS);
        assert.equal(await put(server, 'refused.bin', BYTES), 503);
        assert.equal((await fetch(`${server.operatorOrigin}/readyz`)).status, 503);
        assert.deepEqual(readdirSync(fileSystem.mountPoint), []);
      } finally {
        await server.stop();
      }
      assert.deepEqual(readdirSync(fileSystem.mountPoint), [], 'nor by the stop');
    } finally {
      fileSystem.remove();
    }
    t.diagnostic('F31 umount --lazy under the server: 503, the mount point stays empty');
  });

  test('F31 a store that is removed, or whose place another folder takes: writes 503, nothing in the new one', async (t) => {
    const server = await ServerProcess.start({ storeDir });
    try {
      await store(server, 'stored.bin', BYTES);
      command('mv', storeDir, join(folder, 'moved'));
      mkdirSync(storeDir);
      await server.event('storage.degraded', MOUNT_SEEN_MS);
      assert.equal(await put(server, 'refused.bin', BYTES), 503);
      assert.deepEqual(readdirSync(storeDir), []);
      assert.equal((await fetch(urlOf(server, 'stored.bin'))).status, 200, 'reads go on');
      assert.equal(existsSync(join(folder, 'moved/refused.bin')), false);
    } finally {
      await server.stop();
    }
    t.diagnostic('F31 a folder in the place of the store: 503, it stays empty');
  });
});
