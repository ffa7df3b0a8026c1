/** A store on a file system that folds names: one user's file would answer for another's. Needs FUSE. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { onFoldingNames } from '../support/own-mounts.ts';
import { ServerProcess } from '../support/server-process.ts';

let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hmac-folding-'));
  for (const name of ['real', 'mounted']) mkdirSync(join(folder, name));
});

after(() => rmSync(folder, { recursive: true, force: true }));

test('A25 F33 a file system that folds names is refused at the start, and nothing is left in it', async () => {
  const [real, mounted] = [join(folder, 'real'), join(folder, 'mounted')];
  const server = ServerProcess.spawn({
    storeDir: join(mounted, 'store'),
    prefix: onFoldingNames(mounted, real),
  });
  const exit = await server.exited;
  await server.stop();
  assert.match(server.errors, /^StoreDir .*: the file system folds case or Unicode forms of file names\n$/);
  assert.deepEqual(exit, { status: 1, signal: null });
  assert.deepEqual(readdirSync(join(real, 'store/.hfs/staging')), []);
});
