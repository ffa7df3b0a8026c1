/** Outcomes and failures of the engine, as translators get them. */

import { problems, resumableProblems } from '../../src/main/http/problem.ts';
import type { UploadOutcome, UploadRefusal } from '../../src/main/upload/upload-protocol.ts';
import type { FileKey } from '../../src/shared/files.ts';
import type { ResumableCommand, ResumableFailure, UploadState } from '../../src/shared/resumable.ts';
import { RESOURCE } from './upload-request.ts';

/** An unfinished upload of 1000 bytes that has 300, given up an hour after the beginning of time. */
export function uploadState(changes: Partial<UploadState> = {}): UploadState {
  return {
    name: RESOURCE,
    key: 'a.bin' as FileKey,
    fileId: '0123456789ab',
    protocol: 'ietf',
    offset: 300,
    length: 1000,
    createdAtMs: 0,
    isComplete: false,
    expiresAtMs: 3_600_000,
    metadata: null,
    concatenation: 'none',
    concatText: null,
    ...changes,
  };
}

/** The same with its last byte. */
export function completeState(changes: Partial<UploadState> = {}): UploadState {
  return uploadState({ offset: 1000, isComplete: true, ...changes });
}

/** A command that is done; one that completed its upload says so. */
export function done(command: ResumableCommand, state: UploadState, completes = false): UploadOutcome {
  const file = { size: state.offset, modifiedMs: 0, validator: '1', type: null, sha256: null };
  return { type: 'resumable', command, outcome: { state, completed: completes ? { file, replaced: null } : null } };
}

/** What the service makes of a failure. */
export function refusalOf(code: ResumableFailure['code'], state: UploadState | null = null): UploadRefusal {
  return { problem: resumableProblems[code], failure: { code, detail: '', state, discarded: null } };
}

/** A refusal that no worker was asked for. */
export const earlyRefusal: UploadRefusal = { problem: problems.badRequest, failure: null };
