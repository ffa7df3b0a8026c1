/** A store on a real, temporary folder, for tests of the storage itself. */

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExpiryRule } from '../../src/shared/expiry-rule.ts';
import type { FileInfo, FileKey } from '../../src/shared/files.ts';
import { OwnerUsage } from '../../src/shared/owner-usage.ts';
import { createPathLocks } from '../../src/shared/path-locks.ts';
import { type Room, RoomLedger } from '../../src/shared/room-ledger.ts';
import { SecretIds } from '../../src/shared/secret-ids.ts';
import { SharedCount } from '../../src/shared/shared-count.ts';
import { SharedFlag } from '../../src/shared/shared-flag.ts';
import { readClocks } from '../../src/shared/steady-clock.ts';
import { UnfinishedUploads } from '../../src/shared/unfinished-uploads.ts';
import { createUploadHolders } from '../../src/shared/upload-holders.ts';
import type { StoreIdentity, WorkerSettings } from '../../src/shared/worker-jobs.ts';
import type { Committed } from '../../src/workers/storage/committed.ts';
import { FilesystemStorage } from '../../src/workers/storage/filesystem-storage.ts';
import { prepareStore } from '../../src/workers/storage/prepare-store.ts';
import type { NewUpload, StagedUpload, Storage } from '../../src/workers/storage/storage.ts';
import { hashOf } from '../../src/workers/storage/store-layout.ts';
import { reservedBytes, type UploadRecord } from '../../src/workers/storage/uploads/upload-record.ts';
import { versionFileOf, versionIdsOf } from './version-files.ts';

export class StoreFixture {
  readonly folder: string;
  readonly settings: WorkerSettings;
  readonly identity: StoreIdentity;
  readonly storage: FilesystemStorage;

  constructor(settings: Partial<WorkerSettings> = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'hmac-store-'));
    const storeDir = join(this.folder, 'store');
    this.settings = { ...settingsFor(storeDir), ...settings };
    this.identity = prepareStore(storeDir);
    this.storage = new FilesystemStorage(this.settings, 0);
  }

  /** The same store as another lane sees it. */
  neighbour(): FilesystemStorage {
    return new FilesystemStorage(this.settings, 1);
  }

  /** Path on disk of something in the store. */
  pathOf(...names: readonly string[]): string {
    return join(this.settings.storeDir, ...names);
  }

  /** The same store, opened with other settings by another lane. */
  withSettings(settings: Partial<WorkerSettings>): FilesystemStorage {
    return new FilesystemStorage({ ...this.settings, ...settings }, 1);
  }

  /** Names of unfinished uploads. */
  stagingFiles(): readonly string[] {
    return readdirSync(this.pathOf('.hfs/staging'));
  }

  /** Names in the folder of uploads that can be gone on with. */
  uploadFiles(): readonly string[] {
    return readdirSync(this.pathOf('.hfs/uploads'));
  }

  /** What all uploads together were promised. */
  get promisedRoom(): Room {
    return new RoomLedger(this.settings.roomLedger, 0).promised;
  }

  /** Unfinished uploads, as all lanes count them. */
  get openUploads(): number {
    return new UnfinishedUploads(this.settings.unfinishedUploads).count;
  }

  /** What they hold on the disk, as it is counted. */
  get unfinishedBytes(): number {
    return new UnfinishedUploads(this.settings.unfinishedUploads).bytes;
  }

  /** The same as it is. */
  get bytesInUploadFiles(): number {
    const files = this.uploadFiles().filter((name) => name.endsWith('.data'));
    return files.reduce((sum, name) => sum + statSync(this.pathOf('.hfs/uploads', name)).size, 0);
  }

  /** What unfinished uploads have still to receive. */
  get unwrittenBytes(): number {
    const ids = this.uploadFiles().flatMap((name) => (name.endsWith('.data') ? name.slice(0, -'.data'.length) : []));
    return ids.reduce((sum, id) => sum + unwritten(this.storage.uploads.look(id)), 0);
  }

  /** Ids of the old contents of a path, oldest first. */
  versionsOf(path: string): readonly string[] {
    return versionIdsOf(this.settings.storeDir, path);
  }

  /** Name of everything that belongs to a path. */
  hashOf(path: string): string {
    return hashOf(keyOf(path));
  }

  /** Path on disk of an old content. */
  versionFile(path: string, id: string): string {
    return versionFileOf(this.settings.storeDir, path, id);
  }

  /** Paths of all records, below their folder. */
  recordFiles(): readonly string[] {
    const found = readdirSync(this.pathOf('.hfs/records'), { recursive: true, encoding: 'utf8' });
    return found.filter((path) => path.endsWith('.json'));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function unwritten(record: UploadRecord | null): number {
  return record === null ? 0 : reservedBytes(record) - record.offset;
}

/** The id of the one secret of such a store. */
export const FIRST_SECRET_ID = 0x3f1;

function secretIdsOf(id: number): SharedArrayBuffer {
  const shared = SecretIds.allocate();
  new SecretIds(shared).all = [id];
  return shared;
}

/** Settings of a store with two lanes and no reserve. */
export function settingsFor(storeDir: string): WorkerSettings {
  return {
    storeDir,
    durability: 'full',
    storesDigest: false,
    minFreeBytes: 0,
    minFreeInodes: 0,
    roomLedger: RoomLedger.allocate(2),
    expiry: ExpiryRule.allocate(),
    clockStart: readClocks(),
    checkpointBytes: 64 * 1024,
    maxOpenUploads: 100,
    maxOpenUploadsPerOwner: 100,
    unfinishedUploads: UnfinishedUploads.allocate(),
    uploadHolders: createUploadHolders(),
    uploadTimes: { idleMs: 60_000, lifeMs: 600_000, memoryMs: 60_000 },
    prunedFolders: SharedCount.allocate(1),
    pathLocks: createPathLocks(),
    secretIds: secretIdsOf(FIRST_SECRET_ID),
    closedSlots: SharedFlag.allocate(),
    ownerUsage: OwnerUsage.allocate(),
  };
}

/** A path that is known to be one. */
export function keyOf(path: string): FileKey {
  return path as FileKey;
}

/** An upload of these bytes that has received them all and waits for its commit. */
export function stage(storage: Storage, path: string, bytes: Uint8Array, type: string | null = null): StagedUpload {
  const order: NewUpload = { key: keyOf(path), size: bytes.length, type };
  const upload = storage.createUpload(order);
  if (bytes.length > 0) upload.write(bytes);
  return upload;
}

/** Uploads with versioning: an existing file is replaced, and `keepVersions` old contents are kept. */
export async function overwrite(
  storage: Storage,
  path: string,
  content: string | Uint8Array,
  { keepVersions = 100, type = null }: { keepVersions?: number; type?: string | null } = {},
): Promise<Committed> {
  const bytes = Buffer.from(content);
  const upload = storage.createUpload({ key: keyOf(path), size: bytes.length, type, keepVersions });
  if (bytes.length > 0) upload.write(bytes);
  return await upload.commit();
}

export async function keep(
  storage: Storage,
  path: string,
  text: string,
  type: string | null = null,
): Promise<FileInfo> {
  await stage(storage, path, Buffer.from(text), type).commit();
  return readFile(storage, path).info;
}

/** What a reader of the file gets. */
export function readFile(storage: Storage, path: string): { readonly info: FileInfo; readonly text: string } {
  const file = storage.openFile(keyOf(path));
  try {
    const bytes = new Uint8Array(file.info.size);
    const length = file.read(bytes, 0);
    return { info: file.info, text: Buffer.from(bytes.subarray(0, length)).toString() };
  } finally {
    file.close();
  }
}
