/** One deletion in a lane: verify, then remove. Nothing is looked for before the signature is known to be right. */

import type { FromLane, Secrets, ToLane } from '../shared/messages.ts';
import type { Storage } from './storage/storage.ts';
import { StorageError, toFailure } from './storage/storage-error.ts';
import { fileIdOf, hashOf } from './storage/store-layout.ts';
import { verifySignature } from './verify-signature.ts';

/** Never rejects: what goes wrong is part of the answer. */
export async function deleteFile(
  storage: Storage,
  secrets: Secrets,
  { transfer, key, signature }: Extract<ToLane, { type: 'file.delete' }>,
): Promise<FromLane> {
  const match = verifySignature(signature, secrets);
  const verified = match === null ? null : { fileId: fileIdOf(hashOf(key)), secret: match.secret };
  try {
    if (verified === null) throw new StorageError('signature-mismatch', signature.scheme);
    const file = await storage.deleteFile(key);
    return { type: 'delete.done', transfer, file, verified, buffer: null };
  } catch (error) {
    return { type: 'delete.failed', transfer, failure: toFailure(error), verified, buffer: null };
  }
}
