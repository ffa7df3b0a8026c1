/**
 * What is known of an upload that can be gone on with, beside its bytes. It is never changed in place: a whole new one
 * takes the place of the old one in one step, so that a crash leaves the one or the other.
 */

import { closeSync, constants, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import type { Durability, FileKey } from '../../../shared/files.ts';
import type { ExpectedDigest, ResumableProtocol } from '../../../shared/resumable.ts';
import type { SignedTerms } from '../../../shared/signature.ts';
import type { UploadTimes } from '../../../shared/worker-jobs.ts';
import { decodeChecked, encodeChecked } from '../checked-json.ts';
import { type Folder, inside } from '../folder.ts';
import { syncContent } from '../folder-sync.ts';
import { removeQuietly } from '../staging-file.ts';
import { attempt, errorNumberOf, toStorageError } from '../storage-error.ts';
import { draftName, recordFileName } from './upload-names.ts';

const RECORD_MODE = 0o600;
const WRITE_DRAFT = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
/** What this version writes. */
const FORMAT = 1;

export interface UploadRecord {
  readonly id: string;
  readonly path: FileKey;
  /** Name of the link in the folder of uploads by which it occupies its slot, or one of the places for parts. */
  readonly link: string;
  readonly protocol: ResumableProtocol;
  /**
   * `open`: it grows. `whole`: all of it has arrived, and the file is committed as soon as the bytes are not here any more.
   * `replaced`: another one has its slot. `refused`: its slot has another content, for ever.
   */
  readonly phase: 'open' | 'whole' | 'replaced' | 'refused';
  /** So many bytes count: they are as durable as configured. What lies beyond is cut off. */
  readonly offset: number;
  /** Of the finished upload; null: not known yet. */
  readonly length: number | null;
  readonly maxLength: number | null;
  readonly signedLength: number | null;
  /** Media type to keep with the content; null: the one that the extension gives. */
  readonly type: string | null;
  readonly metadata: string | null;
  readonly concatenation: 'none' | 'partial' | 'final';
  readonly concatText: string | null;
  /** Over the whole content. */
  readonly digests: readonly ExpectedDigest[];
  /** Kept with the content. */
  readonly terms: SignedTerms;
  readonly createdMs: number;
  /** When it is given up at the latest. */
  readonly endsMs: number;
  /** When its last byte came, or when it was replaced or refused. */
  readonly touchedMs: number;
}

/** null: there is none, or none that can be read. Errors: io. */
export function readUploadRecord(folder: Folder, id: string): UploadRecord | null {
  const body = decodeChecked(readText(inside(folder, recordFileName(id))));
  if (body === null || !('v' in body) || body.v !== FORMAT) return null;
  const { v: _, ...record } = body;
  // Its checksum proves that this server wrote it; a swapped file must not lend its words to another id.
  return 'id' in record && record.id === id ? (record as UploadRecord) : null;
}

export interface RecordWriting {
  readonly durability: Durability;
  /** What must be durable before the record says so; runs beside the writing of it. */
  readonly before?: () => Promise<void>;
}

/** Durable when the folder is synced after it; with `none` atomic only. Errors: no-space, io. */
export async function writeUploadRecord(
  folder: Folder,
  record: UploadRecord,
  { durability, before = async () => {} }: RecordWriting,
): Promise<void> {
  const draft = inside(folder, draftName(recordFileName(record.id)));
  const fd = writeDraft(draft, record);
  try {
    try {
      const synced = durability === 'none' ? Promise.resolve() : syncContent(fd);
      const results = await Promise.allSettled([before(), synced]);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    } finally {
      closeSync(fd);
    }
    attempt('rename upload record', () => renameSync(draft, inside(folder, recordFileName(record.id))));
  } catch (error) {
    removeQuietly(draft);
    throw error;
  }
}

/** So many bytes of room an upload is promised. */
export function reservedBytes({ length, signedLength, maxLength }: Omit<UploadRecord, 'offset'>): number {
  return length ?? signedLength ?? maxLength ?? 0;
}

/** When it is given up if it is unfinished; when it is forgotten otherwise. */
export function uploadExpiresMs(record: UploadRecord, isUnfinished: boolean, times: UploadTimes): number {
  if (!isUnfinished) return record.touchedMs + times.memoryMs;
  return Math.min(record.touchedMs + times.idleMs, record.endsMs);
}

/** True when nothing is missing but the commit. The parts of a concatenation have none. */
export function isDue({ concatenation, phase, protocol, offset, length }: UploadRecord): boolean {
  if (concatenation === 'partial') return false;
  // IETF: complete is what the client says is complete, not what has its length (Upload Append).
  return phase === 'whole' || (phase === 'open' && protocol !== 'ietf' && offset === length);
}

/** True of a part that may be concatenated. */
export function isFinishedPart({ concatenation, phase, offset, length }: UploadRecord): boolean {
  return concatenation === 'partial' && phase === 'open' && offset === length;
}

function writeDraft(path: string, record: UploadRecord): number {
  const bytes = Buffer.from(encodeChecked({ v: FORMAT, ...record }));
  const fd = attempt('open upload record', () => openSync(path, WRITE_DRAFT, RECORD_MODE));
  try {
    let written = 0;
    while (written < bytes.length) {
      const from = written;
      written += attempt('write upload record', () => writeSync(fd, bytes, from));
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    removeQuietly(path);
    throw error;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const number = errorNumberOf(error);
    if (number === 'ENOENT' || number === 'ELOOP') return '';
    throw toStorageError(error, 'read upload record');
  }
}
