/** A pass over the store, as its parts see it: what they are given, and what they may do with a stored file. */

import type { ExpiryRule } from '../../../shared/expiry-rule.ts';
import type { FileKey } from '../../../shared/files.ts';
import type { OwnerUsage } from '../../../shared/owner-usage.ts';
import type { SharedCount } from '../../../shared/shared-count.ts';
import type { SweepTotals } from '../../../shared/sweep-report.ts';
import type { Folder } from '../folder.ts';
import type { OwnerTally } from '../owner-tally.ts';
import type { UploadSweepContext } from '../uploads/sweep-uploads.ts';
import type { RemovalContext } from './remove-expired.ts';

export interface SweepContext extends RemovalContext {
  readonly rule: ExpiryRule;
  /** Counts folders that are removed, before and after each: who remembers one by its name must hear of it. */
  readonly prunedFolders: SharedCount;
  readonly uploads: UploadSweepContext;
  readonly ownerUsage: OwnerUsage;
  /** How many files there were in the last pass; null: not known. */
  readonly knownFiles: number | null;
}

/** Figures of a pass that is going on. */
export type SweepFigures = { -readonly [K in keyof SweepTotals]: SweepTotals[K] };

export interface FileSweep {
  readonly figures: SweepFigures;
  readonly owners: OwnerTally;
  /** Counts a stored file. */
  count(sizeBytes: number): void;
  /** Removes a file that is too old, unless it is only to be announced. Returns whether it is gone. */
  expireByAge(
    folder: Folder,
    name: string,
    key: FileKey,
    stats: { readonly mtimeMs: number; readonly size: number },
  ): boolean;
  /** Removes a file whose time is over, as far as this pass may. Returns whether it is gone. */
  remove(
    folder: Folder,
    name: string,
    key: FileKey,
    file: { readonly isExpired: (modifiedMs: number) => boolean; readonly size: number },
  ): boolean;
  /** The folder stays open no longer. */
  settleFolder(folder: Folder): void;
}
