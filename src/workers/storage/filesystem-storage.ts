/** The store on a local file system: one folder tree, opened once by descriptor and never again by name. */

import { lstatSync, statfsSync } from 'node:fs';
import type { FileKey } from '../../shared/files.ts';
import type { WorkerSettings } from '../../shared/messages.ts';
import { type Folder, inside, openFolders, openRoot } from './folder.ts';
import { FolderSync } from './folder-sync.ts';
import { FileStagedUpload, type StagingArea } from './staged-upload.ts';
import type { NewUpload, OpenFile, StagedUpload, Storage } from './storage.ts';
import { attempt, errorNumberOf, StorageError, toStorageError } from './storage-error.ts';
import { hashOf, locate, STAGING } from './store-layout.ts';
import { openStoredFile } from './stored-file.ts';

export class FilesystemStorage implements Storage {
  private readonly area: StagingArea;
  private readonly minFreeBytes: number;
  private readonly minFreeInodes: number;

  /** Expects a store that `prepareStore` has made. Errors: store-unavailable, too-many-files, io. */
  constructor(settings: WorkerSettings) {
    const root = openRoot(settings.storeDir);
    const staging = openFolders(root, STAGING);
    if (staging === null) throw new StorageError('store-unavailable', 'no staging folder');
    this.area = { root, staging, folderSync: new FolderSync(), durability: settings.durability };
    this.minFreeBytes = settings.minFreeBytes;
    this.minFreeInodes = settings.minFreeInodes;
  }

  createUpload(upload: NewUpload): StagedUpload {
    this.refuseWhenFull(upload.size + upload.reservedBytes);
    refuseWhenTaken(this.area.root, upload.key);
    return new FileStagedUpload(this.area, upload);
  }

  openFile(key: FileKey): OpenFile {
    return openStoredFile(this.area.root, key);
  }

  /** Step 0: refuse before a byte is received what could not be kept. */
  private refuseWhenFull(neededBytes: number): void {
    const { bavail, bsize, files, ffree } = attempt('statfs', () => statfsSync(inside(this.area.root, '.')));
    if (bavail * bsize - neededBytes < this.minFreeBytes) {
      throw new StorageError('no-space', 'less than MinFreeSpace would remain');
    }
    // File systems without a fixed number of inodes report none in total.
    if (files > 0 && ffree <= this.minFreeInodes) {
      throw new StorageError('no-space', 'less than MinFreeInodes would remain');
    }
  }
}

/** A used slot is refused before its body is received; the commit decides for good. */
function refuseWhenTaken(root: Folder, key: FileKey): void {
  const { folders, name } = locate(key, hashOf(key));
  try {
    const found = lstatSync(inside(root, [...folders, name].join('/')), { throwIfNoEntry: false });
    if (found === undefined) return;
    throw found.isFile() ? new StorageError('exists', 'name is taken') : new StorageError('path-conflict', 'no file');
  } catch (error) {
    const number = errorNumberOf(error);
    if (number === 'ENOTDIR' || number === 'ELOOP') throw new StorageError('path-conflict', `${number} lstat`);
    throw toStorageError(error, 'lstat');
  }
}
