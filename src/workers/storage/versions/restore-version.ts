/**
 * Makes an old content current again: it is uploaded once more, by the server itself. So the version stays where it is,
 * what it replaces becomes a version in turn, and whatever breaks it off leaves what was there.
 */

import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import type { FileKey } from '../../../shared/files.ts';
import type { RestoreOutcome } from '../../../shared/store-reports.ts';
import type { FilesystemStorage } from '../filesystem-storage.ts';
import { readAt } from '../read-at.ts';
import type { StagedUpload } from '../storage.ts';
import type { StoredContent } from '../stored-file.ts';

const PIECE_BYTES = 1024 * 1024;

/** Removes no version, however many there are. Errors: path-conflict, no-space, io. */
export async function restoreVersion(storage: FilesystemStorage, key: FileKey, id: string): Promise<RestoreOutcome> {
  const version = storage.openVersion(key, id);
  if (version === null) return { kind: 'no-such-version' };
  try {
    const { type = null, expiresMs: expiresAtMs = null, owner = null, usableUntilMs = null } = version.record ?? {};
    const order = { key, size: version.identity.size, type, expiresAtMs, owner, usableUntilMs, mayReopen: true };
    const upload = storage.createUpload({ ...order, keepVersions: Number.POSITIVE_INFINITY });
    if (!copiesWhole(version, upload)) return { kind: 'damaged' };
    const { file, replaced } = await upload.commit();
    return { kind: 'restored', sizeBytes: file.size, replaced };
  } finally {
    closeSync(version.fd);
  }
}

/** False, and nothing is left of the upload, when the bytes are not those of the digest. */
function copiesWhole(version: StoredContent, upload: StagedUpload): boolean {
  try {
    const digest = copy(version, upload);
    const expected = version.record?.sha256 ?? digest;
    if (digest !== expected) upload.discard();
    return digest === expected;
  } catch (error) {
    upload.discard();
    throw error;
  }
}

function copy({ fd, identity }: StoredContent, upload: StagedUpload): string {
  const digest = createHash('sha256');
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (let position = 0; position < identity.size; position += PIECE_BYTES) {
    const bytes = piece.subarray(0, readAt(fd, piece, position));
    digest.update(bytes);
    upload.write(bytes);
  }
  return digest.digest('hex');
}
