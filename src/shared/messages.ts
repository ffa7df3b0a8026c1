/**
 * Every message that crosses the thread boundary. Main and lane talk over one MessagePort; a transfer is named by a
 * positive integer that main gives out and never uses twice on one lane. Messages of one turn travel together, in their
 * order. ArrayBuffers are moved, never copied: who sends one no longer has it.
 */

import type { VersionRef } from './events.ts';
import type { Durability, FileInfo, FileKey, ReplacedContent } from './files.ts';
import type { SecretKind, SignatureCheck } from './signature.ts';
import type { ClockStart } from './steady-clock.ts';
import type { StorageFailure } from './storage-error.ts';
import type { FileHistory, FromScrub, RestoreOutcome, ScrubProgress } from './store-reports.ts';
import type { SweepPortion } from './sweep-report.ts';

/** What each worker thread is started with (Piscina's `workerData`). */
export interface WorkerSettings {
  readonly storeDir: string;
  readonly durability: Durability;
  /** The SHA-256 of every upload is computed and kept. */
  readonly storesDigest: boolean;
  readonly minFreeBytes: number;
  readonly minFreeInodes: number;
  /** What uploads take of the disk, with a place for each lane; see `room-ledger.ts`. */
  readonly roomLedger: SharedArrayBuffer;
  /** FileTTL, see `expiry-rule.ts`, and the clocks that it counts by. */
  readonly expiry: SharedArrayBuffer;
  readonly clockStart: ClockStart;
  /** How many folders were removed since the start: a `SharedCount` with one place. */
  readonly prunedFolders: SharedArrayBuffer;
  /** Who changes what lies under which path; see `path-locks.ts`. */
  readonly pathLocks: SharedArrayBuffer;
}

/** Secrets that verify signatures: the current one first. */
export type Secrets = readonly [string, ...string[]];

