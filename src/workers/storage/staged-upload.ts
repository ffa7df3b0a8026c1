/**
 * An upload on its way into the store: counts what arrives into a staging file, and hands the whole over to be
 * published, or leaves nothing.
 */

import { createHash, type Hash } from 'node:crypto';
import type { SignedTerms } from '../../shared/signature.ts';
import { publishNew } from './commit.ts';
import type { Committed } from './committed.ts';
import type { OwnerClaim } from './owner-quota.ts';
import { publishReplacing } from './replace-content.ts';
import type { SettledContent } from './settled-content.ts';
import type { StagingArea } from './staging-area.ts';
import { StagingFile } from './staging-file.ts';
import type { NewUpload, StagedUpload } from './storage.ts';
import { StorageError } from './storage-error.ts';
import { type Location, stagingName } from './store-layout.ts';
import type { ResumableUploads } from './uploads/resumable-uploads.ts';
import { UploadError } from './uploads/upload-error.ts';
import type { Created } from './uploads/upload-store.ts';

/** Where the content will lie; worked out once for each upload. */
export interface UploadPlace {
  readonly keyHash: string;
  readonly location: Location;
}

export interface StagedUploadParts {
  readonly area: StagingArea;
  /** Where what arrived is kept when it is cut. */
  readonly uploads: ResumableUploads;
}

export class FileStagedUpload implements StagedUpload {
  private readonly area: StagingArea;
  private readonly uploads: ResumableUploads;
  private readonly upload: NewUpload;
  private readonly place: UploadPlace;
  private readonly file: StagingFile;
  private readonly claim: OwnerClaim;
  private readonly digest: Hash | null;
  private written = 0;

  /** `claim` is the room that the owner was promised. */
  constructor(parts: StagedUploadParts, upload: NewUpload, place: UploadPlace & { readonly claim: OwnerClaim }) {
    const { area, uploads } = parts;
    this.area = area;
    this.uploads = uploads;
    this.upload = upload;
    const { claim, ...where } = place;
    this.place = where;
    this.claim = claim;
    this.digest = area.storesDigest ? createHash('sha256') : null;
    const name = stagingName(place.keyHash, area.newSuffix());
    this.file = StagingFile.create(area.staging, name, upload.isAllHere === true);
  }

  get writtenBytes(): number {
    return this.written;
  }

  write(bytes: Uint8Array): void {
    if (this.written + bytes.length > this.upload.size) {
      throw new StorageError('size-mismatch', 'more bytes than signed');
    }
    this.file.append(bytes);
    this.digest?.update(bytes);
    this.written += bytes.length;
    this.area.room.keep(bytes.length);
  }

  async commit(): Promise<Committed> {
    const { area, file, place, upload } = this;
    try {
      if (this.written !== upload.size) throw new StorageError('size-mismatch', 'fewer bytes than signed');
      file.makePublic();
      await file.sync(area.durability);
      const sha256 = this.digest?.digest('hex') ?? null;
      const { key, type, keepVersions = null, mayReopen = false } = upload;
      const { terms } = this;
      const content: SettledContent = { file, key, size: this.written, type, sha256, terms, mayReopen, ...place };
      const committed = await (keepVersions === null
        ? publishNew(area, content)
        : publishReplacing(area, content, keepVersions));
      this.claim.stored(committed);
      return committed;
    } finally {
      this.discard();
    }
  }

  async keep(id: string): Promise<Created | null> {
    const { upload, file, uploads, written } = this;
    const { key, size, type, keepVersions = null } = upload;
    try {
      const lengths = { length: size, maxLength: size, signedLength: size };
      const cut = { id, key, type, ...lengths, terms: this.terms, file, writtenBytes: written };
      const kept = written === 0 ? null : await uploads.keep(cut, keepVersions !== null);
      if (kept === null) this.file.discard();
      return kept;
    } catch (error) {
      this.file.discard();
      if (error instanceof UploadError) return null;
      throw error;
    } finally {
      this.releaseRoom();
    }
  }

  discard(): void {
    this.releaseRoom();
    this.file.discard();
  }

  private get terms(): SignedTerms {
    const { usableUntilMs = null, expiresAtMs = null, owner = null } = this.upload;
    return { usableUntilMs, expiresAtMs, owner };
  }

  /** What it was promised and has not used. */
  private releaseRoom(): void {
    this.claim.end();
    this.area.room.release(this.upload.size - this.written);
  }
}
