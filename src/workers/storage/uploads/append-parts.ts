/**
 * A concatenation: the bytes of finished parts, one after the other, become those of another upload. Parts never change,
 * and stay as they are.
 */

import { closeSync, constants, openSync } from 'node:fs';
import { inside } from '../folder.ts';
import { readAt } from '../read-at.ts';
import { errorNumberOf, StorageError, toStorageError } from '../storage-error.ts';
import type { HeldUpload } from './held-upload.ts';
import type { UploadArea } from './upload-area.ts';
import { UploadError } from './upload-error.ts';
import { dataFileName } from './upload-names.ts';
import type { UploadRecord } from './upload-record.ts';

/** Copied in one go; in between the lane serves its other transfers. */
const PIECE_BYTES = 1024 * 1024;

/** Stops in the middle when it is given up. Errors: part-unusable when one has just gone, no-space, io. */
export async function appendParts(
  area: UploadArea,
  held: HeldUpload,
  { parts, isGivenUp }: { readonly parts: readonly UploadRecord[]; readonly isGivenUp: () => boolean },
): Promise<void> {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (const { id, offset: size } of parts) {
    const fd = openPart(area, id);
    try {
      for (let position = 0; position < size && !isGivenUp(); position += PIECE_BYTES) {
        const wanted = piece.subarray(0, Math.min(PIECE_BYTES, size - position));
        if (readAt(fd, wanted, position) < wanted.length) throw new StorageError('io', 'part is shorter than it was');
        held.write(wanted);
        await new Promise(setImmediate);
      }
    } finally {
      closeSync(fd);
    }
  }
}

function openPart({ folder }: UploadArea, id: string): number {
  try {
    return openSync(inside(folder, dataFileName(id)), constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (errorNumberOf(error) === 'ENOENT') throw new UploadError('part-unusable', 'gone meanwhile');
    throw toStorageError(error, 'open part');
  }
}
