/**
 * The jobs of the pool: what each of them is given, and what it yields. All but lanes are done at once and answered once;
 * what a lane says and hears stands in `messages.ts`.
 */

import type { VersionRef } from './events.ts';
import type { Durability, FileKey } from './files.ts';
import type { Secrets } from './messages.ts';
import type { PackedPort } from './packed-messages.ts';
import type { ClockStart } from './steady-clock.ts';
import type { StorageFailure } from './storage-error.ts';
import type { FileHistory, FromScrub, RestoreOutcome, ScrubProgress } from './store-reports.ts';
import type { SweepPortion } from './sweep-report.ts';

/** How long uploads are kept that can be gone on with. In milliseconds. */
export interface UploadTimes {
  /** An unfinished one, after its last byte. */
  readonly idleMs: number;
  /** An unfinished one, after its creation. */
  readonly lifeMs: number;
  /** What is known of one that is finished or was replaced, after that. */
  readonly memoryMs: number;
}

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
  /** So many bytes of an upload that can be gone on with are made durable at a time. */
  readonly checkpointBytes: number;
  /** Unfinished uploads above which none is begun that can be gone on with. */
  readonly maxOpenUploads: number;
  /** The same for each uploader that is known. */
  readonly maxOpenUploadsPerOwner: number;
  /** How many there are, and what they hold; see `unfinished-uploads.ts`. */
  readonly unfinishedUploads: SharedArrayBuffer;
  /** Who works on which upload that can be gone on with; see `upload-holders.ts`. */
  readonly uploadHolders: SharedArrayBuffer;
  readonly uploadTimes: UploadTimes;
  /** FileTTL, see `expiry-rule.ts`, and the clocks that it counts by. */
  readonly expiry: SharedArrayBuffer;
  readonly clockStart: ClockStart;
  /** How many folders were removed since the start: a `SharedCount` with one place. */
  readonly prunedFolders: SharedArrayBuffer;
  /** Who changes what lies under which path; see `path-locks.ts`. */
  readonly pathLocks: SharedArrayBuffer;
  /** Which secrets are in use; see `secret-ids.ts`. */
  readonly secretIds: SharedArrayBuffer;
  /** Whether there may be tombstones: a `SharedFlag`. */
  readonly closedSlots: SharedArrayBuffer;
  /** What each uploader has in the store, and OwnerQuota; see `owner-usage.ts`. */
  readonly ownerUsage: SharedArrayBuffer;
}

/** The job that turns a worker thread into a lane. */
export interface LaneJob {
  readonly task: 'lane';
  readonly port: PackedPort;
  /** Which place in the room ledger is this lane's, and which holder of path locks it is. */
  readonly place: number;
  readonly secrets: Secrets;
}

/** Makes the store's own folders and checks that the file system can keep the promises. */
export interface PrepareJob {
  readonly task: 'prepare';
}

/** Who holds the lock file. */
export interface LockHolder {
  /** For people. */
  readonly text: string;
  /** Its number, when it is a process that we see; null: it lives in another container. */
  readonly pid: number | null;
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
  readonly lock: LockHolder | null;
  /** null: nobody that can be seen. */
  readonly holder: LockHolder | null;
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
