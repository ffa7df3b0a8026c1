/**
 * An upload that this thread holds: nobody else touches it until it is released. Bytes are written as they come, and count
 * once a record says so, which it says only of bytes that are as durable as configured. While bytes come that happens
 * beside the writing; before anybody is told an offset it is waited for.
 */

import type { Holding } from '../../../shared/upload-holders.ts';
import { ContentDigests, type DigestAlgorithm } from '../content-digests.ts';
import { inside } from '../folder.ts';
import { removeQuietly, StagingFile } from '../staging-file.ts';
import { StorageError } from '../storage-error.ts';
import { bytesOf, syncUploads, type UploadArea } from './upload-area.ts';
import { dataFileName, hasData, recordFileName, removeLink, unlinkIfThere } from './upload-names.ts';
import { reservedBytes, type UploadRecord, writeUploadRecord } from './upload-record.ts';

/** Writing waits while the file system commits: a checkpoint takes a tenth of the time at most. */
const REST_PER_CHECKPOINT = 9;
/** On a slow disk a crash must not cost more than what came in this time. */
const MAX_REST_MS = 5_000;

export class HeldUpload {
  private readonly area: UploadArea;
  private readonly holding: Holding;
  private current: UploadRecord;
  /** Opened when it is needed, closed by `release`. */
  private file: StagingFile | null;
  /** Bytes in the file. */
  private written: number;
  /** Room that it was promised and has not used; counts while the file is open. */
  private promised: number;
  /** Of all bytes, as long as they pass through here from the first on. */
  private digests: ContentDigests | null = null;
  /** What is being made durable beside the writing; never rejects. */
  private checkpoint: Promise<void> | null = null;
  /** Why that, or `settle`, failed: bytes may be lost, and no later sync would say so. */
  private loss: { readonly error: unknown } | null = null;
  private restsUntilMs = 0;
  private isHeldBack = false;
  private isGone = false;

  /** `file`: the bytes, where they are open already. */
  constructor(area: UploadArea, record: UploadRecord, holding: Holding, file: StagingFile | null = null) {
    this.area = area;
    this.holding = holding;
    this.current = record;
    this.file = file;
    this.written = file?.identity().size ?? record.offset;
    this.promised = file === null ? 0 : Math.max(0, reservedBytes(record) - this.written);
  }

  get record(): UploadRecord {
    return this.current;
  }

  get writtenBytes(): number {
    return this.written;
  }

  /** Its bytes were thrown away: it is discarded, or no longer what has its slot. */
  get isOver(): boolean {
    return this.isGone;
  }

  /** The file was committed, and only the memory of the upload is left. */
  get isFinished(): boolean {
    return this.current.phase === 'whole' && !hasData(this.area.folder, this.current.id);
  }

  /** Calls back when somebody else wants to go on with it; never after `release`. */
  onWanted(callback: () => void): void {
    this.holding.onWanted(callback);
  }

  /** Nothing that is written from now on counts before `settle`: it may have to be taken back. */
  holdBack(): void {
    this.isHeldBack = true;
  }

  /** Of an upload without a byte: its digests are computed while they come. */
  digestFromStart(algorithms: readonly DigestAlgorithm[]): void {
    if (algorithms.length > 0) this.digests = new ContentDigests(algorithms);
  }

  /** Of all bytes; null: some of them have not passed through here. */
  get digestResults(): ReadonlyMap<DigestAlgorithm, Buffer> | null {
    return this.digests?.results() ?? null;
  }

  /** Writes the first record, which says by which link the upload has its place. Errors: no-space, io. */
  async enter(link: string): Promise<void> {
    this.current = { ...this.current, link };
    await writeUploadRecord(this.area.folder, this.current, { durability: this.area.staging.durability });
  }

  /** Appends. Errors: no-space, too-large, io; then what was written before is still there. */
  write(bytes: Uint8Array): void {
    if (this.loss !== null) throw this.loss.error;
    const file = this.data();
    try {
      file.append(bytes);
    } catch (error) {
      // A part of them may have been taken.
      file.truncate(this.written);
      throw error;
    }
    this.digests?.update(bytes);
    this.written += bytes.length;
    this.area.counted.grow(bytes.length);
    const used = Math.min(bytes.length, this.promised);
    this.promised -= used;
    this.area.room.keep(used);
    if (this.isCheckpointDue) this.startCheckpoint();
  }

  /** Takes back everything that does not count. */
  async rewind(): Promise<void> {
    await this.checkpoint;
    const { offset } = this.current;
    if (this.written === offset) return;
    this.data().truncate(offset);
    this.takenBack(this.written - offset);
    this.written = offset;
    this.digests = null;
    this.isHeldBack = false;
  }

  /**
   * Everything that was written counts, as durable as configured. When it fails, so does every later attempt: a second sync
   * of what the kernel could not write would succeed and mean nothing. Errors: over-quota (of a length that becomes known),
   * no-space, io.
   */
  async settle(changes: Partial<Pick<UploadRecord, 'length' | 'phase'>> = {}): Promise<void> {
    await this.checkpoint;
    if (this.loss !== null) throw this.loss.error;
    const before = this.current;
    const after = { ...before, ...changes };
    if (changes.length !== undefined) this.data();
    this.area.counted.resize(before, after);
    try {
      await this.settleOnce(changes);
    } catch (error) {
      this.area.counted.undoResize(before, after);
      this.loss = { error };
      throw error;
    }
    this.giveBackRoom(reservedBytes(before) - reservedBytes(this.current));
  }

