/**
 * The digest that a file had before somebody wrote to it: such a file has moved away from its record, which is left
 * without a content. Everything that the server does leaves no record older than the content it is looked up for.
 */

import { readdirSync } from 'node:fs';
import type { FileKey } from '../../shared/files.ts';
import type { ContentIdentity } from './content.ts';
import { type Folder, inside } from './folder.ts';
import { withFolder } from './own-folders.ts';
import { readRecord, recordTime } from './record.ts';
import { attempt } from './storage-error.ts';
import { recordFolders, versionFolders } from './store-layout.ts';
import { versionRecordsIn } from './versions/version-folder.ts';

/** Of the newest record without a content, not later than `identity`; null when there is none. */
export function earlierDigest(
  root: Folder,
  { key, keyHash }: { readonly key: FileKey; readonly keyHash: string },
  identity: ContentIdentity,
): string | null {
  const ofVersions = new Set(withFolder(root, versionFolders(keyHash), versionRecordsIn) ?? []);
  const names = withFolder(root, recordFolders(keyHash), (folder) =>
    attempt('readdir records', () => readdirSync(inside(folder, '.'))),
  );
  const candidates = (names ?? [])
    .flatMap((name) => {
      const mtimeNs = recordTime(name);
      return mtimeNs === null || mtimeNs > identity.mtimeNs || ofVersions.has(name) ? [] : [{ name, mtimeNs }];
    })
    .sort((a, b) => (a.mtimeNs > b.mtimeNs ? -1 : 1));
  for (const { name } of candidates) {
    const digest = readRecord(root, keyHash, name, key)?.sha256 ?? null;
    if (digest !== null) return digest;
  }
  return null;
}
