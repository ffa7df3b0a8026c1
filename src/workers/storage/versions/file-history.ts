/** The contents of one file, current and old, for operators. Reads only; what is replaced meanwhile is left out. */

import { closeSync } from 'node:fs';
import type { FileKey } from '../../../shared/files.ts';
import type { ContentFacts, FileHistory, VersionFacts } from '../../../shared/store-reports.ts';
import { type Folder, walkingFrom } from '../folder.ts';
import { withFolder } from '../own-folders.ts';
import { StorageError } from '../storage-error.ts';
import { hashOf, type Location, locate, versionFolders } from '../store-layout.ts';
import { openContent, type StoredContent } from '../stored-file.ts';
import { versionIdsIn } from './version-folder.ts';
import { isVersionId, replacedMsOf } from './version-id.ts';

/** Errors: not-found when the key is no name of a file, io. */
export function historyOf(root: Folder, key: FileKey): FileHistory {
  const hash = hashOf(key);
  const current = factsAt(root, locate(key, hash), key);
  const versions = versionIdsOf(root, hash).flatMap((id): VersionFacts[] => {
    const facts = factsAt(root, versionLocation(hash, id), key);
    return facts === null ? [] : [{ id, replacedMs: replacedMsOf(id), ...facts }];
  });
  return { current, versions };
}

/** Oldest first. */
export function versionIdsOf(root: Folder, keyHash: string): readonly string[] {
  return withFolder(root, versionFolders(keyHash), versionIdsIn) ?? [];
}

/** Where an old content lies. */
export function versionLocation(keyHash: string, id: string): Pick<Location, 'folders' | 'name'> {
  return { folders: versionFolders(keyHash), name: id };
}

/** Opens an old content; null when there is none of that id. Errors: too-many-files, io. */
export function openVersion(root: Folder, key: FileKey, id: string): StoredContent | null {
  return isVersionId(id) ? openIfThere(root, versionLocation(hashOf(key), id), key) : null;
}

/** Opens a content of the key for the time of `run`; null when there is none. */
export function withContent<T>(
  root: Folder,
  location: Pick<Location, 'folders' | 'name'>,
  key: FileKey,
  run: (content: StoredContent) => T,
): T | null {
  const content = openIfThere(root, location, key);
  if (content === null) return null;
  try {
    return run(content);
  } finally {
    closeSync(content.fd);
  }
}

function openIfThere(root: Folder, location: Pick<Location, 'folders' | 'name'>, key: FileKey): StoredContent | null {
  try {
    return openContent({ root, folders: walkingFrom(root) }, location, { key, hash: hashOf(key) });
  } catch (error) {
    if (error instanceof StorageError && error.code === 'not-found') return null;
    throw error;
  }
}

function factsAt(root: Folder, location: Pick<Location, 'folders' | 'name'>, key: FileKey): ContentFacts | null {
  return withContent(root, location, key, ({ identity, record }) => ({
    sizeBytes: identity.size,
    modifiedMs: Number(identity.mtimeNs / 1_000_000n),
    type: record?.type ?? null,
    sha256: record?.sha256 ?? null,
  }));
}
