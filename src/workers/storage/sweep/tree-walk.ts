/**
 * Walks a tree by descriptors, without following links, one entry at a time: whoever walks can stop after each and go
 * on later. Folders are read as they are walked, so a large one costs no memory and no long step.
 */

import { type Dir, type Dirent, opendirSync } from 'node:fs';
import { closeFolder, type Folder, inside, openFolders } from '../folder.ts';
import { errorNumberOf, StorageError, toStorageError } from '../storage-error.ts';

/** Two descriptors for each level: deeper folders are left alone. */
const MAX_LEVELS = 128;
const READ_ENTRIES = 256;

export interface WalkVisitor {
  /** A name in an open folder that is no folder; `path` leads to that folder. False: the name is gone now. */
  visit(entry: Dirent, folder: Folder, path: readonly string[]): boolean;
  /** A folder has been walked and is still open; `isEmpty`: nothing was left in it. False: the folder is gone now. */
  leave(folder: Folder, parent: Folder, name: string, isEmpty: boolean): boolean;
  /** A folder that is not walked, or not to its end: too deep, not ours to open, or unreadable. */
  passOver(): void;
}

interface Place {
  readonly folder: Folder;
  readonly path: readonly string[];
}

/** Walks everything below an open folder, except the names to `skip` in it; yields after each entry. */
export function* walkTree(top: Folder, visitor: WalkVisitor, skip: (name: string) => boolean): Generator<void, void> {
  yield* walkFolder({ folder: top, path: [] }, visitor, skip);
}

/** Returns whether nothing was left in the folder. */
function* walkFolder(
  place: Place,
  visitor: WalkVisitor,
  skip: (name: string) => boolean = () => false,
): Generator<void, boolean> {
  const entries = openEntries(place.folder, visitor);
  if (entries === null) return false;
  let left = 0;
  try {
    for (let entry = next(entries, visitor); entry !== null; entry = next(entries, visitor)) {
      if (entry === 'unreadable') return false;
      const isLeft = skip(entry.name) || (yield* walkEntry(entry, place, visitor));
      if (isLeft) left += 1;
      yield;
    }
  } finally {
    entries.closeSync();
  }
  return left === 0;
}

/** Returns whether the name is still there. */
function* walkEntry(entry: Dirent, { folder, path }: Place, visitor: WalkVisitor): Generator<void, boolean> {
  if (!entry.isDirectory()) return visitor.visit(entry, folder, path);
  const child = path.length < MAX_LEVELS ? openToWalk(folder, entry.name) : null;
  if (child === null) {
    visitor.passOver();
    return true;
  }
  try {
    const isEmpty = yield* walkFolder({ folder: child, path: [...path, entry.name] }, visitor);
    return visitor.leave(child, folder, entry.name, isEmpty);
  } finally {
    closeFolder(child);
  }
}

/** null: removed or replaced a moment ago, or not ours to open. */
function openToWalk(parent: Folder, name: string): Folder | null {
  try {
    return openFolders(parent, [name]);
  } catch (error) {
    if (error instanceof StorageError && (error.code === 'path-conflict' || error.code === 'denied')) return null;
    throw error;
  }
}

/** null: removed by somebody while it was opened, or unreadable. */
function openEntries(folder: Folder, visitor: WalkVisitor): Dir | null {
  try {
    return opendirSync(inside(folder, '.'), { bufferSize: READ_ENTRIES });
  } catch (error) {
    if (errorNumberOf(error) !== 'ENOENT') passOverUnreadable(error, 'opendir', visitor);
    return null;
  }
}

/** null: there are no more, or the folder was removed by somebody. */
function next(entries: Dir, visitor: WalkVisitor): Dirent | 'unreadable' | null {
  try {
    return entries.readSync();
  } catch (error) {
    if (errorNumberOf(error) === 'ENOENT') return null;
    passOverUnreadable(error, 'readdir', visitor);
    return 'unreadable';
  }
}

/** An error of reading says nothing about writing: the folder is left as it is, and uploads go on. */
function passOverUnreadable(error: unknown, call: string, visitor: WalkVisitor): void {
  const failure = toStorageError(error, call);
  if (failure.code !== 'io') throw failure;
  visitor.passOver();
}