  /** The bytes, open. Errors: too-many-files, io. */
  data(): StagingFile {
    if (this.file !== null) return this.file;
    const { folder } = this.area;
    const { offset, phase } = this.current;
    const file = StagingFile.open(folder, dataFileName(this.current.id));
    this.file = file;
    const { size } = file.identity();
    if (size < offset) throw new StorageError('io', 'upload is shorter than its record says');
    this.promised = Math.max(0, reservedBytes(this.current) - size);
    if (size > offset && phase === 'open') {
      if (file.nameCount > 1) throw new StorageError('io', 'upload has been published already');
      // Came after the last record, before a crash.
      file.truncate(offset);
      this.takenBack(size - offset);
    }
    return file;
  }

  /**
   * The file is committed: the bytes have their name, and only the memory of the upload stays. Never throws: where they keep
   * the old name as well, the next request or start removes it.
   */
  finish(): void {
    const { room, counted, folder } = this.area;
    this.close();
    removeQuietly(inside(folder, dataFileName(this.current.id)));
    room.release(this.promised);
    this.promised = 0;
    if (hasData(folder, this.current.id)) return;
    counted.grow(-this.written);
    counted.end(this.current);
  }

  /** Its slot is another's; the bytes go. Errors: no-space, io. */
  async retire(phase: 'replaced' | 'refused'): Promise<void> {
    const { area } = this;
    await this.checkpoint;
    const record = { ...this.current, phase, touchedMs: area.clock.nowMs() };
    await writeUploadRecord(area.folder, record, { durability: 'none' });
    this.current = record;
    this.finishWithout();
  }

  /** Nothing is left of it, and nothing is remembered. */
  async discard(): Promise<void> {
    const { area } = this;
    const { id, link } = this.current;
    await this.checkpoint;
    // The record first: a whole one without bytes would say that the file was committed.
    unlinkIfThere(area.folder, recordFileName(id));
    this.finishWithout();
    removeLink(area.folder, link, id);
    await syncUploads(area);
  }

  /** Somebody else may have it. Never throws. */
  async release(): Promise<void> {
    await this.checkpoint;
    this.close();
    this.holding.release();
  }

  private async settleOnce(changes: Partial<Pick<UploadRecord, 'length' | 'phase'>>): Promise<void> {
    const hasGrown = this.written > this.current.offset;
    if (hasGrown || Object.keys(changes).length > 0) {
      await this.store({ ...this.next(hasGrown || changes.phase !== undefined), ...changes });
    }
    await syncUploads(this.area);
  }

  private finishWithout(): void {
    const { folder } = this.area;
    this.isGone = true;
    const { held, promised } = bytesOf(folder, this.current);
    if (this.file === null) this.promised = promised;
    this.close();
    unlinkIfThere(folder, dataFileName(this.current.id));
    this.endPromises(held);
  }

  private endPromises(heldBytes: number): void {
    const { room, counted } = this.area;
    room.release(this.promised);
    this.promised = 0;
    counted.grow(-heldBytes);
    counted.end(this.current);
  }

  /** So many bytes were cut off, and are promised again. */
  private takenBack(bytes: number): void {
    const { room, counted } = this.area;
    room.adopt(bytes);
    this.promised += bytes;
    counted.grow(-bytes);
  }

  private giveBackRoom(bytes: number): void {
    const released = Math.min(Math.max(0, bytes), this.promised);
    this.promised -= released;
    this.area.room.release(released);
  }

  private close(): void {
    try {
      this.file?.close();
    } catch {
      // What counts was synced before, or the content has its name by now.
    }
    this.file = null;
  }

  private get isCheckpointDue(): boolean {
    if (this.isHeldBack || this.checkpoint !== null || this.written === this.current.length) return false;
    if (this.written - this.current.offset < this.area.checkpointBytes) return false;
    return performance.now() >= this.restsUntilMs;
  }

  private startCheckpoint(): void {
    const startedMs = performance.now();
    this.checkpoint = this.store(this.next(true)).then(
      () => this.endCheckpoint(startedMs, null),
      (error: unknown) => this.endCheckpoint(startedMs, { error }),
    );
  }

  private endCheckpoint(startedMs: number, loss: { readonly error: unknown } | null): void {
    const nowMs = performance.now();
    this.restsUntilMs = nowMs + Math.min(MAX_REST_MS, REST_PER_CHECKPOINT * (nowMs - startedMs));
    this.checkpoint = null;
    this.loss = loss;
  }

  /** The record of what is written now. */
  private next(isTouched: boolean): UploadRecord {
    const touchedMs = isTouched ? this.area.clock.nowMs() : this.current.touchedMs;
    return { ...this.current, offset: this.written, touchedMs };
  }

  private async store(record: UploadRecord): Promise<void> {
    const { durability } = this.area.staging;
    const { file } = this;
    const hasGrown = record.offset > this.current.offset;
    const before = async (): Promise<void> => {
      if (hasGrown || record.phase === 'whole') await file?.sync(durability);
    };
    await writeUploadRecord(this.area.folder, record, { durability, before });
    this.current = record;
  }
}
