/**
 * Uploads that can be gone on with, in `.hfs/uploads`. One slot has one of them: a new creation takes the place of the old
 * one, whoever works on it. Who holds an upload may take the lock of its path, never the other way round.
 */

import type { FileKey } from '../../../shared/files.ts';
import type { Holding } from '../../../shared/upload-holders.ts';
import type { Committed } from '../committed.ts';
import { refuseWhenTaken } from '../slot-check.ts';
import { StagingFile } from '../staging-file.ts';
import { StorageError } from '../storage-error.ts';
import { hashOf, locate } from '../store-layout.ts';
import { appendParts } from './append-parts.ts';
import { completeUpload, wantedDigests } from './complete-upload.ts';
import { HeldUpload } from './held-upload.ts';
import { isUnfinished } from './remove-upload.ts';
import type { UploadArea } from './upload-area.ts';
import { UploadError } from './upload-error.ts';
import { dataFileName, hasData, isUploadId, pointSlot, readLink, slotLink, takePartPlace } from './upload-names.ts';
import { readUploadRecord, reservedBytes, type UploadRecord, uploadExpiresMs } from './upload-record.ts';
import type { Created, CreationOptions, NewResumable, UploadStore } from './upload-store.ts';

/** A cut upload is gone on with by PUT with Content-Range, and its body carried no words. */
const AS_PARTIAL_PUT = {
  protocol: 'range',
  metadata: null,
  concatenation: 'none',
  concatText: null,
  digests: [],
} as const;

export class ResumableUploads implements UploadStore {
  private readonly area: UploadArea;

  constructor(area: UploadArea) {
    this.area = area;
  }

  look(id: string): UploadRecord | null {
    return isUploadId(id) ? readUploadRecord(this.area.folder, id) : null;
  }

  lookAtSlot(key: FileKey): UploadRecord | null {
    const id = readLink(this.area.folder, slotLink(hashOf(key)));
    return id === null ? null : this.look(id);
  }

  isFinished(record: UploadRecord): boolean {
    return record.phase === 'whole' && !hasData(this.area.folder, record.id);
  }

  expiresMs(record: UploadRecord): number {
    return uploadExpiresMs(record, isUnfinished(this.area.folder, record), this.area.times);
  }

  isExpired(record: UploadRecord): boolean {
    return this.area.clock.nowMs() >= this.expiresMs(record);
  }

  refuseTaken(key: FileKey, mayReplace: boolean): void {
    const { root, closedSlots } = this.area.staging;
    const keyHash = hashOf(key);
    refuseWhenTaken(root, locate(key, keyHash), mayReplace);
    if (closedSlots.isClosed(keyHash)) throw new StorageError('exists', 'slot was used');
  }

  holdSlot(key: FileKey): Holding | null {
    return this.area.holders.tryTake(hashOf(key));
  }

  async awaitSlot(key: FileKey, isGivenUp: () => boolean): Promise<boolean> {
    const holding = await this.area.holders.take(hashOf(key), isGivenUp);
    holding?.release();
    return holding !== null;
  }

  async take(id: string, isGivenUp: () => boolean): Promise<HeldUpload | null> {
    const holding = await this.area.holders.take(id, isGivenUp);
    if (holding === null) return null;
    try {
      const record = this.look(id);
      if (record === null) throw new UploadError('upload-unknown', 'gone meanwhile');
      return new HeldUpload(this.area, record, holding);
    } catch (error) {
      holding.release();
      throw error;
    }
  }

  async create(order: NewResumable, { mayReplace, isGivenUp }: CreationOptions): Promise<Created | null> {
    const { area } = this;
    this.refuseTaken(order.key, mayReplace);
    const record = this.newRecord(order, 0);
    area.counted.admit(record, this.formerOf(record));
    const file = this.makeData(record);
    const held = new HeldUpload(area, record, await this.holdNew(order.id), file);
    held.digestFromStart(wantedDigests(area, record));
    return await this.enter(held, { mayDisplace: () => true, isGivenUp });
  }

  /**
   * Makes an upload of a plain one that was cut, unless one of another protocol has the slot: null, as when nothing can be
   * kept. What it is promised is no longer promised to the staging file. Errors: exists, path-conflict, no-space, io.
   */
  async keep({ file, writtenBytes, ...order }: CutUpload, mayReplace: boolean): Promise<Created | null> {
    const { area } = this;
    this.refuseTaken(order.key, mayReplace);
    await file.sync(area.staging.durability);
    const record = this.newRecord({ ...order, ...AS_PARTIAL_PUT }, writtenBytes);
    area.counted.keep(record);
    try {
      file.moveTo(area.folder, dataFileName(order.id));
    } catch (error) {
      area.counted.end(record);
      throw error;
    }
    area.counted.grow(writtenBytes);
    area.room.adopt(reservedBytes(record) - writtenBytes);
    const held = new HeldUpload(area, record, await this.holdNew(order.id), file);
    const isOurs = (former: UploadRecord): boolean => former.protocol === 'range' || !isUnfinished(area.folder, former);
    return await this.enter(held, { mayDisplace: isOurs, isGivenUp: () => false });
  }

