/** Links, pipes and sockets in the store: only regular files below real folders are served or written. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ExpiryRule } from '../../src/shared/expiry-rule.ts';
import { SteadyClock } from '../../src/shared/steady-clock.ts';
import { openRoot, walkingFrom } from '../../src/workers/storage/folder.ts';
import { type ContentSource, openStoredFile } from '../../src/workers/storage/stored-file.ts';
import { keep, keyOf, readFile, StoreFixture, stage } from '../support/store-fixture.ts';

const NOT_FOUND = { name: 'StorageError', code: 'not-found' };
const CONFLICT = { name: 'StorageError', code: 'path-conflict' };
const RACES = 10_000;

let store: StoreFixture;
/** A folder beside the store that nothing may reach. */
let outside: string;

before(() => {
  store = new StoreFixture();
  outside = `${store.folder}/outside`;
  mkdirSync(outside);
  writeFileSync(`${outside}/secret`, 'outside');
});

after(() => store.remove());

function isUntouched(): void {
  assert.deepEqual(readdirSync(outside), ['secret']);
  assert.equal(readFileSync(`${outside}/secret`, 'utf8'), 'outside');
}

test('A20 a link in place of a file is not found, and its name is not free', () => {
  symlinkSync(`${outside}/secret`, store.pathOf('to-file'));
  symlinkSync(`${outside}/none`, store.pathOf('dangling'));
  symlinkSync('loop', store.pathOf('loop'));
  symlinkSync('.', store.pathOf('to-itself'));
  for (const name of ['to-file', 'dangling', 'loop', 'to-itself']) {
    assert.throws(() => readFile(store.storage, name), NOT_FOUND, name);
    assert.throws(() => stage(store.storage, name, Buffer.from('x')), CONFLICT, name);
  }
  isUntouched();
});

test('A20 a link that appears during the upload is not replaced and not written through', async () => {
  const upload = stage(store.storage, 'late-link', Buffer.from('x'));
  symlinkSync(`${outside}/new`, store.pathOf('late-link'));
  await assert.rejects(upload.commit(), { name: 'StorageError', code: 'exists' });
  isUntouched();
});

test('A20 nothing is found below a linked folder', async () => {
  await keep(store.storage, 'real/secret', 'inside');
  symlinkSync(outside, store.pathOf('to-folder'));
  symlinkSync('real', store.pathOf('to-sibling'));
  for (const key of ['to-folder/secret', 'to-sibling/secret', 'to-folder/none', 'to-folder/none/none']) {
    assert.throws(() => readFile(store.storage, key), NOT_FOUND, key);
  }
});

test('A20 nothing is written below a linked folder', async () => {
  symlinkSync(outside, store.pathOf('write-below'));
  const put = async (key: string): Promise<unknown> => stage(store.storage, key, Buffer.from('x')).commit();
  await assert.rejects(put('write-below/new'), CONFLICT);
  await assert.rejects(put('write-below/folder/new'), CONFLICT);
  isUntouched();
  assert.deepEqual(store.stagingFiles(), []);
});

test('A20 whether a file lies behind a linked folder makes no difference', () => {
  symlinkSync(outside, store.pathOf('look-below'));
  const codeOf = (key: string): unknown => {
    try {
      stage(store.storage, key, Buffer.from('x')).discard();
      return 'accepted';
    } catch (error) {
      return error instanceof Error && 'code' in error ? error.code : error;
    }
  };
  assert.equal(codeOf('look-below/secret'), codeOf('look-below/none'));
});

test('A22 a pipe and a socket are not found, and hang nothing', async () => {
  assert.equal(spawnSync('mkfifo', [store.pathOf('pipe')]).status, 0);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(store.pathOf('socket'), resolve));
  try {
    for (const name of ['pipe', 'socket']) {
      assert.throws(() => readFile(store.storage, name), NOT_FOUND, name);
      assert.throws(() => stage(store.storage, name, Buffer.from('x')), CONFLICT, name);
    }
  } finally {
    server.close();
  }
});

test('A22 a hard link is a file like any other', () => {
  writeFileSync(`${store.folder}/original`, 'linked');
  linkSync(`${store.folder}/original`, store.pathOf('hard'));
  assert.equal(readFile(store.storage, 'hard').text, 'linked');
});

/**
 * Swaps a folder for a link to the outside and back, as fast as it can, until it is terminated. A folder that an upload
 * makes anew meanwhile is moved out of the way.
 */
const SWAPPER = `
  const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
  const { parentPort, workerData: { folder, away, outside } } = require('node:worker_threads');
  const succeeds = (run) => {
    try {
      run();
      return true;
    } catch {
      return false;
    }
  };
  parentPort.postMessage('swapping');
  for (let turn = 0; ; turn += 1) {
    succeeds(() => renameSync(folder, away)) || succeeds(() => renameSync(folder, away + turn));
    succeeds(() => symlinkSync(outside, folder));
    succeeds(() => unlinkSync(folder));
    succeeds(() => renameSync(away, folder));
  }
`;

test(`A21 a folder that is swapped for a link between look and open leads nowhere, ${RACES} times`, async () => {
  await keep(store.storage, 'swapped/secret', 'inside');
  const workerData = { folder: store.pathOf('swapped'), away: `${store.folder}/away`, outside };
  const swapper = new Worker(SWAPPER, { eval: true, workerData });
  try {
    await new Promise((resolve) => swapper.once('message', resolve));
    const source = walkingReader();
    const seen = new Map<string, number>();
    for (let index = 0; index < RACES; index += 1) {
      const text = read(source, 'swapped/secret');
      seen.set(text, (seen.get(text) ?? 0) + 1);
    }
    assert.equal(seen.get('outside'), undefined);
    assert.ok((seen.get('inside') ?? 0) > 0 && (seen.get('none') ?? 0) > 0, 'both states were met');
    for (let index = 0; index < 200; index += 1) await write(`swapped/new-${index}`);
  } finally {
    await swapper.terminate();
  }
  isUntouched();
});

/** A reader that walks to each file anew. */
function walkingReader(): ContentSource {
  const root = openRoot(store.settings.storeDir);
  return { root, folders: walkingFrom(root) };
}

function read(source: ContentSource, key: string): string {
  try {
    const rule = new ExpiryRule(store.settings.expiry, new SteadyClock(store.settings.clockStart));
    const file = openStoredFile(source, keyOf(key), rule);
    const bytes = Buffer.alloc(file.info.size);
    file.read(bytes, 0);
    file.close();
    return bytes.toString();
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'not-found');
    return 'none';
  }
}

/** The folder may be a link, or gone: then the upload fails, and that is all. */
async function write(key: string): Promise<void> {
  try {
    await keep(store.storage, key, 'x');
  } catch (error) {
    assert.equal((error as Error).name, 'StorageError');
  }
}
