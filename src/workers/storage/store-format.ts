/**
 * `format.json`: which layout the store has. It is written once a store was taken into use, and a store whose layout
 * this version does not know is left alone.
 */

import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { type Folder, inside } from './folder.ts';
import { attempt, errorNumberOf, StorageError, toStorageError } from './storage-error.ts';
import { FORMAT_FILE } from './store-layout.ts';

const FORMAT = 1;
const FORMAT_MODE = 0o640;

/**
 * False when the store has no such file yet. `own` is the open reserved tree. Errors: store-unavailable, for a layout
 * of a later version and for a file that nobody can read: guessing could cost the files.
 */
export function hasKnownFormat(own: Folder): boolean {
  const text = readFormat(own);
  if (text === null) return false;
  const format = formatOf(text);
  if (format === FORMAT) return true;
  const name = `.hfs/${FORMAT_FILE}`;
  throw new StorageError(
    'store-unavailable',
    format === null
      ? `${name} is damaged; it should say {"format":${FORMAT}}`
      : `${name} says format ${format}, which a later version made; this version knows format ${FORMAT}`,
  );
}

/** Says that the store has the layout of this version; durable when it returns. */
export function writeFormat(own: Folder): void {
  const path = inside(own, `${FORMAT_FILE}.new`);
  const fd = attempt('create format.json', () => openSync(path, 'w', FORMAT_MODE));
  try {
    attempt('write format.json', () => writeSync(fd, `${JSON.stringify({ format: FORMAT })}\n`));
    attempt('fdatasync format.json', () => fdatasyncSync(fd));
  } finally {
    closeSync(fd);
  }
  attempt('rename format.json', () => renameSync(path, inside(own, FORMAT_FILE)));
  attempt('fsync .hfs', () => fsyncSync(own.fd));
}

function readFormat(own: Folder): string | null {
  try {
    return readFileSync(inside(own, FORMAT_FILE), 'utf8');
  } catch (error) {
    if (errorNumberOf(error) === 'ENOENT') return null;
    throw toStorageError(error, 'read format.json');
  }
}

/** null: no number can be found in it. */
function formatOf(text: string): number | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('format' in value)) return null;
    return typeof value.format === 'number' ? value.format : null;
  } catch {
    // Not JSON: damaged.
    return null;
  }
}
