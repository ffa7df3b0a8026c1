/** What every running upload is given, whatever it does with its body. */

import type { FileKey } from '../../shared/files.ts';
import type { ResumableFailure } from '../../shared/resumable.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Problem } from '../http/problem.ts';
import type { StoreHealth } from '../store-health.ts';
import type { ReadGate } from './read-gate.ts';
import type { UploadOutcome } from './upload-protocol.ts';
import type { UploadReport } from './upload-report.ts';
import type { UploadTransferDependencies } from './upload-transfer.ts';

/** How an upload ended. `failure` is set when a worker refused or failed it. */
export type UploadEnd =
  | { readonly kind: 'done'; readonly outcome: UploadOutcome }
  | { readonly kind: 'refused'; readonly problem: Problem; readonly failure: ResumableFailure | null };

export type OnEnd = (end: UploadEnd) => void;

export interface RunningUploadParts extends Pick<UploadTransferDependencies, 'lane' | 'buffers' | 'reapLanes'> {
  readonly gate: ReadGate;
  readonly exchange: Exchange;
  readonly report: UploadReport;
  readonly health: StoreHealth;
  /** Of an existing file that the upload replaces; null: slots are used once. */
  readonly keepVersions: number | null;
  /** Told of every file that appears under a name. */
  readonly onStored: (key: FileKey) => void;
  /** The outcome is decided, also where nobody is left to be told. Called once. */
  readonly onOver: () => void;
  readonly onEnd: OnEnd;
}

/** A failure that says nothing about an upload which can be gone on with. */
export function plainFailure(failure: StorageFailure): ResumableFailure {
  return { ...failure, state: null, discarded: null };
}

export const noBufferFailure: StorageFailure = { code: 'overloaded', detail: 'no transfer buffer is free' };
