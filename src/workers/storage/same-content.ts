/** Whether an upload is what is stored already: then nothing is replaced, however often a URL is used again. */

import type { SignedTerms } from '../../shared/signature.ts';
import { readAt } from './read-at.ts';
import type { FileRecord } from './record-format.ts';
import type { SettledContent } from './settled-content.ts';
import type { StagingFile } from './staging-file.ts';
import type { StoredContent } from './stored-file.ts';

/** Compared in one go; in between the lane serves its other transfers. */
const PIECE_BYTES = 256 * 1024;

/** True when size, stored type, terms and every byte are the same. Digests, where both are known, stand for the bytes. */
export async function isSameContent(current: StoredContent, content: SettledContent): Promise<boolean> {
  if (current.identity.size !== content.size) return false;
  if ((current.record?.type ?? null) !== content.type || !hasSameTerms(current.record, content.terms)) return false;
  // Without its record nobody finds a long name again.
  if (content.location.isLongName && current.record === null) return false;
  const digest = current.record?.sha256 ?? null;
  if (digest !== null && content.sha256 !== null) return digest === content.sha256;
  return hasSameBytes(current.fd, content.file, current.identity.size);
}

/** A content that would expire earlier than was promised is not the same. */
function hasSameTerms(record: FileRecord | null, { expiresAtMs, owner, usableUntilMs }: SignedTerms): boolean {
  const hasSameEnd = (record?.usableUntilMs ?? null) === usableUntilMs;
  return hasSameEnd && (record?.expiresMs ?? null) === expiresAtMs && (record?.owner ?? null) === owner;
}

async function hasSameBytes(fd: number, file: StagingFile, size: number): Promise<boolean> {
  const [stored, staged] = [Buffer.allocUnsafe(PIECE_BYTES), Buffer.allocUnsafe(PIECE_BYTES)];
  for (let position = 0; position < size; position += PIECE_BYTES) {
    if (position > 0) await new Promise(setImmediate);
    const length = readAt(fd, stored, position);
    if (file.read(staged, position) !== length) return false;
    if (!stored.subarray(0, length).equals(staged.subarray(0, length))) return false;
  }
  return true;
}
