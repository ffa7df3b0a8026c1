/**
 * Publishing with versioning: the old content is kept under a second name before the new one takes its place in one
 * `rename`, so that at no instant there is no current file, whatever crashes. Overwrites of one path are done in turn.
 */

import { closeSync } from 'node:fs';
import { publishUnderLock, refuseClosed } from './commit.ts';
import type { Committed } from './committed.ts';
import type { ContentIdentity } from './content.ts';
import { describeContent } from './describe-content.ts';
import { closeAll, makeFolders, type WayFolder } from './folder.ts';
import { syncContent } from './folder-sync.ts';
import { recordName } from './record.ts';
import { isSameContent } from './same-content.ts';
import type { SettledContent } from './settled-content.ts';
import { type StagingArea, syncWay } from './staging-area.ts';
import { StorageError } from './storage-error.ts';
import { openContent, type StoredContent } from './stored-file.ts';
import { dropContent, keepVersion, type Retired, trimVersions } from './versions/versions.ts';

/**
 * Publishes, also where a file is: `keep` old contents are kept. What is stored already stays as it is, so that a URL
 * used again and again does not push out history. Errors: exists, path-conflict, no-space, io.
 */
export async function publishReplacing(area: StagingArea, content: SettledContent, keep: number): Promise<Committed> {
  const release = await area.locks.acquire(content.keyHash);
  try {
    const current = openCurrent(area, content);
    if (current === null) return await publishUnderLock(area, content);
    try {
      refuseClosed(area, content);
      refuseExpired(area, content, current);
      if (await isSameContent(current, content)) return await confirm(area, content, current);
      return await replace(area, content, { current, keep });
    } finally {
      closeSync(current.fd);
    }
  } finally {
    release();
  }
}

/** What has expired is not found, and its slot is closed like that of a file that is removed already. */
function refuseExpired({ rule }: StagingArea, { mayReopen }: SettledContent, current: StoredContent): void {
  const storedMs = Number(current.identity.mtimeNs / 1_000_000n);
  const isExpired = rule.isPast(rule.expiresMs(storedMs, current.record?.expiresMs ?? null));
  if (isExpired && !mayReopen) throw new StorageError('exists', 'expired');
}

/** null: nothing that could be replaced; whatever else has the name will refuse the link. */
function openCurrent(area: StagingArea, { key, keyHash, location }: SettledContent): StoredContent | null {
  try {
    return openContent(area, location, { key, hash: keyHash });
  } catch (error) {
    if (error instanceof StorageError && error.code === 'not-found') return null;
    throw error;
  }
}

/** Success is answered for what was there: so it is made durable, whoever stored it and how. */
async function confirm(area: StagingArea, content: SettledContent, current: StoredContent): Promise<Committed> {
  if (area.durability !== 'none') await syncContent(current.fd);
  const way = makeFolders(area.root, content.location.folders);
  await syncAndClose(area, way);
  const { size, sha256 } = content;
  return { file: { size, sha256 }, replaced: null, storedBytes: 0, freedBytes: 0 };
}

interface Replacement {
  readonly current: StoredContent;
  readonly keep: number;
}

async function replace(area: StagingArea, content: SettledContent, replacement: Replacement): Promise<Committed> {
  const { current, keep } = replacement;
  // Validators are made from time and size: no content may look like the one before it.
  content.file.modifyAfter(current.identity.mtimeNs);
  const forget = await describeContent(area, content);
  let taken: TakenPlace;
  try {
    taken = await takePlace(area, content, replacement);
  } catch (error) {
    forget();
    throw error;
  }
  // From here on nothing is rolled back: somebody may have seen the new content.
  await syncAndClose(area, taken.way);
  taken.retired.finish();
  const currentRecord = nameOfRecord(taken.identity);
  const removed = trimVersions(area.root, content.keyHash, { keep, currentRecord });
  const { versionId } = taken.retired;
  const { size, sha256 } = content;
  const replacedBytes = current.identity.size;
  return {
    file: { size, sha256 },
    replaced: { versionId, size: replacedBytes, removedVersions: removed.map(({ id }) => id) },
    storedBytes: size,
    freedBytes: removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, versionId === null ? replacedBytes : 0),
  };
}

interface TakenPlace {
  readonly identity: ContentIdentity;
  /** The folders down to the file, open. */
  readonly way: readonly WayFolder[];
  readonly retired: Retired;
}

/** The commit itself is one `rename`; what fails before it leaves everything as it was. */
async function takePlace(
  area: StagingArea,
  content: SettledContent,
  { current, keep }: Replacement,
): Promise<TakenPlace> {
  const { file, location, keyHash } = content;
  const identity = file.identity();
  file.close();
  const way = makeFolders(area.root, location.folders);
  let retired: Retired | null = null;
  try {
    const folder = way.at(-1) ?? area.root;
    const record = current.record === null ? null : nameOfRecord(current.identity);
    const old = { folder, name: location.name, inode: current.inode, record };
    retired = keep > 0 ? await keepVersion(area, content, old) : dropContent(area, keyHash, old);
    file.replace(folder, location.name);
    return { identity, way, retired };
  } catch (error) {
    retired?.takeBack();
    closeAll(way);
    throw error;
  }
}

async function syncAndClose(area: StagingArea, way: readonly WayFolder[]): Promise<void> {
  try {
    await syncWay(area, way);
  } finally {
    closeAll(way);
  }
}

function nameOfRecord({ mtimeNs, size }: ContentIdentity): string {
  return recordName(mtimeNs, size);
}
