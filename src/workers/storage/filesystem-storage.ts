/** The store on a local file system: one folder tree, opened once by descriptor and never again by name. */

import { randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { ExpiryRule } from '../../shared/expiry-rule.ts';
import type { DeletedFile, FileKey } from '../../shared/files.ts';
import { OwnerUsage } from '../../shared/owner-usage.ts';
import { PathLocks } from '../../shared/path-locks.ts';
import { RoomLedger } from '../../shared/room-ledger.ts';
import { SecretIds } from '../../shared/secret-ids.ts';
import { SharedCount } from '../../shared/shared-count.ts';
import { SharedFlag } from '../../shared/shared-flag.ts';
import { SteadyClock } from '../../shared/steady-clock.ts';
import type { WorkerSettings } from '../../shared/worker-jobs.ts';
import { ClosedSlots } from './closed-slots.ts';
import { deleteContent } from './delete-content.ts';
import { openVersion } from './file-history.ts';
import { closeFolder, type Folder, inside, openFolders, openRoot } from './folder.ts';
import { FolderSync } from './folder-sync.ts';
import { FreeRoom } from './free-room.ts';
import { claimForOwner, type OwnerClaim } from './owner-quota.ts';
import { RecentFolders } from './recent-folders.ts';
import { FileStagedUpload, type UploadPlace } from './staged-upload.ts';
import type { StagingArea } from './staging-area.ts';
import type { NewUpload, OpenFile, StagedUpload, Storage } from './storage.ts';
import { errorNumberOf, StorageError, toStorageError } from './storage-error.ts';
import { hashOf, type Location, locate, STAGING } from './store-layout.ts';
import { openStoredFile, type StoredContent } from './stored-file.ts';

/** Such a body has mostly arrived with its head: whether its slot is closed is left to the commit. */
const SMALL_BYTES = 64 * 1024;

export class FilesystemStorage implements Storage {
  private readonly area: StagingArea;

  /** Expects a store that `prepareStore` has made; `place` is the thread's own number. Errors: store-unavailable, too-many-files, io. */
  constructor(settings: WorkerSettings, place: number) {
    const root = openRoot(settings.storeDir);
    const staging = openFolders(root, STAGING);
    if (staging === null) throw new StorageError('store-unavailable', 'no staging folder');
    const { durability, minFreeBytes, minFreeInodes, storesDigest } = settings;
    const ledger = new RoomLedger(settings.roomLedger, place);
    const room = new FreeRoom(root, { minFreeBytes, minFreeInodes }, ledger);
    const locks = new PathLocks(settings.pathLocks, place);
    const folderSync = new FolderSync(new SharedCount(settings.prunedFolders, 0));
    const folders = new RecentFolders(root, folderSync);
    const newSuffix = suffixes();
    const secretIds = new SecretIds(settings.secretIds);
    const closedSlots = new ClosedSlots({ root, secretIds, mayExist: new SharedFlag(settings.closedSlots), newSuffix });
    closedSlots.lookForTombstones();
    const rule = new ExpiryRule(settings.expiry, new SteadyClock(settings.clockStart));
    const ownerUsage = new OwnerUsage(settings.ownerUsage);
    const shared = { locks, closedSlots, rule, ownerUsage };
    this.area = { root, staging, room, folderSync, folders, durability, storesDigest, newSuffix, ...shared };
  }

  createUpload(upload: NewUpload): StagedUpload {
    const keyHash = hashOf(upload.key);
    const location = locate(upload.key, keyHash);
    refuseWhenTaken(this.area.root, location, upload.keepVersions != null);
    const isLookedAtNow = upload.size > SMALL_BYTES && upload.mayReopen !== true;
    if (isLookedAtNow && this.area.closedSlots.isClosed(keyHash)) {
      throw new StorageError('exists', 'slot was used');
    }
    const claim = claimForOwner(this.area.ownerUsage, upload);
    try {
      return this.stage(upload, { keyHash, location, claim });
    } catch (error) {
      claim.end();
      throw error;
    }
  }

  private stage(upload: NewUpload, place: UploadPlace & { readonly claim: OwnerClaim }): StagedUpload {
    const { room } = this.area;
    room.claim(upload.size);
    try {
      const staged = new FileStagedUpload(this.area, upload, place);
      room.useFile();
      return staged;
    } catch (error) {
      room.takeBack(upload.size);
      throw error;
    }
  }

  openFile(key: FileKey): OpenFile {
    return openStoredFile(this.area, key, this.area.rule);
  }

  deleteFile(key: FileKey): Promise<DeletedFile | null> {
    return deleteContent(this.area, key);
  }

  /** An old content; null when there is none of that id. The caller closes its descriptor. Errors: too-many-files, io. */
  openVersion(key: FileKey, id: string): StoredContent | null {
    return openVersion(this.area.root, key, id);
  }
}

/** Random once for each thread, counted from there. */
function suffixes(): () => string {
  const prefix = randomBytes(8).toString('hex');
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}${count.toString(16).padStart(16, '0')}`;
  };
}

/** What the commit will refuse is refused before its body is received; the commit decides for good. */
function refuseWhenTaken(root: Folder, { folders, name }: Location, mayReplace: boolean): void {
  try {
    const found = lstatSync(inside(root, [...folders, name].join('/')), { throwIfNoEntry: false });
    // What lies behind a link is not ours, and nobody learns of it: the commit refuses the link itself.
    if (found === undefined || isBehindLink(root, folders)) return;
    if (!found.isFile()) throw new StorageError('path-conflict', 'no file');
    if (!mayReplace) throw new StorageError('exists', 'name is taken');
  } catch (error) {
    const number = errorNumberOf(error);
    if (number === 'ENOTDIR' || number === 'ELOOP') throw new StorageError('path-conflict', `${number} lstat`);
    throw toStorageError(error, 'lstat');
  }
}

function isBehindLink(root: Folder, folders: readonly string[]): boolean {
  try {
    const folder = openFolders(root, folders);
    if (folder !== null && folder !== root) closeFolder(folder);
    return false;
  } catch (error) {
    if (error instanceof StorageError && error.code === 'path-conflict') return true;
    throw error;
  }
}
