/**
 * Recovery: every point at which a crash can break an upload off ends in a state that was promised
 * (storage-commit §7), also when recovery itself is killed.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { prepareStore } from '../../src/workers/storage/prepare-store.ts';
import { recordName } from '../../src/workers/storage/record.ts';
import { encodeRecord } from '../../src/workers/storage/record-format.ts';
import { closeStore, recoverStore } from '../../src/workers/storage/recover-store.ts';
import { hashOf } from '../../src/workers/storage/store-layout.ts';
import { projectRoot } from '../support/project-root.ts';
import { keep, keyOf, readFile, StoreFixture, stage } from '../support/store-fixture.ts';
import { treeOf, treeWithoutMarks } from '../support/store-state.ts';

let store: StoreFixture;

beforeEach(() => {
  store = new StoreFixture();
});

afterEach(() => store.remove());

const recover = (): ReturnType<typeof recoverStore> => recoverStore(store.settings.storeDir);

/** A staging file of this key, as an upload that was broken off leaves it; returns its path. */
function leaveStaging(key: string, suffix: string): string {
  const path = store.pathOf('.hfs/staging', `${hashOf(keyOf(key)).slice(0, 16)}.${suffix}`);
  writeFileSync(path, 'unfinished');
  return path;
}

/** A record of a content of this key that no name has. */
function leaveRecord(key: string): string {
  const hash = hashOf(keyOf(key));
  const folder = store.pathOf('.hfs/records', hash.slice(0, 2), hash);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, recordName(1_234_567_890n, 17));
  writeFileSync(
    path,
    encodeRecord({ path: key, type: 'x/lost', sha256: null, expiresMs: null, owner: null, usableUntilMs: null }),
  );
  return path;
}

/** Uploads broken off at every step of a commit, beside files that are whole. */
async function breakOffUploads(): Promise<void> {
  await keep(store.storage, 'folder/kept', 'kept', 'x/own');
  await keep(store.storage, 'n'.repeat(300), 'long');
  for (const key of ['a', 'b/c', 'd']) stage(store.storage, key, Buffer.from('unfinished'));
  leaveStaging('folder/kept', 'second');
  leaveRecord('folder/kept');
  leaveStaging('never', 'first');
  leaveRecord('never');
  await keep(store.storage, 'linked', 'linked');
  linkSync(store.pathOf('linked'), leaveStagingPath('linked'));
}

function leaveStagingPath(key: string): string {
  const path = leaveStaging(key, 'linked');
  rmSync(path);
  return path;
}

test('what uploads left at any step is removed, and nothing else', async () => {
  await breakOffUploads();
  assert.deepEqual(recover(), { wasClean: false, removedStagingFiles: 6, removedRecords: 2 });
  assert.deepEqual(store.stagingFiles(), []);
  assert.equal(store.recordFiles().length, 2);
  assert.equal(readFile(store.storage, 'folder/kept').info.type, 'x/own');
  assert.equal(readFile(store.storage, 'n'.repeat(300)).text, 'long');
  assert.equal(readFile(store.storage, 'linked').text, 'linked');
  assert.equal(statSync(store.pathOf('linked')).nlink, 1);
  const never = hashOf(keyOf('never'));
  assert.equal(existsSync(store.pathOf('.hfs/records', never.slice(0, 2), never)), false);
});

test('a second recovery finds nothing and changes nothing', async () => {
  await breakOffUploads();
  recover();
  const before = treeOf(store.settings.storeDir);
  assert.deepEqual(recover(), { wasClean: false, removedStagingFiles: 0, removedRecords: 0 });
  assert.deepEqual(treeOf(store.settings.storeDir), before);
});

test('records of keys that no unfinished upload had are not looked at', () => {
  const record = leaveRecord('elsewhere');
  recover();
  assert.ok(existsSync(record), 'left to the sweep: recovery must not walk over all keys');
});

test('a store is marked while it is in use, and a clean stop takes the mark away', () => {
  const { storeDir } = store.settings;
  const dirty = store.pathOf('.hfs/dirty');
  recover();
  assert.ok(existsSync(dirty));
  closeStore(storeDir, store.identity);
  assert.equal(existsSync(dirty), false);
  leaveStaging('unseen', 'x');
  assert.deepEqual(recover(), { wasClean: true, removedStagingFiles: 0, removedRecords: 0 });
  assert.equal(store.stagingFiles().length, 1, 'after a clean stop recovery looks for nothing');
  assert.ok(existsSync(dirty));
});

