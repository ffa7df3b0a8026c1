/** A creation: its signature, its lengths, and an upload of its own. A final upload also gets the bytes of its parts. */

import type { Secrets } from '../shared/messages.ts';
import type { Concatenation, CreateUpload, ResourceName, ResumableBody } from '../shared/resumable.ts';
import { type BeginContext, type Begun, newlyBegun } from './begun.ts';
import { findByName, newUploadId, openSlot } from './find-upload.ts';
import type { HeldUpload } from './storage/uploads/held-upload.ts';
import { UploadError } from './storage/uploads/upload-error.ts';
import { isFinishedPart, type UploadRecord } from './storage/uploads/upload-record.ts';
import type { NewResumable, UploadStore } from './storage/uploads/upload-store.ts';
import { refuseCreation, refuseLength } from './upload-rules.ts';

const EMPTY_BODY: ResumableBody = { length: 0, digests: [], completes: null };

/** null: given up while its slot was being freed. */
export async function beginCreation(context: BeginContext, command: CreateUpload): Promise<Begun | null> {
  const { uploads, secrets } = context;
  const { key, signature, concatenation, body } = command;
  const { verified, storedType: type } = openSlot(key, signature, secrets);
  context.onVerified(verified);
  refuseCreation(command);
  const parts = concatenation?.kind === 'final' ? findParts(context, concatenation.parts) : null;
  const length = parts === null ? command.length : lengthOfParts(parts, command);
  const order = { ...saidBy(command), id: newUploadId(), type, length, ...useOf(concatenation) };
  const created = await uploads.create(order, context);
  if (created !== null && parts !== null) await concatenate(context, created.held, parts);
  return newlyBegun(created, length, body ?? EMPTY_BODY);
}

function saidBy({ protocol, key, maxLength, signedLength, metadata, digests, terms }: CreateUpload) {
  return { protocol, key, maxLength, signedLength, metadata, digests, terms };
}

function useOf(concatenation: Concatenation | null): Pick<NewResumable, 'concatenation' | 'concatText'> {
  if (concatenation === null) return { concatenation: 'none', concatText: null };
  const { kind } = concatenation;
  return { concatenation: kind, concatText: concatenation.kind === 'final' ? concatenation.text : kind };
}

/** Errors: part-unusable. */
function findParts({ uploads, secrets }: BeginContext, names: readonly ResourceName[]): readonly UploadRecord[] {
  return names.map((name) => {
    const record = findPart(uploads, secrets, name);
    if (record === null || !isFinishedPart(record) || uploads.isExpired(record)) throw new UploadError('part-unusable');
    return record;
  });
}

function findPart(uploads: UploadStore, secrets: Secrets, name: ResourceName): UploadRecord | null {
  try {
    return findByName(uploads, secrets, name);
  } catch (error) {
    if (error instanceof UploadError) return null;
    throw error;
  }
}

/** Errors: part-unusable when there are none, length-unsigned, length-exceeded. */
function lengthOfParts(parts: readonly UploadRecord[], { maxLength, signedLength }: CreateUpload): number {
  if (parts.length === 0) throw new UploadError('part-unusable', 'none');
  const length = parts.reduce((sum, { offset }) => sum + offset, 0);
  refuseLength(length, { maxLength, signedLength, concatenation: 'final' });
  return length;
}

async function concatenate(context: BeginContext, held: HeldUpload, parts: readonly UploadRecord[]): Promise<void> {
  try {
    await context.uploads.appendParts(held, parts, context.isGivenUp);
  } catch (error) {
    await held.discard();
    context.onDiscarded(held.record);
    await held.release();
    throw error;
  }
}
