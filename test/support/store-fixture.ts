/** A store on a real, temporary folder, for tests of the storage itself. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileInfo, FileKey } from '../../src/shared/files.ts';
import type { StoreIdentity, WorkerSettings } from '../../src/shared/messages.ts';
import { createPathLocks } from '../../src/shared/path-locks.ts';
import { FilesystemStorage } from '../../src/workers/storage/filesystem-storage.ts';
import { prepareStore } from '../../src/workers/storage/prepare-store.ts';
import type { NewUpload, StagedUpload, Storage } from '../../src/workers/storage/storage.ts';

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

  /** Names of unfinished uploads. */
  stagingFiles(): readonly string[] {
    return readdirSync(this.pathOf('.hfs/staging'));
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

/** Settings of a store with two lanes and no reserve. */
export function settingsFor(storeDir: string): WorkerSettings {
  const promisedBytes = new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT);
  const pathLocks = createPathLocks();
  return { storeDir, durability: 'full', minFreeBytes: 0, minFreeInodes: 0, promisedBytes, pathLocks };
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

export function keep(storage: Storage, path: string, text: string, type: string | null = null): Promise<FileInfo> {
  return stage(storage, path, Buffer.from(text), type).commit();
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
