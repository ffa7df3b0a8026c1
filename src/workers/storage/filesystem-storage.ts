/** The store on a local file system: one folder tree, opened once by descriptor and never again by name. */

import { randomBytes } from 'node:crypto';
import { ExpiryRule } from '../../shared/expiry-rule.ts';
import type { DeletedFile, FileKey } from '../../shared/files.ts';
import { OwnerUsage } from '../../shared/owner-usage.ts';
import { PathLocks } from '../../shared/path-locks.ts';
import { RoomLedger } from '../../shared/room-ledger.ts';
import { SecretIds } from '../../shared/secret-ids.ts';
import { SharedCount } from '../../shared/shared-count.ts';
import { SharedFlag } from '../../shared/shared-flag.ts';
import { SteadyClock } from '../../shared/steady-clock.ts';
import { UploadHolders } from '../../shared/upload-holders.ts';
import type { WorkerSettings } from '../../shared/worker-jobs.ts';
import { ClosedSlots } from './closed-slots.ts';
import { deleteContent } from './delete-content.ts';
import { type Folder, openFolders, openRoot } from './folder.ts';
import { FolderSync } from './folder-sync.ts';
import { FreeRoom } from './free-room.ts';
import { claimForOwner, type OwnerClaim } from './owner-quota.ts';
import { RecentFolders } from './recent-folders.ts';
import { refuseWhenTaken } from './slot-check.ts';
import { FileStagedUpload, type UploadPlace } from './staged-upload.ts';
import type { StagingArea } from './staging-area.ts';
import type { NewUpload, OpenFile, StagedUpload, Storage } from './storage.ts';
import { StorageError } from './storage-error.ts';
import { hashOf, locate, STAGING, UPLOADS } from './store-layout.ts';
import { openStoredFile, type StoredContent } from './stored-file.ts';
import { countUploads } from './uploads/counted-uploads.ts';
import { ResumableUploads } from './uploads/resumable-uploads.ts';
import { openVersion } from './versions/file-history.ts';

export class FilesystemStorage implements Storage {
  readonly uploads: ResumableUploads;
  private readonly area: StagingArea;

  /** Expects a store that `prepareStore` has made; `place` is the thread's own number. Errors: store-unavailable, too-many-files, io. */
  constructor(settings: WorkerSettings, place: number) {
    const root = openRoot(settings.storeDir);
    const { durability, minFreeBytes, minFreeInodes, storesDigest } = settings;
    const limits = { minFreeBytes, minFreeInodes };
    const folderSync = new FolderSync(new SharedCount(settings.prunedFolders, 0));
    const clock = new SteadyClock(settings.clockStart);
    const newSuffix = suffixes();
    const secretIds = new SecretIds(settings.secretIds);
    const closedSlots = new ClosedSlots({ root, secretIds, mayExist: new SharedFlag(settings.closedSlots), newSuffix });
    closedSlots.lookForTombstones();
    const room = new FreeRoom(root, limits, new RoomLedger(settings.roomLedger, place));
    this.area = {
      root,
      staging: openOwn(root, STAGING),
      room,
      locks: new PathLocks(settings.pathLocks, place),
      folderSync,
      folders: new RecentFolders(root, folderSync, room),
      durability,
      storesDigest,
      newSuffix,
      closedSlots,
      rule: new ExpiryRule(settings.expiry, clock),
      ownerUsage: new OwnerUsage(settings.ownerUsage),
    };
    this.uploads = this.openUploads(settings, place, clock);
  }

  private openUploads(settings: WorkerSettings, place: number, clock: SteadyClock): ResumableUploads {
    const { root } = this.area;
    const { minFreeBytes, minFreeInodes } = settings;
    return new ResumableUploads({
      staging: this.area,
      folder: openOwn(root, UPLOADS),
      room: new FreeRoom(root, { minFreeBytes, minFreeInodes }, RoomLedger.ofUploads(settings.roomLedger)),
      holders: new UploadHolders(settings.uploadHolders, place),
      counted: countUploads(settings),
      checkpointBytes: settings.checkpointBytes,
      times: settings.uploadTimes,
      clock,
    });
  }

  createUpload(upload: NewUpload): StagedUpload {
    const keyHash = hashOf(upload.key);
    const place = { keyHash, location: locate(upload.key, keyHash) };
    const { isAllHere = false } = upload;
    if (!isAllHere) this.refuseWhenTaken(upload, place);
    try {
      return this.admit(upload, place);
    } catch (error) {
      // A slot that is taken is the better reason: for that the client need not come again.
      if (isAllHere) this.refuseWhenTaken(upload, place);
      throw error;
    }
  }

  /** The commit looks again, and decides: this spares clients the sending of what it would refuse. */
  private refuseWhenTaken({ keepVersions, mayReopen }: NewUpload, { keyHash, location }: UploadPlace): void {
    const { root, closedSlots } = this.area;
    refuseWhenTaken(root, location, keepVersions != null);
    if (mayReopen !== true && closedSlots.isClosed(keyHash)) throw new StorageError('exists', 'slot was used');
  }

  private admit(upload: NewUpload, place: UploadPlace): StagedUpload {
    const claim = claimForOwner(this.area.ownerUsage, upload);
    try {
      return this.stage(upload, { ...place, claim });
    } catch (error) {
      claim.end();
      throw error;
    }
  }

  private stage(upload: NewUpload, place: UploadPlace & { readonly claim: OwnerClaim }): StagedUpload {
    const { room } = this.area;
    room.claim(upload.size);
    try {
      const staged = new FileStagedUpload({ area: this.area, uploads: this.uploads }, upload, place);
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

function openOwn(root: Folder, names: readonly string[]): Folder {
  const folder = openFolders(root, names);
  if (folder === null) throw new StorageError('store-unavailable', `no folder ${names.join('/')}`);
  return folder;
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
