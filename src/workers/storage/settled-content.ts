/** What stands between receiving and publishing. */

import type { FileKey } from '../../shared/files.ts';
import type { SignedTerms } from '../../shared/signature.ts';
import type { StagingFile } from './staging-file.ts';
import type { Location } from './store-layout.ts';

/** A content that is whole and as durable as configured, and invisible until it is published. */
export interface SettledContent {
  readonly file: StagingFile;
  readonly key: FileKey;
  readonly keyHash: string;
  readonly location: Location;
  /** Length in bytes. */
  readonly size: number;
  /** Media type to keep; null: the one that the extension gives. */
  readonly type: string | null;
  /** SHA-256 in lower-case hex, to be kept; null: not computed. */
  readonly sha256: string | null;
  /** Kept with it, as far as they say something. */
  readonly terms: SignedTerms;
  /** It is no replay, wherever it goes: an operator brings it back. */
  readonly mayReopen: boolean;
}