  appendParts(held: HeldUpload, parts: readonly UploadRecord[], isGivenUp: () => boolean): Promise<void> {
    return appendParts(this.area, held, { parts, isGivenUp });
  }

  complete(held: HeldUpload, keepVersions: number | null): Promise<Committed> {
    return completeUpload(this.area, held, keepVersions);
  }

  private newRecord(order: NewResumable, offset: number): UploadRecord {
    const nowMs = this.area.clock.nowMs();
    const { key: path, ...said } = order;
    const times = { createdMs: nowMs, endsMs: nowMs + this.area.times.lifeMs, touchedMs: nowMs };
    return { ...said, path, link: slotLink(hashOf(path)), phase: 'open', offset, ...times };
  }

  /** The unfinished upload whose place a new one will take; null: there is none. */
  private formerOf({ path, concatenation }: UploadRecord): UploadRecord | null {
    const former = concatenation === 'partial' ? null : this.lookAtSlot(path);
    return former !== null && isUnfinished(this.area.folder, former) ? former : null;
  }

  /** Of one that is counted; when it fails it is no longer. */
  private makeData(record: UploadRecord): StagingFile {
    const { counted, room, folder } = this.area;
    const reserved = reservedBytes(record);
    try {
      room.claim(reserved);
    } catch (error) {
      counted.end(record);
      throw error;
    }
    try {
      const file = StagingFile.create(folder, dataFileName(record.id));
      room.useFile();
      return file;
    } catch (error) {
      room.takeBack(reserved);
      counted.end(record);
      throw error;
    }
  }

  /** Nobody else knows the id. */
  private async holdNew(id: string): Promise<Holding> {
    const holding = await this.area.holders.take(id, () => false);
    if (holding === null) throw new Error('never given up');
    return holding;
  }

  /** Gives a new upload its record and its slot; when that fails, or may not be, nothing is left of it. */
  private async enter(held: HeldUpload, terms: Terms): Promise<Created | null> {
    try {
      const occupied = await this.occupy(held, terms);
      if (occupied !== null) return { held, displaced: occupied.displaced };
      await held.discard();
    } catch (error) {
      await held.discard().catch(() => {});
      await held.release();
      throw error;
    }
    await held.release();
    return null;
  }

  private async occupy(held: HeldUpload, terms: Terms): Promise<Pick<Created, 'displaced'> | null> {
    const { area } = this;
    const { id, path, concatenation } = held.record;
    const keyHash = hashOf(path);
    if (concatenation === 'partial') {
      await held.enter(takePartPlace(area.folder, keyHash, id));
      return { displaced: null };
    }
    await held.enter(slotLink(keyHash));
    for (;;) {
      const former = await this.takeFormer(keyHash, terms);
      if (former === null) return null;
      const isPointed = await this.point(keyHash, id, former);
      const displaced = isPointed ? await this.replace(former) : null;
      former.holding?.release();
      if (isPointed) return { displaced };
    }
  }

  /** What occupies the slot, held, so that nobody else goes on with it. null: it may not be displaced, or given up. */
  private async takeFormer(keyHash: string, { mayDisplace, isGivenUp }: Terms): Promise<Former | null> {
    const id = readLink(this.area.folder, slotLink(keyHash));
    if (id === null) return { id, holding: null, record: null };
    const holding = await this.area.holders.take(id, isGivenUp);
    if (holding === null) return null;
    try {
      const record = this.look(id);
      if (record === null || mayDisplace(record)) return { id, holding, record };
    } catch (error) {
      holding.release();
      throw error;
    }
    holding.release();
    return null;
  }

  /** False when the slot has changed hands since it was looked at. */
  private async point(keyHash: string, id: string, former: Former): Promise<boolean> {
    const { folder, staging } = this.area;
    const release = await staging.locks.acquire(keyHash);
    try {
      if (readLink(folder, slotLink(keyHash)) !== former.id) return false;
      pointSlot(folder, keyHash, id);
      return true;
    } catch (error) {
      former.holding?.release();
      throw error;
    } finally {
      release();
    }
  }

  /** The one that had the slot is no more. Returns what it was; null: there was none, or it was over. */
  private async replace({ record, holding }: Former): Promise<UploadRecord | null> {
    if (record === null || holding === null || !isUnfinished(this.area.folder, record)) return null;
    const held = new HeldUpload(this.area, record, holding);
    try {
      await held.retire('replaced');
    } catch {
      // No room for the memory of it: then it is unknown.
      await held.discard().catch(() => {});
    }
    return record;
  }
}

/** A plain upload that was cut. */
export interface CutUpload extends Omit<NewResumable, keyof typeof AS_PARTIAL_PUT> {
  readonly file: StagingFile;
  readonly writtenBytes: number;
}

interface Terms {
  readonly mayDisplace: (former: UploadRecord) => boolean;
  readonly isGivenUp: () => boolean;
}

/** What a slot leads to. */
interface Former {
  readonly id: string | null;
  readonly holding: Holding | null;
  readonly record: UploadRecord | null;
}
