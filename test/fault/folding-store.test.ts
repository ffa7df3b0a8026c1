/** A store on a file system that folds names: one user's file would answer for another's. Needs root and FUSE. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from '../support/project-root.ts';
import { ServerProcess } from '../support/server-process.ts';

/** Debian's interpreter: only it finds Debian's python3-fusepy. */
const PYTHON = '/usr/bin/python3';
const MOUNT_TIMEOUT_MS = 10_000;

let folder = '';
let fileSystem: ChildProcess | null = null;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-folding-'));
  for (const name of ['real', 'mounted']) mkdirSync(join(folder, name));
});

after(async () => {
  spawnSync('umount', [join(folder, 'mounted')]);
  if (fileSystem !== null && fileSystem.exitCode === null) await once(fileSystem, 'exit');
  rmSync(folder, { recursive: true, force: true });
});

async function mountFolding(): Promise<string> {
  const script = join(projectRoot, 'test/support/folding-fs.py');
  const mounted = join(folder, 'mounted');
  let errors = '';
  const child = spawn(PYTHON, [script, join(folder, 'real'), mounted], { stdio: ['ignore', 'ignore', 'pipe'] });
  fileSystem = child;
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const outside = statSync(folder).dev;
  const deadlineMs = performance.now() + MOUNT_TIMEOUT_MS;
  while (statSync(mounted).dev === outside) {
    const isOver = child.exitCode !== null || performance.now() > deadlineMs;
    assert.ok(!isOver, `no FUSE file system (Debian: apt-get install python3-fusepy fuse): ${errors}`);
    await delay(20);
  }
  return mounted;
}

test('A25 F33 a file system that folds names is refused at the start, and nothing is left in it', async () => {
  const mounted = await mountFolding();
  const server = ServerProcess.spawn({ storeDir: join(mounted, 'store') });
  const exit = await server.exited;
  await server.stop();
  assert.deepEqual(exit, { status: 1, signal: null });
  assert.match(server.errors, /^StoreDir .*: the file system folds case or Unicode forms of file names\n$/);
  assert.deepEqual(readdirSync(join(mounted, 'store/.hfs/staging')), []);
});
