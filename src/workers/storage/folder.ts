/**
 * Folders by descriptor. Each component of a path is opened without following links, relative to the folder before it,
 * so that no swapped or linked folder ever leads out of the store. Node has no openat: `/proc/self/fd/N/name` is it.
 */

import { closeSync, constants, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { attempt, errorNumberOf, StorageError, toStorageError } from './storage-error.ts';

const FOLDER_MODE = 0o750;
/** So often in a row a folder may be removed under the hands of an upload: somebody may be at it all the time. */
const MAX_ATTEMPTS = 64;
/** How the removal of a folder that is to stay fails. */
const STAYS: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'EBUSY', 'EACCES', 'EPERM']);
const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** An open folder. `path` names it for diagnosis and for sharing syncs; it is never opened by that name. */
export interface Folder {
  readonly fd: number;
  readonly path: string;
}

/** A folder on the way to a new file. `isNew`: made by this very walk, so its entry is not durable yet. */
export interface WayFolder extends Folder {
  readonly isNew: boolean;
}

/** Makes what takes an inode, or throws when there is no room for it. */
export interface EntryRoom {
  makeEntry<T>(make: () => T): T;
}

/** For what must be written down however little room is left. */
const unlimited: EntryRoom = { makeEntry: (make) => make() };

/** A folder was removed between its opening and its use: empty ones are, and the next attempt makes it anew. */
export class FolderVanished extends StorageError {
  constructor(detail: string, options?: ErrorOptions) {
    super('store-unavailable', detail, options);
  }
}

/** A name inside an open folder, usable with every `node:fs` function. */
export function inside(folder: Folder, name: string): string {
  return `/proc/self/fd/${folder.fd}/${name}`;
}

export function openRoot(storeDir: string): Folder {
  const fd = attempt('open StoreDir', () => openSync(storeDir, constants.O_RDONLY | constants.O_DIRECTORY));
  return { fd, path: '' };
}

export function closeFolder(folder: Folder): void {
  closeSync(folder.fd);
}

/** Opens a sub-folder; null when there is none. A file or a link of that name is a `path-conflict`. */
function openChild(parent: Folder, name: string): Folder | null {
  try {
    return { fd: openSync(inside(parent, name), OPEN_FOLDER), path: `${parent.path}/${name}` };
  } catch (error) {
    const number = errorNumberOf(error);
    if (number === 'ENOENT') return null;
    if (number === 'ENOTDIR' || number === 'ELOOP') throw new StorageError('path-conflict', `${number} open folder`);
    throw toStorageError(error, 'open folder');
  }
}

/** Makes the sub-folder if it is not there, and opens it. */
function makeChild(parent: Folder, name: string): WayFolder {
  let isNew = true;
  try {
    mkdirSync(inside(parent, name), FOLDER_MODE);
  } catch (error) {
    const number = errorNumberOf(error);
    if (number === 'ENOENT') throw new FolderVanished('ENOENT mkdir');
    // Somebody else made it in the meantime: as good as ours.
    if (number !== 'EEXIST') throw toStorageError(error, 'mkdir');
    isNew = false;
  }
  const child = openChild(parent, name);
  if (child === null) throw new FolderVanished('ENOENT open new folder');
  return { ...child, isNew };
}

/** Walks down and returns the last folder, open; null when one is missing. The caller closes it. */
export function openFolders(root: Folder, names: readonly string[]): Folder | null {
  let folder: Folder = root;
  for (const name of names) {
    const next = closingAfter(root, folder, () => openChild(folder, name));
    if (next === null) return null;
    folder = next;
  }
  return folder;
}

/** Finds folders below the root of the store. */
export interface FolderFinder {
  /** Looks for something in the last of the folders; null when it is not there, or they are not. Errors: path-conflict, io. */
  look<T>(names: readonly string[], look: (folder: Folder) => T | null): T | null;
}

/** Finds folders by walking to them each time. */
export function walkingFrom(root: Folder): FolderFinder {
  return {
    look: (names, look) => {
      const folder = openFolders(root, names);
      return folder === null ? null : closingAfter(root, folder, () => look(folder));
    },
  };
}

/** Walks down and returns every folder of the way, open, for `closeAll`; null when one is missing. */
export function findFolders(root: Folder, names: readonly string[]): WayFolder[] | null {
  const way: WayFolder[] = [];
  try {
    for (const name of names) {
      const found = openChild(way.at(-1) ?? root, name);
      if (found === null) {
        closeAll(way);
        return null;
      }
      way.push({ ...found, isNew: false });
    }
    return way;
  } catch (error) {
    closeAll(way);
    throw error;
  }
}

/**
 * Walks down, making what is missing. Returns every folder of the way, open, the first below `root` first: the caller
 * syncs and closes them with `closeAll`.
 */
export function makeFolders(root: Folder, names: readonly string[], room = unlimited): WayFolder[] {
  const way: WayFolder[] = [];
  try {
    let parent = root;
    for (const name of names) {
      const found = openChild(parent, name);
      const makeMissing = (): WayFolder => room.makeEntry(() => makeChild(parent, name));
      const folder = found === null ? makeMissing() : { ...found, isNew: false };
      way.push(folder);
      parent = folder;
    }
    return way;
  } catch (error) {
    closeAll(way);
    throw error;
  }
}

/**
 * Makes the folders and uses the last of them for a new entry, again when one was removed in between. Returns the whole
 * way, open, with what `use` returned. When it still vanishes the store itself is gone: store-unavailable.
 */
export function useFolders<T>(
  root: Folder,
  names: readonly string[],
  use: (folder: Folder) => T,
  room = unlimited,
): { readonly way: readonly WayFolder[]; readonly result: T } {
  for (let attempts = 1; ; attempts += 1) {
    let way: readonly WayFolder[] = [];
    try {
      way = makeFolders(root, names, room);
      return { way, result: use(way.at(-1) ?? root) };
    } catch (error) {
      closeAll(way);
      if (!(error instanceof FolderVanished) || attempts === MAX_ATTEMPTS) throw error;
    }
  }
}

/** Removes a folder by its path below an open one. False: it stays, because it is not empty, in use or not ours. */
export function removeIfEmpty(folder: Folder, path: string): boolean {
  try {
    rmdirSync(inside(folder, path));
    return true;
  } catch (error) {
    const number = errorNumberOf(error);
    if (number === 'ENOENT') return true;
    if (number !== null && STAYS.has(number)) return false;
    throw toStorageError(error, 'rmdir');
  }
}

export function closeAll(folders: readonly Folder[]): void {
  for (const folder of folders) closeFolder(folder);
}

function closingAfter<T>(root: Folder, folder: Folder, run: () => T): T {
  try {
    return run();
  } finally {
    if (folder !== root) closeFolder(folder);
  }
}