/** The lane's end of the channel: what of a MessagePort a lane needs. */
export interface LanePort {
  postMessage(messages: FromLaneBatch, moved: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (messages: ToLaneBatch) => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** The job that turns a worker thread into a lane. */
export interface LaneJob {
  readonly task: 'lane';
  readonly port: LanePort;
  /** Which place in the room ledger is this lane's, and which holder of path locks it is. */
  readonly place: number;
  readonly secrets: Secrets;
}

/** Makes the store's own folders and checks that the file system can keep the promises. */
export interface PrepareJob {
  readonly task: 'prepare';
}

/** Takes the lock file, for servers that do not see each other's sockets; null when it is ours. */
export interface LockJob {
  readonly task: 'lock';
}

/** Asks who holds the lock file. */
export interface HolderJob {
  readonly task: 'holder';
}

/** Says in the lock file that the holder lives. */
export interface RefreshLockJob {
  readonly task: 'refresh-lock';
}

/** Brings what a crash left in order; runs under the lock on the store, before the port is opened. */
export interface RecoverJob {
  readonly task: 'recover';
}

/** Ends the use of the store; runs after the lanes. */
export interface CloseJob {
  readonly task: 'close';
  readonly identity: StoreIdentity;
}

/** Finds out whether the store can be written, by writing to it. */
export interface ProbeJob {
  readonly task: 'probe';
  readonly identity: StoreIdentity;
}

/** Looks whether StoreDir is still the same folder, and how much room its file system has. */
export interface WatchJob {
  readonly task: 'watch';
  readonly identity: StoreIdentity;
}

/** Tidies the versions of one shard of the store, beside the running lanes. */
export interface TidyVersionsJob {
  readonly task: 'tidy-versions';
  /** The shard that was tidied last; null: begin. */
  readonly after: string | null;
  /** How many versions of a file are kept; null: all. */
  readonly keep: number | null;
}

/** Goes on with a pass over the whole store; a pass that the thread does not know begins. */
export interface SweepJob {
  readonly task: 'sweep';
  readonly pass: number;
  /** How many files there were in the last pass; null: not known. */
  readonly knownFiles: number | null;
  /** The portion takes about so long. */
  readonly budgetMs: number;
}

/** Everything that is done at once; the next job waits for it. */
export type ShortJob =
  | PrepareJob
  | LockJob
  | HolderJob
  | RefreshLockJob
  | RecoverJob
  | CloseJob
  | ProbeJob
  | WatchJob
  | TidyVersionsJob
  | SweepJob;

/** Asks which user StoreDir belongs to. */
export interface OwnerJob {
  readonly task: 'owner';
}

/** Lists the contents of one file. */
export interface HistoryJob {
  readonly task: 'history';
  readonly key: FileKey;
}

/** Makes an old content current again; runs under the lock on the store. */
export interface RestoreJob {
  readonly task: 'restore';
  readonly key: FileKey;
  readonly id: string;
}

/** The end of a channel through which a scrub tells how far it is and what it finds. */
export interface ScrubPort {
  postMessage(message: FromScrub): void;
}

/** Compares all contents with their digests. */
export interface ScrubJob {
  readonly task: 'scrub';
  readonly port: ScrubPort;
}

/** What operators ask for by a command, in a process of its own. */
export type CommandJob = OwnerJob | HistoryJob | RestoreJob | ScrubJob;

export type WorkerJob = LaneJob | ShortJob | CommandJob;

/** Identifies what was opened at the start, so that two servers never share a store and none is mixed up. Decimal texts. */
export interface StoreIdentity {
  readonly device: string;
  readonly inode: string;
  readonly stagingInode: string;
}

/** What recovery found and removed. */
export interface RecoveryReport {
  /** The last stop was a clean one: there was nothing to look for. */
  readonly wasClean: boolean;
  readonly removedStagingFiles: number;
  /** Records of contents that no file has. */
  readonly removedRecords: number;
}

/** Room for files, in bytes; `freeBytes` is what this process may use. */
export interface StoreSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What was tidied. */
export interface TidiedShard {
  /** null: there are no more. */
  readonly shard: string | null;
  readonly removed: readonly VersionRef[];
}

/** What each job yields. */
export interface JobResults {
  readonly prepare: StoreIdentity;
  /** Who holds it; null: it is ours. */
  readonly lock: string | null;
  /** null: nobody that can be seen. */
  readonly holder: string | null;
  readonly 'refresh-lock': null;
  readonly recover: RecoveryReport;
  readonly close: null;
  readonly probe: null;
  readonly watch: StoreSpace;
  readonly 'tidy-versions': TidiedShard;
  /** Numeric user id. */
  readonly owner: number;
  readonly history: FileHistory;
  readonly restore: RestoreOutcome;
  readonly scrub: ScrubProgress;
  readonly sweep: SweepPortion;
}

/** Errors cross the thread boundary as data. */
export type WorkerAnswer =
  | { readonly isDone: true; readonly value: unknown }
  | { readonly isDone: false; readonly failure: StorageFailure };

/** A run of body bytes in a moved buffer. */
export interface BodyPiece {
  readonly buffer: ArrayBuffer;
  /** How many bytes of the buffer count, from its start. */
  readonly length: number;
  /** True for the piece that ends the body. */
  readonly isLast: boolean;
}

/** An upload whose signature verified. */
export interface VerifiedUpload {
  /** First 12 hex digits of the SHA-256 of the path: joins log lines, opens nothing. */
  readonly fileId: string;
  readonly secret: SecretKind;
}

export type ToLane =
  | { readonly type: 'secrets'; readonly secrets: Secrets }
  | {
      readonly type: 'upload.open';
      readonly transfer: number;
      readonly key: FileKey;
      /** The signed size in bytes: the body must have exactly this length. */
      readonly size: number;
      /** An existing file is replaced, and so many of its old contents are kept; null: the slot must be free. */
      readonly keepVersions: number | null;
      readonly signature: SignatureCheck;
      /** The first body bytes when they came with the head; null: they follow. */
      readonly piece: BodyPiece | null;
    }
  | { readonly type: 'upload.data'; readonly transfer: number; readonly piece: BodyPiece }
  | { readonly type: 'upload.abort'; readonly transfer: number }
  | {
      readonly type: 'download.open';
      readonly transfer: number;
      readonly key: FileKey;
      /** Where the wanted bytes probably begin; the answer carries bytes from there. */
      readonly offset: number;
      /** Filled from `offset`; null: only the FileInfo is wanted, nothing is kept open. */
      readonly buffer: ArrayBuffer | null;
    }
  | {
      readonly type: 'download.read';
      readonly transfer: number;
      readonly offset: number;
      /** At most this many bytes, and at most what the buffer holds. */
      readonly length: number;
      readonly buffer: ArrayBuffer;
    }
  | { readonly type: 'download.close'; readonly transfer: number };

export type ToLaneBatch = readonly ToLane[];

export type FromLane =
  /** The bytes of one piece are written; the buffer comes back. */
  | { readonly type: 'upload.written'; readonly transfer: number; readonly buffer: ArrayBuffer }
  /** The signature verified and the body is being received. Not sent for a body that came whole with its head. */
  | {
      readonly type: 'upload.accepted';
      readonly transfer: number;
      readonly verified: VerifiedUpload;
      readonly buffer: null;
    }
  /** Committed as durable as configured. No message about the transfer follows. */
  | {
      readonly type: 'upload.stored';
      readonly transfer: number;
      readonly file: FileInfo;
      /** What the file took the place of. */
      readonly replaced: ReplacedContent | null;
      readonly verified: VerifiedUpload;
      /** The buffer of the last piece. */
      readonly buffer: ArrayBuffer;
    }
  /** Refused or failed, nothing is left. Pieces that still arrive come back as `buffer.returned`. */
  | {
      readonly type: 'upload.failed';
      readonly transfer: number;
      readonly failure: StorageFailure;
      /** null: the signature did not verify. */
      readonly verified: VerifiedUpload | null;
      readonly buffer: ArrayBuffer | null;
    }
  | {
      readonly type: 'download.opened';
      readonly transfer: number;
      readonly file: FileInfo;
      readonly fileId: string;
      /** When the file expires, in milliseconds since the epoch; null: never. */
      readonly expiresMs: number | null;
      readonly buffer: ArrayBuffer | null;
      /** Bytes in the buffer, read from the `offset` of the request. */
      readonly length: number;
      /** False: the whole file is in the buffer, or no bytes were asked for, and the lane keeps nothing. */
      readonly isOpen: boolean;
    }
  | {
      readonly type: 'download.bytes';
      readonly transfer: number;
      readonly offset: number;
      readonly buffer: ArrayBuffer;
      readonly length: number;
    }
  /** The file is not there, or reading failed; the lane keeps nothing. */
  | {
      readonly type: 'download.failed';
      readonly transfer: number;
      readonly failure: StorageFailure;
      readonly buffer: ArrayBuffer | null;
    }
  /** A buffer whose transfer is over. */
  | { readonly type: 'buffer.returned'; readonly buffer: ArrayBuffer };

export type FromLaneBatch = readonly FromLane[];
