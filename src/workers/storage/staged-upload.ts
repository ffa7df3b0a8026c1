/**
 * An upload on its way into the store: bytes go to a staging file that no URL reaches, and the content appears under
 * its key in one step. The order of the steps is the promise: content durable, then visible, then its name durable,
 * then acknowledged.
 */

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  futimesSync,
  linkSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { Durability, FileInfo, FileKey } from '../../shared/files.ts';
import { closeAll, type Folder, inside, makeFolders, type WayFolder } from './folder.ts';
import { type FolderSync, syncContent } from './folder-sync.ts';
import type { FreeRoom } from './free-room.ts';
import { createRecord, recordName, removeRecord } from './record.ts';
import type { NewUpload, StagedUpload } from './storage.ts';
import { attempt, errorNumberOf, StorageError, toStorageError } from './storage-error.ts';
import { type Location, recordFolders } from './store-layout.ts';

const STAGING_MODE = 0o600;
const PUBLIC_MODE = 0o640;

/** What every staged upload of a lane shares. */
export interface StagingArea {
  readonly root: Folder;
  readonly staging: Folder;
  readonly room: FreeRoom;
  readonly folderSync: FolderSync;
  readonly durability: Durability;
  /** Text that no other staging file of this store has in its name. */
  readonly newSuffix: () => string;
}

/** Where the content will lie; worked out once for each upload. */
export interface UploadPlace {
  readonly keyHash: string;
  readonly location: Location;
}

/** Identity of a content after its last change; what validators and record names are made of. */
interface Content {
  readonly mtimeNs: bigint;
  readonly size: number;
}

export function validatorOf(content: Content): string {
  return `${content.mtimeNs.toString(16)}-${content.size.toString(16)}`;
}

export class FileStagedUpload implements StagedUpload {
  private readonly area: StagingArea;
  private readonly key: FileKey;
  private readonly size: number;
  private readonly type: string | null;
  private readonly hash: string;
  private readonly location: Location;
  private readonly stagingName: string;
  /** null once closed. */
  private fd: number | null;
  private written = 0;

  constructor(area: StagingArea, upload: NewUpload, place: UploadPlace) {
    this.area = area;
    this.key = upload.key;
    this.size = upload.size;
    this.type = upload.type;
    this.hash = place.keyHash;
    this.location = place.location;
    this.stagingName = `${this.hash.slice(0, 16)}.${area.newSuffix()}`;
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    this.fd = attempt('open staging', () => openSync(inside(area.staging, this.stagingName), flags, STAGING_MODE));
  }

  get writtenBytes(): number {
    return this.written;
  }

  write(bytes: Uint8Array): void {
    const fd = this.openFd();
    if (this.written + bytes.length > this.size) throw new StorageError('size-mismatch', 'more bytes than signed');
    let done = 0;
    // A write may take less than it was given.
    while (done < bytes.length) {
      const from = done;
      done += attempt('write', () => writeSync(fd, bytes, from, bytes.length - from));
    }
    this.written += bytes.length;
    this.area.room.keep(bytes.length);
  }

  async commit(): Promise<FileInfo> {
    try {
      await this.settleContent();
      const needsRecord = this.type !== null || this.location.isLongName;
      const forget = needsRecord ? await this.writeRecord() : () => {};
      const content = this.contentNow();
      attempt('close', () => this.closeContent());
      await this.publish(forget);
      return {
        size: content.size,
        modifiedMs: Number(content.mtimeNs / 1_000_000n),
        validator: validatorOf(content),
        type: this.type,
      };
    } finally {
      this.discard();
    }
  }

  discard(): void {
    try {
      this.closeContent();
    } catch {
      // The content is being thrown away, or is linked and synced already: the error changes nothing.
    }
    this.area.room.release(this.size - this.written);
    removeQuietly(inside(this.area.staging, this.stagingName));
  }

  /** Steps 2 and 3: the right number of bytes, durable. */
  private async settleContent(): Promise<void> {
    const fd = this.openFd();
    if (this.written !== this.size) throw new StorageError('size-mismatch', 'fewer bytes than signed');
    attempt('fchmod', () => fchmodSync(fd, PUBLIC_MODE));
    if (this.area.durability !== 'none') await syncContent(fd);
  }

