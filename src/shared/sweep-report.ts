/** What a pass over the whole store tells, portion by portion. Plain data: it crosses the thread boundary. */

import type { ResumableProtocol } from './resumable.ts';

/** A file that was removed because its time was over. */
export interface ExpiredFile {
  readonly fileId: string;
  readonly sizeBytes: number;
}

/** An upload that was given up because its time was over. */
export interface ExpiredUpload {
  readonly uploadId: string;
  readonly fileId: string;
  readonly protocol: ResumableProtocol;
  readonly offsetBytes: number;
}

/** Figures of a pass over the store. */
export interface SweepTotals {
  /** It removes nothing by FileTTL: the operator is to hear first what the next one will. */
  readonly isAnnouncing: boolean;
  /** Stored files that were seen, those that were removed included. */
  readonly files: number;
  readonly bytes: number;
  /** Older than FileTTL. */
  readonly expiredFiles: number;
  readonly expiredBytes: number;
  readonly removedFiles: number;
  readonly removedBytes: number;
  readonly prunedFolders: number;
  /** Records, versions, staging files, tombstones and parts of uploads that belonged to nothing. */
  readonly leftovers: number;
  /** Paths without a file whose slot stays closed. */
  readonly tombstones: number;
  /** Folders that were not looked into: too deep, or not permitted. */
  readonly passedOver: number;
}

export interface SweepPortion {
  readonly isDone: boolean;
  /** False also when it is done: FileTTL has changed, and a new pass is due. */
  readonly isComplete: boolean;
  /** Removed in this portion. */
  readonly expired: readonly ExpiredFile[];
  readonly expiredUploads: readonly ExpiredUpload[];
  /** Of the whole pass so far. */
  readonly totals: SweepTotals;
}
