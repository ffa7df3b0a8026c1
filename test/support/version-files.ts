/** The old contents of a file, as they lie on disk below a store. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileKey } from '../../src/shared/files.ts';
import { hashOf, versionFolders } from '../../src/workers/storage/store-layout.ts';
import { isVersionId } from '../../src/workers/storage/versions/version-id.ts';

/** Oldest first. */
export function versionIdsOf(storeDir: string, path: string): readonly string[] {
  const folder = versionFolderOf(storeDir, path);
  return existsSync(folder) ? readdirSync(folder).filter(isVersionId).sort() : [];
}

export function versionFileOf(storeDir: string, path: string, id: string): string {
  return join(versionFolderOf(storeDir, path), id);
}

export function versionContentsOf(storeDir: string, path: string): readonly Buffer[] {
  return versionIdsOf(storeDir, path).map((id) => readFileSync(versionFileOf(storeDir, path, id)));
}

function versionFolderOf(storeDir: string, path: string): string {
  return join(storeDir, ...versionFolders(hashOf(path as FileKey)));
}
