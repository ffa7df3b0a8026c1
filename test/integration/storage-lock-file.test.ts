/** The lock file: one server for each store, also where the others' sockets cannot be seen (storage-commit §10). */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { lockHolder, refreshLock, takeLock } from '../../src/workers/storage/lock-file.ts';
import { closeStore, recoverStore } from '../../src/workers/storage/recover-store.ts';
import { StoreFixture } from '../support/store-fixture.ts';

interface Owner {
  readonly bootId: string;
  readonly pid: number;
  readonly startTicks: string;
  readonly pidNamespace: string;
}

let store: StoreFixture;
let storeDir: string;
let lock: string;

beforeEach(() => {
  store = new StoreFixture();
  storeDir = store.settings.storeDir;
  lock = store.pathOf('.hfs/lock');
});

afterEach(() => store.remove());

function readLock(): Owner {
  return JSON.parse(readFileSync(lock, 'utf8')) as Owner;
}

function writeLock(changes: Partial<Owner>, ageMs = 0): void {
  takeLock(storeDir);
  writeFileSync(lock, JSON.stringify({ ...readLock(), ...changes }));
  const seconds = (Date.now() - ageMs) / 1000;
  utimesSync(lock, seconds, seconds);
}

test('the lock is taken once, says by whom, and is released by a clean stop', () => {
  assert.equal(lockHolder(storeDir), null);
  assert.equal(takeLock(storeDir), null);
  assert.equal(readLock().pid, process.pid);
  assert.deepEqual(takeLock(storeDir), { text: `process ${process.pid}`, pid: process.pid });
  assert.equal(lockHolder(storeDir)?.text, `process ${process.pid}`);
  assert.deepEqual(
    readdirSync(store.pathOf('.hfs')).filter((name) => name.startsWith('lock')),
    ['lock'],
    'no drafts',
  );
  recoverStore(storeDir);
  closeStore(storeDir, store.identity);
  assert.equal(existsSync(lock), false);
});

test('F36 a lock whose process has ended is left over, however it ended', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);
  await once(child, 'spawn');
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  writeLock({ pid: child.pid ?? 0, startTicks });
  assert.equal(takeLock(storeDir)?.pid, child.pid, 'it lives');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(takeLock(storeDir), null);
  assert.equal(readLock().pid, process.pid);
});

test('F36 a number that another process got later does not hold the lock', () => {
  writeLock({ pid: 1, startTicks: '0' });
  assert.equal(takeLock(storeDir), null);
});

test('F36 a lock of an earlier boot is left over', () => {
  writeLock({ bootId: '00000000-0000-4000-8000-000000000000' });
  assert.equal(takeLock(storeDir), null);
});

test('F36 in another process namespace a lock holds as long as it is refreshed', () => {
  writeLock({ pidNamespace: 'pid:[1]' }, 20_000);
  const holder = takeLock(storeDir);
  assert.match(holder?.text ?? '', /^process \d+ of another container$/);
  assert.equal(holder?.pid, null);
  writeLock({ pidNamespace: 'pid:[1]' }, 40_000);
  assert.equal(takeLock(storeDir), null);
  const seconds = (Date.now() - 25_000) / 1000;
  utimesSync(lock, seconds, seconds);
  refreshLock(storeDir);
  const refreshed = readLock();
  writeLock({ ...refreshed, pidNamespace: 'pid:[1]' });
  assert.notEqual(takeLock(storeDir), null);
});

test('F35 a lock that is cut, empty or foreign holds nothing', () => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"pid":1}',
    '\0\u00ff',
    '{"bootId":"x","pid":-1,"startTicks":"","pidNamespace":""}',
  ]) {
    writeFileSync(lock, text);
    assert.equal(lockHolder(storeDir), null);
    assert.equal(takeLock(storeDir), null, text);
  }
});

test('a lock that somebody removed is noticed when it is to be refreshed', () => {
  assert.throws(() => refreshLock(storeDir), { code: 'store-unavailable', message: /lock of the store is gone/ });
});
