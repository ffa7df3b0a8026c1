/**
 * The first half of every command on an upload that can be gone on with: who may, what for, and the upload in hand, before
 * a byte of the body is looked at.
 */

import { extensionOf } from '../shared/files.ts';
import type { AppendUpload, DiscardUpload, InspectUpload, ResumableCommand } from '../shared/resumable.ts';
import { beginCreation } from './begin-creation.ts';
import { type BeginContext, type Begun, newlyBegun } from './begun.ts';
import { findByName, findOnSlot, newUploadId, openSlot } from './find-upload.ts';
import { UploadError } from './storage/uploads/upload-error.ts';
import type { UploadRecord } from './storage/uploads/upload-record.ts';
import { refuseAppend, refuseBody, refuseOver } from './upload-rules.ts';

/** An upload by the slot alone carries no words of its own. */
const NOTHING_SAID = { metadata: null, concatText: null, digests: [] } as const;

/** null: given up while waiting for it. */
export async function beginUpload(context: BeginContext, command: ResumableCommand): Promise<Begun | null> {
  switch (command.type) {
    case 'create':
      return await beginCreation(context, command);
    case 'append':
      return await beginAppend(context, command);
    case 'inspect':
    case 'discard':
      return await beginOther(context, command);
    default:
      return command satisfies never;
  }
}

async function beginAppend(context: BeginContext, command: AppendUpload): Promise<Begun | null> {
  const { uploads, secrets } = context;
  const { target, protocol } = command;
  if (target.kind === 'slot') return await beginOnSlot(context, command, target);
  const record = findByName(uploads, secrets, target.name);
  refuseOver(uploads, record, protocol);
  return await goOn(context, command, record.id);
}

/** PUT with Content-Range: its first part makes the upload. */
async function beginOnSlot(context: BeginContext, command: AppendUpload, slot: Slot): Promise<Begun | null> {
  const { uploads, secrets } = context;
  const { protocol, offset, length, body } = command;
  const { key, terms } = slot;
  const { verified, storedType: type } = openSlot(key, slot.signature, secrets);
  context.onVerified(verified);
  if (!(await uploads.awaitSlot(key, context.isGivenUp))) return null;
  const record = findOnSlot(uploads, key, protocol);
  const isThere = record !== null && (offset > 0 || !uploads.isFinished(record));
  if (isThere) return await goOn(context, command, record.id);
  uploads.refuseTaken(key, context.mayReplace);
  if (offset > 0) throw new UploadError('offset-mismatch', 'nothing is there');
  const lengths = { length, maxLength: length, signedLength: length, concatenation: 'none' } as const;
  refuseBody(body, 0, lengths);
  const order = { ...lengths, ...NOTHING_SAID, id: newUploadId(), key, terms, protocol, type };
  return newlyBegun(await uploads.create(order, context), length, body);
}

/** Takes the upload over and looks again: much may have happened while its holder let go. */
async function goOn(context: BeginContext, command: AppendUpload, id: string): Promise<Begun | null> {
  const { uploads } = context;
  const held = await uploads.take(id, context.isGivenUp);
  if (held === null) return null;
  const { record } = held;
  try {
    refuseOver(uploads, record, command.protocol);
    context.onFound(record);
    refuseExtension(context, record);
    if (record.concatenation === 'final') throw new UploadError('upload-final');
    if (uploads.isFinished(record)) refuseMore(command, record);
    else refuseAppend(command, record);
    return { held, displaced: null, isNew: false, length: record.length ?? command.length, body: command.body };
  } catch (error) {
    if (isFatal(error, record)) {
      await held.discard();
      context.onDiscarded(record);
    }
    await held.release();
    throw error;
  }
}

async function beginOther(context: BeginContext, command: InspectUpload | DiscardUpload): Promise<Begun | null> {
  const { uploads, secrets } = context;
  const { target } = command;
  const record =
    target.kind === 'slot' ? await lookAtSlot(context, command, target) : findByName(uploads, secrets, target.name);
  if (record === null) return null;
  refuseOver(uploads, record, command.protocol);
  const held = await uploads.take(record.id, context.isGivenUp);
  if (held === null) return null;
  try {
    refuseOver(uploads, held.record, command.protocol);
    context.onFound(held.record);
    return { held, displaced: null, isNew: false, length: held.record.length, body: null };
  } catch (error) {
    await held.release();
    throw error;
  }
}

/** null: given up meanwhile. Errors: signature-mismatch, exists, upload-unknown. */
async function lookAtSlot(
  context: BeginContext,
  { protocol }: InspectUpload | DiscardUpload,
  slot: Slot,
): Promise<UploadRecord | null> {
  const { uploads, secrets } = context;
  context.onVerified(openSlot(slot.key, slot.signature, secrets).verified);
  if (!(await uploads.awaitSlot(slot.key, context.isGivenUp))) return null;
  const record = findOnSlot(uploads, slot.key, protocol);
  const isFinished = record !== null && uploads.isFinished(record);
  if (record !== null && !isFinished) return record;
  uploads.refuseTaken(slot.key, context.mayReplace && !isFinished);
  throw new UploadError('upload-unknown', 'nothing on the slot');
}

type Slot = Extract<AppendUpload['target'], { kind: 'slot' }>;

/** Errors: extension-disallowed. */
function refuseExtension({ allowedExtensions }: BeginContext, { path }: UploadRecord): void {
  if (allowedExtensions === null || allowedExtensions.has(extensionOf(path) ?? '')) return;
  throw new UploadError('extension-disallowed', extensionOf(path) ?? 'none');
}

/** Nothing at the end of a finished upload is what a client sends whose answer was lost. Errors: upload-complete. */
function refuseMore({ offset, body }: AppendUpload, record: UploadRecord): void {
  if (offset !== record.offset || (body.length ?? 0) > 0) throw new UploadError('upload-complete');
}

/** IETF: what grows beyond its length is invalid from then on (Upload Append). */
export function isFatal(error: unknown, { protocol }: UploadRecord): boolean {
  return protocol === 'ietf' && error instanceof UploadError && error.code === 'body-too-long';
}
