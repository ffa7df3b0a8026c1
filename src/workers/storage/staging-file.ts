/**
 * A file in one of the store's own folders, which no URL reaches: where a content grows until it is whole. It has one
 * owner at a time.
 */

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { Durability } from '../../shared/files.ts';
import type { ContentIdentity } from './content.ts';
import { type Folder, FolderVanished, inside } from './folder.ts';
import { syncContent } from './folder-sync.ts';
import { readAt } from './read-at.ts';
import { attempt, errorNumberOf, StorageError, toLossError, toStorageError } from './storage-error.ts';

const STAGING_MODE = 0o600;
/** The server's umask (0027) takes nothing from it. */
const PUBLIC_MODE = 0o640;
/** Some file systems keep whole seconds, or every other one. */
const MAX_STEP_US = 4_000_000n;
/** Bytes go to the end, wherever that is after what was written was cut off again. */
const OPEN = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW;

export class StagingFile {
  private path: string;
  /** null once closed. */
  private fd: number | null;
  private isPublic: boolean;

  private constructor(path: string, flags: number, isPublic: boolean) {
    this.path = path;
    this.isPublic = isPublic;
    this.fd = attempt('open staging', () => openSync(path, flags, isPublic ? PUBLIC_MODE : STAGING_MODE));
  }

  /**
   * Makes the file; nothing has the name. `isPublic`: with its public mode from the beginning, where its whole content is at
   * hand. Errors: no-space, too-many-files, io.
   */
  static create(folder: Folder, name: string, isPublic = false): StagingFile {
    return new StagingFile(inside(folder, name), OPEN | constants.O_CREAT | constants.O_EXCL, isPublic);
  }

  /** Goes on with one that is there. Errors: store-unavailable when it is not, too-many-files, io. */
  static open(folder: Folder, name: string): StagingFile {
    return new StagingFile(inside(folder, name), OPEN, false);
  }

  append(bytes: Uint8Array): void {
    const fd = this.openFd();
    let done = 0;
    // A write may take less than it was given.
    while (done < bytes.length) {
      const from = done;
      done += attempt('write', () => writeSync(fd, bytes, from, bytes.length - from));
    }
  }

  /** Cuts off what lies beyond. */
  truncate(length: number): void {
    const fd = this.openFd();
    attempt('ftruncate', () => ftruncateSync(fd, length));
  }

  /** Makes what was appended so far as durable as configured; undefined: nothing has to be waited for. */
  sync(durability: Durability): Promise<void> | undefined {
    return durability === 'none' ? undefined : syncContent(this.openFd());
  }

  /** Nothing is appended any more: gives the content its public mode. The next sync covers it. */
  makePublic(): void {
    if (this.isPublic) return;
    const fd = this.openFd();
    attempt('fchmod', () => fchmodSync(fd, PUBLIC_MODE));
    this.isPublic = true;
  }

  /** Changes the name, which may lie in another folder of the store's own. */
  moveTo(folder: Folder, name: string): void {
    const path = inside(folder, name);
    attempt('rename staging', () => renameSync(this.path, path));
    this.path = path;
  }

  /** How many names lead to this content. */
  get nameCount(): number {
    const fd = this.openFd();
    return attempt('fstat', () => fstatSync(fd)).nlink;
  }

  /** True when a name of the folder leads to this content. */
  isNamed(folder: Folder, name: string): boolean {
    const found = attempt('lstat', () => lstatSync(inside(folder, name), { bigint: true, throwIfNoEntry: false }));
    const fd = this.openFd();
    const { ino } = attempt('fstat', () => fstatSync(fd, { bigint: true }));
    return found?.ino === ino;
  }

  identity(): ContentIdentity {
    const fd = this.openFd();
    const { mtimeNs, size } = attempt('fstat', () => fstatSync(fd, { bigint: true }));
    return { mtimeNs, size: Number(size) };
  }

  /** Makes the modification time later than `mtimeNs`, by as little as the file system can; nothing when it is. */
  modifyAfter(mtimeNs: bigint): void {
    const fd = this.openFd();
    for (let stepUs = 1n; this.identity().mtimeNs <= mtimeNs; stepUs *= 2n) {
      if (stepUs > MAX_STEP_US) throw new StorageError('denied', 'modification time cannot be set');
      // Node takes seconds as a floating-point number: what is set may be a little earlier than what was meant.
      const seconds = Number(mtimeNs / 1_000n + stepUs) / 1e6;
      attempt('futimes', () => futimesSync(fd, seconds, seconds));
    }
  }

  /** Fills `target` from `position` and returns how many bytes there were. */
  read(target: Uint8Array, position: number): number {
    return readAt(this.openFd(), target, position);
  }

  /** Takes the place of what is under the name, in one step. Errors: path-conflict, FolderVanished, no-space, io. */
  replace(folder: Folder, name: string): void {
    try {
      renameSync(this.path, inside(folder, name));
    } catch (error) {
      const number = errorNumberOf(error);
      if (number === 'EISDIR') throw new StorageError('path-conflict', 'EISDIR rename', { cause: error });
      if (number === 'ENOENT') throw new FolderVanished('ENOENT rename', { cause: error });
      throw toStorageError(error, 'rename');
    }
  }

  /** Gives the content a second name, where none is. Errors: exists, FolderVanished, no-space, denied, io. */
  link(folder: Folder, name: string): void {
    try {
      linkSync(this.path, inside(folder, name));
    } catch (error) {
      const number = errorNumberOf(error);
      if (number === 'EEXIST') throw new StorageError('exists', 'EEXIST link', { cause: error });
      if (number === 'ENOENT') throw new FolderVanished('ENOENT link', { cause: error });
      throw toStorageError(error, 'link');
    }
  }

  /** An error of `close` may be the first sign of lost bytes: it must fail what has not been published. */
  close(): void {
    const fd = this.fd;
    this.fd = null;
    if (fd === null) return;
    try {
      closeSync(fd);
    } catch (error) {
      throw toLossError(error, 'close');
    }
  }

  /** Closes and removes the name; what is published keeps its own. Never throws. */
  discard(): void {
    try {
      this.close();
    } catch {
      // The content is being thrown away, or is linked and synced already: the error changes nothing.
    }
    removeQuietly(this.path);
  }

  private openFd(): number {
    if (this.fd === null) throw new StorageError('io', 'staging file is closed');
    return this.fd;
  }
}

/** For what recovery finds as well. */
export function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Left for recovery; the outcome is decided by now.
  }
}
