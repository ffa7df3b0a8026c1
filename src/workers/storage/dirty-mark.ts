/**
 * `dirty`: lies in the store while a server runs. Where it is missing the last stop was a clean one, and recovery has
 * nothing to look for.
 */

import { closeSync, existsSync, fsyncSync, openSync, unlinkSync } from 'node:fs';
import { type Folder, inside } from './folder.ts';
import { attempt } from './storage-error.ts';
import { DIRTY_MARK } from './store-layout.ts';

const MARK_MODE = 0o640;

/** `own` is the open reserved tree. */
export function isMarkedDirty(own: Folder): boolean {
  return existsSync(inside(own, DIRTY_MARK));
}

/** Durable when it returns, so that no upload comes before it. */
export function markDirty(own: Folder): void {
  attempt('mark dirty', () => closeSync(openSync(inside(own, DIRTY_MARK), 'a', MARK_MODE)));
  attempt('fsync .hfs', () => fsyncSync(own.fd));
}

/** The last act of a clean stop. It needs no sync: a mark that reappears costs a look into the staging folder. */
export function unmarkDirty(own: Folder): void {
  attempt('unmark dirty', () => unlinkSync(inside(own, DIRTY_MARK)));
}
