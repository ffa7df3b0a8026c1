/**
 * A file in the staging folder, which no URL reaches: where a content grows until it is whole. It has one owner, who
 * removes the name in any case.
 */

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  futimesSync,
  linkSync,
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
const PUBLIC_MODE = 0o640;
/** Some file systems keep whole seconds, or every other one. */
const MAX_STEP_US = 4_000_000n;
const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export class StagingFile {
  private readonly path: string;
  /** null once closed. */
  private fd: number | null;

  /** Makes the file. Errors: no-space, too-many-files, io. */
  constructor(staging: Folder, name: string) {
    this.path = inside(staging, name);
    this.fd = attempt('open staging', () => openSync(this.path, CREATE, STAGING_MODE));
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

  /** Nothing is appended any more: gives the content its public mode and makes it as durable as configured. */
  async settle(durability: Durability): Promise<void> {
    const fd = this.openFd();
    attempt('fchmod', () => fchmodSync(fd, PUBLIC_MODE));
    if (durability !== 'none') await syncContent(fd);
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
