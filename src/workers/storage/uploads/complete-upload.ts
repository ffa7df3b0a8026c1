/**
 * The end of an upload that was gone on with: its bytes are published as those of any other upload, in the same steps. It
 * may be broken off anywhere and done again: once the record says `whole`, bytes that are not here any more, or that have
 * the name already, have been committed.
 */

import { publishNew } from '../commit.ts';
import type { Committed } from '../committed.ts';
import { areAsExpected, ContentDigests, type DigestAlgorithm } from '../content-digests.ts';
import { closeAll, findFolders } from '../folder.ts';
import { storedForOwner } from '../owner-quota.ts';
import { publishReplacing } from '../replace-content.ts';
import type { SettledContent } from '../settled-content.ts';
import { syncWay } from '../staging-area.ts';
import type { StagingFile } from '../staging-file.ts';
import { StorageError } from '../storage-error.ts';
import { hashOf, locate } from '../store-layout.ts';
import type { HeldUpload } from './held-upload.ts';
import type { UploadArea } from './upload-area.ts';
import type { UploadRecord } from './upload-record.ts';

/** Read in one go; in between the lane serves its other transfers. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Publishes what was written; `keepVersions` null: the slot must be free. Errors: digest-mismatch (nothing is left of the
 * upload), exists (its slot has another content, and the bytes are gone), path-conflict, no-space, io.
 */
export async function completeUpload(
  area: UploadArea,
  held: HeldUpload,
  keepVersions: number | null,
): Promise<Committed> {
  const file = held.data();
  const digests = await digestsOf(area, held, file);
  if (!areAsExpected(digests, held.record.digests)) {
    await held.discard();
    throw new StorageError('digest-mismatch', 'the whole content');
  }
  if (held.record.phase !== 'whole') {
    file.makePublic();
    await held.settle({ phase: 'whole', length: held.writtenBytes });
  }
  const content = settledContent(held, file, digests.get('sha256')?.toString('hex') ?? null);
  try {
    return await publishForOwner(area, held, content, keepVersions);
  } catch (error) {
    if (error instanceof StorageError && error.code === 'exists') await held.retire('refused');
    throw error;
  }
}

/** Which digests of the whole content are compared or kept. */
export function wantedDigests(area: UploadArea, record: Pick<UploadRecord, 'digests'>): readonly DigestAlgorithm[] {
  const own: readonly DigestAlgorithm[] = area.staging.storesDigest ? ['sha256'] : [];
  return [...own, ...record.digests.map(({ algorithm }) => algorithm)];
}

/** The owner was promised the room when the upload was made, until it is finished. */
async function publishForOwner(
  area: UploadArea,
  held: HeldUpload,
  content: SettledContent,
  keepVersions: number | null,
): Promise<Committed> {
  const committed = await publish(area, content, keepVersions);
  const { key, terms } = content;
  // Counted twice for an instant, never not at all.
  storedForOwner(area.staging.ownerUsage, { key, owner: terms.owner }, committed);
  held.finish();
  return committed;
}

async function publish(area: UploadArea, content: SettledContent, keepVersions: number | null): Promise<Committed> {
  const published = await publishedBefore(area, content);
  if (published !== null) return published;
  if (keepVersions === null) return await publishNew(area.staging, content);
  return await publishReplacing(area.staging, content, keepVersions);
}

/** An attempt that was broken off may have made it visible. null: it has not. */
async function publishedBefore({ staging }: UploadArea, content: SettledContent): Promise<Committed | null> {
  const { file, location, size, sha256 } = content;
  const way = findFolders(staging.root, location.folders);
  if (way === null) return null;
  try {
    if (!file.isNamed(way.at(-1) ?? staging.root, location.name)) return null;
    await syncWay(staging, way);
    return { file: { size, sha256 }, replaced: null, storedBytes: size, freedBytes: 0 };
  } finally {
    closeAll(way);
  }
}

function settledContent(
  { record, writtenBytes: size }: HeldUpload,
  file: StagingFile,
  sha256: string | null,
): SettledContent {
  const { path: key, type, terms } = record;
  const keyHash = hashOf(key);
  return { file, key, keyHash, location: locate(key, keyHash), size, type, sha256, terms, mayReopen: false };
}

async function digestsOf(
  area: UploadArea,
  held: HeldUpload,
  file: StagingFile,
): Promise<ReadonlyMap<DigestAlgorithm, Buffer>> {
  const algorithms = wantedDigests(area, held.record);
  if (algorithms.length === 0) return new Map();
  if (held.digestResults !== null) return held.digestResults;
  const digests = new ContentDigests(algorithms);
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (let position = 0; position < held.writtenBytes; position += PIECE_BYTES) {
    if (position > 0) await new Promise(setImmediate);
    digests.update(piece.subarray(0, file.read(piece, position)));
  }
  return digests.results();
}
