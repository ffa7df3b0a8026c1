/** What publishing a content yields. */

import type { ReplacedContent, StoredFile } from '../../shared/files.ts';

/** What a commit did. */
export interface Committed {
  /** The current content: the upload's, or the same one that was there before. */
  readonly file: StoredFile;
  /** null: there was none, or the same. */
  readonly replaced: ReplacedContent | null;
  /** How much more is stored because of it, and how much of older contents is not any more. */
  readonly storedBytes: number;
  readonly freedBytes: number;
}