test('a stop that leaves something keeps the mark', () => {
  const { storeDir } = store.settings;
  recover();
  leaveStaging('lost lane', 'x');
  closeStore(storeDir, store.identity);
  assert.equal(recover().removedStagingFiles, 1);
});

test('a store of an earlier version, without format and mark, is recovered once', () => {
  leaveStaging('earlier', 'x');
  assert.equal(recover().removedStagingFiles, 1);
  assert.deepEqual(JSON.parse(readFileSync(store.pathOf('.hfs/format.json'), 'utf8')), { format: 1 });
});

test('F35 a store of a later version, or with a damaged format file, is left alone', () => {
  const { storeDir } = store.settings;
  recover();
  const file = store.pathOf('.hfs/format.json');
  const cases = [
    ['{"format":2}', /format 2, which a later version made/],
    ['', /damaged/],
    ['{"for', /damaged/],
    ['null', /damaged/],
    ['{"format":"1"}', /damaged/],
    ['\0\u00ff random', /damaged/],
  ] as const;
  for (const [text, message] of cases) {
    writeFileSync(file, text);
    const before = treeOf(storeDir);
    assert.throws(() => prepareStore(storeDir), { code: 'store-unavailable', message });
    assert.deepEqual(treeOf(storeDir), before);
  }
  writeFileSync(file, '{"format":1,"later":"fields are fine"}');
  prepareStore(storeDir);
});

test('F35 whatever the mark says, it is a mark; records that cannot be read describe nothing', () => {
  recover();
  writeFileSync(store.pathOf('.hfs/dirty'), Buffer.from([0, 255, 10, 13, 7]));
  leaveStaging('torn', 'x');
  for (const text of ['', '{', 'null', '\0'.repeat(100)]) {
    writeFileSync(leaveRecord('torn'), text);
    assert.equal(recover().removedRecords, 1);
    leaveStaging('torn', 'x');
  }
});

test('F06 recovery that is killed before any of its steps ends, the next time, in the same state', async () => {
  await breakOffUploads();
  const { storeDir } = store.settings;
  writeFileSync(store.pathOf('.hfs/lock.0123'), 'a start that was killed');
  const scratch = join(store.folder, 'scratch');
  const pristine = join(store.folder, 'pristine');
  copyTree(storeDir, pristine);
  copyTree(pristine, scratch);
  recoverStore(scratch);
  const expected = treeWithoutMarks(scratch);
  assert.ok(!expected.some((path) => path.startsWith('.hfs/staging/') && path !== '.hfs/staging/'));
  assert.equal(expected.filter((path) => path.endsWith('.json')).length, 2);
  let step = 0;
  let isKilled = true;
  while (isKilled) {
    step += 1;
    rmSync(scratch, { recursive: true });
    copyTree(pristine, scratch);
    isKilled = recoverUntil(step, scratch);
    recoverStore(scratch);
    assert.deepEqual(treeWithoutMarks(scratch), expected, `killed before step ${step}`);
    assert.equal(existsSync(join(scratch, '.hfs/dirty')), true);
  }
  assert.ok(step > 15, `${step} steps`);
});

/** With links and to the nanosecond, as `cpSync` does not: records are named after times. */
function copyTree(from: string, to: string): void {
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

/** Recovers in a process that is killed before its Nth step. False: it had fewer. */
function recoverUntil(step: number, storeDir: string): boolean {
  const [preload, script] = ['kill-at-step.js', 'recover-once.js'].map((name) =>
    join(projectRoot, 'dist/test/support', name),
  );
  const { status, signal, stderr } = spawnSync(
    process.execPath,
    ['--import', `file://${preload}`, script ?? '', storeDir],
    {
      env: { ...process.env, KILL_AT_STEP: String(step) },
      encoding: 'utf8',
    },
  );
  assert.ok(signal === 'SIGKILL' || status === 0, stderr);
  return signal === 'SIGKILL';
}

test('F11 recovery after an unclean stop does not depend on how many files there are', () => {
  const { storeDir } = store.settings;
  recover();
  for (let folder = 0; folder < 100; folder += 1) {
    const path = store.pathOf(`folder-${folder}`);
    mkdirSync(path);
    for (let file = 0; file < 200; file += 1) writeFileSync(join(path, `${file}`), '');
  }
  for (let index = 0; index < 200; index += 1) leaveStaging(`unfinished ${index}`, 'x');
  const startedMs = performance.now();
  prepareStore(storeDir);
  assert.equal(recover().removedStagingFiles, 200);
  const durationMs = performance.now() - startedMs;
  assert.ok(durationMs < 1_000, `${durationMs} ms`);
  assert.equal(readdirSync(store.pathOf('folder-7')).length, 200);
});