  /** What the content is called by validators and records, read back after its last change. */
  private contentNow(): Content {
    const fd = this.openFd();
    const { mtimeNs, size } = attempt('fstat', () => fstatSync(fd, { bigint: true }));
    return { mtimeNs, size: Number(size) };
  }

  /**
   * Step 4: what the file cannot say of itself is durable before the content is visible. Returns how to take the record
   * back should the content never become visible.
   */
  private async writeRecord(): Promise<() => void> {
    const way = makeFolders(this.area.root, recordFolders(this.hash));
    try {
      const folder = way.at(-1) ?? this.area.root;
      const { fd, name } = this.createRecord(folder);
      try {
        await this.syncRecord(fd, way);
      } catch (error) {
        removeRecord(folder, name);
        throw error;
      }
      return () => removeQuietly(inside(this.area.root, [...recordFolders(this.hash), name].join('/')));
    } finally {
      closeAll(way);
    }
  }

  private async syncRecord(fd: number, way: readonly WayFolder[]): Promise<void> {
    try {
      if (this.area.durability !== 'none') await syncContent(fd);
    } finally {
      closeSync(fd);
    }
    await this.syncWay(way);
  }

  private createRecord(folder: Folder): { fd: number; name: string } {
    const record = { path: this.key, type: this.type };
    for (;;) {
      const { mtimeNs, size } = this.contentNow();
      const name = recordName(mtimeNs, size);
      const fd = createRecord(folder, name, record);
      if (fd !== null) return { fd, name };
      // The name belongs to another content of the same nanosecond and size: move ours.
      const now = Date.now() / 1000;
      attempt('futimes', () => futimesSync(this.openFd(), now, now));
    }
  }

  /**
   * Step 5: visible in one step, and only where nothing was; then the name is made durable. `forget` takes back what
   * would be left of a content that never became visible; once it is visible nothing is rolled back.
   */
  private async publish(forget: () => void): Promise<void> {
    const way = this.linked(forget);
    try {
      await this.syncWay(way);
    } finally {
      closeAll(way);
    }
  }

  private linked(forget: () => void): readonly WayFolder[] {
    let way: readonly WayFolder[] = [];
    try {
      way = makeFolders(this.area.root, this.location.folders);
      this.link(way.at(-1) ?? this.area.root, this.location.name);
      return way;
    } catch (error) {
      closeAll(way);
      forget();
      throw error;
    }
  }

  private link(folder: Folder, name: string): void {
    try {
      linkSync(inside(this.area.staging, this.stagingName), inside(folder, name));
    } catch (error) {
      const number = errorNumberOf(error);
      if (number === 'EEXIST') throw new StorageError('exists', 'EEXIST link', { cause: error });
      // The folder was removed after it was opened.
      if (number === 'ENOENT') throw new StorageError('path-conflict', 'ENOENT link', { cause: error });
      throw toStorageError(error, 'link');
    }
  }

  /** Makes the new entry in the last folder durable, and the entries of all folders of the way that may not be. */
  private async syncWay(way: readonly WayFolder[]): Promise<void> {
    const { root, folderSync, durability } = this.area;
    if (durability !== 'full') return;
    const uncertain = way.filter((folder) => folder.isNew || !folderSync.isKnownDurable(folder));
    const parents = uncertain.map((folder) => way[way.indexOf(folder) - 1] ?? root);
    await Promise.all([way.at(-1) ?? root, ...parents].map((folder) => folderSync.sync(folder)));
    for (const folder of uncertain) folderSync.markDurable(folder);
  }

  private openFd(): number {
    if (this.fd === null) throw new StorageError('io', 'staging file is closed');
    return this.fd;
  }

  private closeContent(): void {
    const fd = this.fd;
    this.fd = null;
    if (fd !== null) closeSync(fd);
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Left for recovery; the outcome of the upload is decided by now.
  }
}
