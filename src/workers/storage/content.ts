/** The identity of one stored content: what validators, the names of records and the facts for readers are made from. */

import type { FileInfo } from '../../shared/files.ts';

/** Read from the file after its last change. No two contents of one path share it. */
export interface ContentIdentity {
  readonly mtimeNs: bigint;
  readonly size: number;
}

/** What a reader is told of the content, and what was kept of it. */
export function fileInfoOf(content: ContentIdentity, { type, sha256 }: Pick<FileInfo, 'type' | 'sha256'>): FileInfo {
  return {
    size: content.size,
    modifiedMs: Number(content.mtimeNs / 1_000_000n),
    validator: `${content.mtimeNs.toString(16)}-${content.size.toString(16)}`,
    type,
    sha256,
  };
}
