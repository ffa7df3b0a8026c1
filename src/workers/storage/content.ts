/** The identity of one stored content: what validators, the names of records and the facts for readers are made from. */

import type { FileInfo } from '../../shared/files.ts';

/** Read from the file after its last change. No two contents of one path share it. */
export interface ContentIdentity {
  readonly mtimeNs: bigint;
  readonly size: number;
}

/** What a reader is told of the content; `type` null: the one that the extension gives. */
export function fileInfoOf(content: ContentIdentity, type: string | null): FileInfo {
  return {
    size: content.size,
    modifiedMs: Number(content.mtimeNs / 1_000_000n),
    validator: `${content.mtimeNs.toString(16)}-${content.size.toString(16)}`,
    type,
  };
}
