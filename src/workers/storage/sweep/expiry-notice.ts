/**
 * `expiry.json`: the FileTTL that the operator has been told the consequences of. A shorter one, or the first one on an
 * old tree, removes nothing in its first pass: that pass only says how many files it would be.
 */

import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { type Folder, inside } from '../folder.ts';
import { withOwnTree } from '../own-folders.ts';
import { attempt, errorNumberOf, toStorageError } from '../storage-error.ts';

const NOTICE_FILE = 'expiry.json';
const NOTICE_MODE = 0o640;

/** False when files would be removed that nobody has been told about. */
export function isAnnounced(root: Folder, fileTtlSeconds: number | null): boolean {
  if (fileTtlSeconds === null) return true;
  const announced = withOwnTree(root, readNotice);
  return announced !== null && announced <= fileTtlSeconds;
}

/** The pass that announces is over: the next one removes. Without FileTTL the notice ends. */
export function noteAnnounced(root: Folder, fileTtlSeconds: number | null): void {
  withOwnTree(root, (own) => {
    const path = inside(own, NOTICE_FILE);
    if (fileTtlSeconds === null) {
      if (existsSync(path)) attempt('unlink notice', () => rmSync(path, { force: true }));
    } else if (readNotice(own) !== fileTtlSeconds) writeNotice(own, fileTtlSeconds);
  });
}

/** null: none, or one that cannot be read, which announces nothing. */
function readNotice(own: Folder): number | null {
  try {
    const value: unknown = JSON.parse(readFileSync(inside(own, NOTICE_FILE), 'utf8'));
    if (typeof value !== 'object' || value === null || !('fileTtlSeconds' in value)) return null;
    return typeof value.fileTtlSeconds === 'number' ? value.fileTtlSeconds : null;
  } catch (error) {
    if (error instanceof SyntaxError || errorNumberOf(error) === 'ENOENT') return null;
    throw toStorageError(error, 'read notice');
  }
}

function writeNotice(own: Folder, fileTtlSeconds: number): void {
  const path = inside(own, `${NOTICE_FILE}.new`);
  const fd = attempt('create notice', () => openSync(path, 'w', NOTICE_MODE));
  try {
    attempt('write notice', () => writeSync(fd, `${JSON.stringify({ fileTtlSeconds })}\n`));
    attempt('fdatasync notice', () => fdatasyncSync(fd));
  } finally {
    closeSync(fd);
  }
  attempt('rename notice', () => renameSync(path, inside(own, NOTICE_FILE)));
}
