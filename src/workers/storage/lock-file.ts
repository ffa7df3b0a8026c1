/**
 * `lock`: who uses the store, for servers that do not see each other's sockets because they live in other network
 * namespaces. It says boot, process and the start time of that process, so what a crash left never blocks a start.
 */

import { randomBytes } from 'node:crypto';
import {
  linkSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { LockHolder } from '../../shared/worker-jobs.ts';
import { type Folder, inside } from './folder.ts';
import { withOwnTree, withRoot } from './own-folders.ts';
import { attempt, errorNumberOf, StorageError, toStorageError } from './storage-error.ts';
import { LOCK_FILE } from './store-layout.ts';

const LOCK_MODE = 0o640;
/** Elsewhere a process number says nothing: there a lock counts that was refreshed within this time. */
const FRESH_MS = 30_000;
const ATTEMPTS = 3;
/** Position of `starttime` among the fields of /proc/PID/stat that follow the name (proc(5)). */
const START_TIME_FIELD = 19;

interface LockOwner {
  readonly bootId: string;
  readonly pid: number;
  /** In clock ticks since boot: tells the process from another one that got its number later. */
  readonly startTicks: string;
  readonly pidNamespace: string;
}

/** Takes the lock; null when it is ours, otherwise who holds it. */
export function takeLock(storeDir: string): LockHolder | null {
  return withRoot(storeDir, (root) => withOwnTree(root, take));
}

/** Who holds the lock; null when nobody does, or what lies there is left over or cannot be read. */
export function lockHolder(storeDir: string): LockHolder | null {
  return withRoot(storeDir, (root) => withOwnTree(root, (own) => holderOf(inside(own, LOCK_FILE))));
}

/** Says that the holder lives. Errors: store-unavailable when the lock is gone; io. */
export function refreshLock(storeDir: string): void {
  withRoot(storeDir, (root) => withOwnTree(root, touch));
}

/** `own` is the open reserved tree. */
export function releaseLock(own: Folder): void {
  attempt('unlink lock', () => unlinkIfThere(inside(own, LOCK_FILE)));
}

function take(own: Folder): LockHolder | null {
  const owner = thisProcess();
  const path = inside(own, LOCK_FILE);
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  attempt('write lock', () => writeFileSync(draft, `${JSON.stringify(owner)}\n`, { mode: LOCK_MODE }));
  try {
    for (let round = 0; round < ATTEMPTS; round += 1) {
      if (linkIfFree(draft, path)) return null;
      const holder = holderOf(path);
      if (holder !== null) return holder;
      removeStale(path, `${draft}.stale`);
    }
    return { text: 'another server that is just starting', pid: null };
  } finally {
    unlinkIfThere(draft);
  }
}

function holderOf(path: string): LockHolder | null {
  const owner = readOwner(path);
  if (owner === null) return null;
  const self = thisProcess();
  if (owner.bootId !== self.bootId) return null;
  const { pid } = owner;
  if (owner.pidNamespace === self.pidNamespace) {
    return startTicksOf(pid) === owner.startTicks ? { text: `process ${pid}`, pid } : null;
  }
  const { mtimeMs = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (Math.abs(Date.now() - mtimeMs) >= FRESH_MS) return null;
  return { text: `process ${pid} of another container`, pid: null };
}

function touch(own: Folder): void {
  const nowSeconds = Date.now() / 1000;
  try {
    utimesSync(inside(own, LOCK_FILE), nowSeconds, nowSeconds);
  } catch (error) {
    if (errorNumberOf(error) === 'ENOENT') throw new StorageError('store-unavailable', 'the lock of the store is gone');
    throw toStorageError(error, 'refresh lock');
  }
}

function linkIfFree(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (errorNumberOf(error) === 'EEXIST') return false;
    throw toStorageError(error, 'link lock');
  }
}

/** Takes what nobody holds out of the way; a lock that somebody took in the meantime is put back. */
function removeStale(path: string, aside: string): void {
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errorNumberOf(error) === 'ENOENT') return;
    throw toStorageError(error, 'rename stale lock');
  }
  if (holderOf(aside) !== null) linkIfFree(aside, path);
  unlinkIfThere(aside);
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorNumberOf(error) !== 'ENOENT') throw error;
  }
}

function thisProcess(): LockOwner {
  const { pid } = process;
  return {
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    pid,
    startTicks: startTicksOf(pid) ?? '',
    pidNamespace: readlinkSync('/proc/self/ns/pid'),
  };
}

/** null: there is no such process, or it has ended and nobody has asked for its status. */
function startTicksOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in parentheses and may hold anything, also spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[START_TIME_FIELD] ?? null);
  } catch {
    // It has ended; whoever has its number next has another start time.
    return null;
  }
}

function readOwner(path: string): LockOwner | null {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isOwner(value) ? value : null;
  } catch {
    // Missing, torn or foreign: nobody holds it.
    return null;
  }
}

function isOwner(value: unknown): value is LockOwner {
  if (typeof value !== 'object' || value === null) return false;
  const { bootId, pid, startTicks, pidNamespace } = value as Partial<Record<keyof LockOwner, unknown>>;
  const areTexts = [bootId, startTicks, pidNamespace].every((text) => typeof text === 'string');
  return areTexts && typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0;
}
