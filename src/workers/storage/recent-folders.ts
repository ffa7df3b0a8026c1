/**
 * Folders that were walked to lately, still open: most files lie where others were a moment ago, and the walk component
 * by component is most of the cost of opening one. A folder that is gone shows itself and is walked to anew; one that
 * somebody renamed by hand may still be used for a second, as if it had been renamed a second later.
 */

import {
  closeAll,
  type EntryRoom,
  type Folder,
  type FolderFinder,
  FolderVanished,
  findFolders,
  useFolders,
  type WayFolder,
} from './folder.ts';
import type { FolderSync } from './folder-sync.ts';

const MAX_AGE_MS = 1_000;
/** Bounds the descriptors that are kept: however deep the paths are that an issuer signs. */
const MAX_FOLDERS = 128;

/** The folders from the first below the root down, open until the way is given back. */
export interface Way {
  readonly folders: readonly WayFolder[];
}

class KnownWay implements Way {
  readonly name: string;
  readonly folders: readonly WayFolder[];
  private readonly walkedMs = performance.now();
  private users = 0;
  private isForgotten = false;

  constructor(name: string, folders: readonly WayFolder[]) {
    this.name = name;
    this.folders = folders;
  }

  get isFresh(): boolean {
    return performance.now() - this.walkedMs < MAX_AGE_MS;
  }

  borrow(): this {
    this.users += 1;
    return this;
  }

  giveBack(): void {
    this.users -= 1;
    this.closeIfUnused();
  }

  forget(): void {
    this.isForgotten = true;
    this.closeIfUnused();
  }

  private closeIfUnused(): void {
    if (this.isForgotten && this.users === 0) closeAll(this.folders);
  }
}

export class RecentFolders implements FolderFinder {
  private readonly root: Folder;
  private readonly folderSync: FolderSync;
  private readonly room: EntryRoom;
  /** Oldest walk first. */
  private readonly ways = new Map<string, KnownWay>();
  /** In all of the ways. */
  private foldersKept = 0;

  /** `room`: for the folders that are missing. */
  constructor(root: Folder, folderSync: FolderSync, room: EntryRoom) {
    this.root = root;
    this.folderSync = folderSync;
    this.room = room;
  }

  /**
   * Uses the last of the folders for a new entry, making those that are missing. Returns the whole way, which the caller
   * gives back. Errors: as `useFolders`.
   */
  use(names: readonly string[], use: (folder: Folder) => void): Way {
    const known = this.known(names);
    if (known !== null && this.triedIn(known, use)) return known.borrow();
    const { way } = useFolders(this.root, names, use, this.room);
    // What this name once stood for may have been durable; the new folder is not.
    for (const folder of way) if (folder.isNew) this.folderSync.forget(folder);
    return this.keep(names, way);
  }

  look<T>(names: readonly string[], look: (folder: Folder) => T | null): T | null {
    const known = this.known(names);
    const seen = known === null ? null : look(known.folders.at(-1) ?? this.root);
    if (seen !== null) return seen;
    if (known !== null) this.forget(known);
    const found = findFolders(this.root, names);
    if (found === null) return null;
    const way = this.keep(names, found);
    try {
      return look(way.folders.at(-1) ?? this.root);
    } finally {
      way.giveBack();
    }
  }

  giveBack(way: Way): void {
    if (way instanceof KnownWay) way.giveBack();
  }

  /** False when the folder was removed after it was walked to. */
  private triedIn(known: KnownWay, use: (folder: Folder) => void): boolean {
    try {
      use(known.folders.at(-1) ?? this.root);
      return true;
    } catch (error) {
      if (!(error instanceof FolderVanished)) throw error;
      this.forget(known);
      return false;
    }
  }

  private known(names: readonly string[]): KnownWay | null {
    const way = this.ways.get(names.join('/'));
    if (way === undefined) return null;
    if (way.isFresh) return way;
    this.forget(way);
    return null;
  }

  /** The caller gives the way back. */
  private keep(names: readonly string[], folders: readonly WayFolder[]): KnownWay {
    const way = new KnownWay(
      names.join('/'),
      folders.map((folder) => ({ ...folder, isNew: false })),
    ).borrow();
    this.ways.set(way.name, way);
    this.foldersKept += folders.length;
    for (const [, oldest] of this.ways) {
      if (this.foldersKept <= MAX_FOLDERS && oldest.isFresh) break;
      this.forget(oldest);
    }
    return way;
  }

  private forget(way: KnownWay): void {
    this.ways.delete(way.name);
    this.foldersKept -= way.folders.length;
    way.forget();
  }
}
