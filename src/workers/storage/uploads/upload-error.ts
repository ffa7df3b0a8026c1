/** Ways of failing that only uploads know which can be gone on with. */

import type { ResumableErrorCode } from '../../../shared/resumable.ts';
import type { StorageErrorCode } from '../../../shared/storage-error.ts';
import { toFailure } from '../storage-error.ts';

export class UploadError extends Error {
  override readonly name = 'UploadError';
  readonly code: ResumableErrorCode;

  constructor(code: ResumableErrorCode, detail: string = code) {
    super(detail);
    this.code = code;
  }
}

/** The code of any failure, and what the log is told. */
export function describeFailure(error: unknown): {
  readonly code: StorageErrorCode | ResumableErrorCode;
  readonly detail: string;
} {
  return error instanceof UploadError ? { code: error.code, detail: error.message } : toFailure(error);
}
