/**
 * The unfinished uploads as they are counted, from the creation of each to its end: how many, the bytes that they hold, and
 * what their owners were promised for them. Uploads beside each other can therefore not exceed a quota together.
 */

import { type OwnerId, OwnerUsage } from '../../../shared/owner-usage.ts';
import { UnfinishedUploads } from '../../../shared/unfinished-uploads.ts';
import type { WorkerSettings } from '../../../shared/worker-jobs.ts';
import { ownerOf } from '../owner-quota.ts';
import { StorageError } from '../storage-error.ts';
import { UploadError } from './upload-error.ts';
import { reservedBytes, type UploadRecord } from './upload-record.ts';

/** The memory in which they are counted, and how many there may be. */
export type CountSettings = Pick<
  WorkerSettings,
  'unfinishedUploads' | 'ownerUsage' | 'maxOpenUploads' | 'maxOpenUploadsPerOwner'
>;

/** The counts as this thread sees them. */
export function countUploads(settings: CountSettings): CountedUploads {
  return new CountedUploads({
    unfinished: new UnfinishedUploads(settings.unfinishedUploads),
    ownerUsage: new OwnerUsage(settings.ownerUsage),
    maxOpen: settings.maxOpenUploads,
    maxOpenPerOwner: settings.maxOpenUploadsPerOwner,
  });
}

interface CountedUploadsParts {
  readonly unfinished: UnfinishedUploads;
  readonly ownerUsage: OwnerUsage;
  readonly maxOpen: number;
  readonly maxOpenPerOwner: number;
}

export class CountedUploads {
  private readonly unfinished: UnfinishedUploads;
  private readonly ownerUsage: OwnerUsage;
  private readonly maxOpen: number;
  private readonly maxOpenPerOwner: number;

  constructor({ unfinished, ownerUsage, maxOpen, maxOpenPerOwner }: CountedUploadsParts) {
    this.unfinished = unfinished;
    this.ownerUsage = ownerUsage;
    this.maxOpen = maxOpen;
    this.maxOpenPerOwner = maxOpenPerOwner;
  }

  /** A new one. What the one whose place it takes was promised is as good as free. Errors: too-many-uploads, over-quota. */
  admit(record: UploadRecord, former: UploadRecord | null): void {
    const owner = ownerOfUpload(record);
    this.count(owner);
    if (owner === null) return;
    const givenBack = former !== null && ownerOfUpload(former) === owner ? promisedToOwner(former) : 0;
    const wanted = reservedBytes(record);
    if (!this.ownerUsage.promise(owner, wanted, givenBack)) {
      this.uncount(owner);
      throw new StorageError('over-quota', 'OwnerQuota');
    }
    this.ownerUsage.endPromise(owner, wanted - promisedToOwner(record));
  }

  /** One whose owner was promised the same before. Errors: too-many-uploads. */
  keep(record: UploadRecord): void {
    this.count(ownerOfUpload(record));
    this.adopt(record, promisedToOwner(record));
  }

  /** One that is there since before the start. */
  restore(record: UploadRecord): void {
    const owner = ownerOfUpload(record);
    this.unfinished.begin();
    if (owner !== null) this.ownerUsage.beginUpload(owner);
    this.adopt(record, promisedToOwner(record));
  }

  /** Its length becomes known. Errors: over-quota; then it stays as it was. */
  resize(before: UploadRecord, after: UploadRecord): void {
    const owner = ownerOfUpload(before);
    const more = promisedToOwner(after) - promisedToOwner(before);
    if (owner === null || more === 0) return;
    if (more < 0) this.ownerUsage.endPromise(owner, -more);
    else if (!this.ownerUsage.promise(owner, more)) throw new StorageError('over-quota', 'OwnerQuota');
  }

  /** It could not be written down. */
  undoResize(before: UploadRecord, after: UploadRecord): void {
    this.adopt(before, promisedToOwner(before) - promisedToOwner(after));
  }

  /** So many bytes more, or less, lie in its file. */
  grow(bytes: number): void {
    this.unfinished.grow(bytes);
  }

  /** It is committed, or no more, and its bytes were taken off before. */
  end(record: UploadRecord): void {
    const owner = ownerOfUpload(record);
    this.uncount(owner);
    if (owner !== null) this.ownerUsage.endPromise(owner, promisedToOwner(record));
  }

  /** Errors: too-many-uploads. */
  private count(owner: OwnerId | null): void {
    // Counted before it is looked at: others may be let in at the same moment.
    const count = this.unfinished.begin();
    const ofOwner = owner === null ? 0 : this.ownerUsage.beginUpload(owner);
    if (count <= this.maxOpen && ofOwner <= this.maxOpenPerOwner) return;
    this.uncount(owner);
    throw new UploadError('too-many-uploads', count > this.maxOpen ? 'MaxOpenUploads' : 'MaxOpenUploadsPerOwner');
  }

  private uncount(owner: OwnerId | null): void {
    this.unfinished.end();
    if (owner !== null) this.ownerUsage.endUpload(owner);
  }

  private adopt(record: UploadRecord, bytes: number): void {
    const owner = ownerOfUpload(record);
    if (owner !== null) this.ownerUsage.adoptPromise(owner, bytes);
  }
}

function ownerOfUpload({ path, terms }: UploadRecord): OwnerId | null {
  return ownerOf(path, terms.owner);
}

/** A part is promised nothing: the file that it becomes a part of is. */
function promisedToOwner(record: UploadRecord): number {
  return record.concatenation === 'partial' ? 0 : reservedBytes(record);
}
