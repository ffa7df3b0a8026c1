/**
 * Reading: the file is found component by component without following links, and served by its descriptor to the end,
 * so that a replacement or deletion during a download does no harm.
 */

import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { ExpiryRule } from '../../shared/expiry-rule.ts';
import type { FileInfo, FileKey } from '../../shared/files.ts';
import { type ContentIdentity, fileInfoOf } from './content.ts';
import { type Folder, type FolderFinder, inside } from './folder.ts';
import { readAt } from './read-at.ts';
import { readRecord, recordName } from './record.ts';
import type { FileRecord } from './record-format.ts';
import type { OpenFile } from './storage.ts';
import { errorNumberOf, StorageError, toStorageError } from './storage-error.ts';
import { fileIdOf, hashOf, type Location, locate } from './store-layout.ts';

// O_NONBLOCK: a FIFO or a device must not hang the lane before fstat tells what it is.
const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const notFound = (detail: string): StorageError => new StorageError('not-found', detail);

class DescriptorFile implements OpenFile {
  readonly info: FileInfo;
  readonly fileId: string;
  readonly expiresMs: number | null;
  readonly isAtOwnPath: boolean;
  private readonly fd: number;

  constructor(fd: number, facts: Omit<OpenFile, 'read' | 'close'>) {
    this.fd = fd;
    this.info = facts.info;
    this.fileId = facts.fileId;
    this.expiresMs = facts.expiresMs;
    this.isAtOwnPath = facts.isAtOwnPath;
  }

  read(target: Uint8Array, position: number): number {
    return readAt(this.fd, target, position);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Opens the current content of a key; one that has expired is not found. Errors: not-found, too-many-files, io. */
export function openStoredFile(source: ContentSource, key: FileKey, rule: ExpiryRule): OpenFile {
  const hash = hashOf(key);
  const location = locate(key, hash);
  const { fd, identity, record } = openContent(source, location, { key, hash });
  const info = fileInfoOf(identity, record ?? { type: null, sha256: null });
  const expiresMs = rule.expiresMs(info.modifiedMs, record?.expiresMs ?? null);
  // A long name is a hash: only the record proves whose it is.
  const isUnproven = location.isLongName && record === null;
  if (isUnproven || rule.isPast(expiresMs)) {
    closeSync(fd);
    throw notFound(isUnproven ? 'no record for a long name' : 'expired');
  }
  const isAtOwnPath = !location.isLongName;
  const facts = { info, fileId: fileIdOf(hash), expiresMs, isAtOwnPath };
  return new DescriptorFile(fd, facts);
}

/** A content of a key, current or old, open by its descriptor, and what its record says. */
export interface StoredContent {
  readonly fd: number;
  readonly identity: ContentIdentity;
  readonly inode: bigint;
  readonly record: FileRecord | null;
}

/** Where contents and their records are read. */
export interface ContentSource {
  readonly root: Folder;
  readonly folders: FolderFinder;
}

/** Opens whatever content of the key lies there; the caller closes its descriptor. Errors: not-found, too-many-files, io. */
export function openContent(
  source: ContentSource,
  { folders, name }: Pick<Location, 'folders' | 'name'>,
  { key, hash }: { readonly key: FileKey; readonly hash: string },
): StoredContent {
  const fd = openByLocation(source.folders, folders, name);
  try {
    const stats = fstatSync(fd, { bigint: true });
    const { mtimeNs, size, ino: inode } = stats;
    if (!stats.isFile()) throw notFound('not a regular file');
    const record = readRecord(source.root, hash, recordName(mtimeNs, size), key);
    return { fd, identity: { mtimeNs, size: Number(size) }, inode, record };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openByLocation(finder: FolderFinder, folders: readonly string[], name: string): number {
  try {
    const fd = finder.look(folders, (folder) => openIn(folder, name));
    if (fd !== null) return fd;
  } catch (error) {
    // What is no folder, or leads out of the store, holds no file.
    if (error instanceof StorageError && error.code === 'path-conflict') throw notFound(error.message);
    throw error;
  }
  throw notFound('ENOENT open');
}

/** null: nothing there that could be a stored file. */
function openIn(folder: Folder, name: string): number | null {
  try {
    return openSync(inside(folder, name), OPEN_FILE);
  } catch (error) {
    const number = errorNumberOf(error);
    if (number === 'ENOENT' || number === 'ELOOP' || number === 'ENXIO') return null;
    throw toStorageError(error, 'open');
  }
}
