/**
 * What both threads say about stored files. Plain data only: everything here crosses the thread boundary by
 * structured clone.
 */

/**
 * A decoded, checked path below the store: segments joined by `/`, no empty segment, no `.` or `..`, no control
 * character, well-formed Unicode, first segment never the reserved tree. Made only by `auth/request-target.ts`.
 */
export type FileKey = string & { readonly __brand: 'FileKey' };

/** What follows the last `.` of the last segment, in ASCII lower case; null without a dot. */
export function extensionOf(key: FileKey): string | null {
  const dot = key.lastIndexOf('.');
  if (dot <= key.lastIndexOf('/')) return null;
  return key.slice(dot + 1).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The server's own tree below the store directory; no URL reaches it. Compared in ASCII lower case. */
export const RESERVED_SEGMENT = '.hfs';

/** Which syncs stand between the last byte and the acknowledgement. */
export type Durability = 'full' | 'file' | 'none';

/** What a reader needs to know about one stored content. */
export interface FileInfo {
  /** Length of the content in bytes. */
  readonly size: number;
  /** Time of last modification in milliseconds since the epoch. */
  readonly modifiedMs: number;
  /** Opaque strong validator of the content, without quotes: changes whenever the content does. */
  readonly validator: string;
  /** Stored media type; null: the one that the extension gives. */
  readonly type: string | null;
  /** SHA-256 of the content as it was stored, in hexadecimal digits; null: it was not kept. */
  readonly sha256: string | null;
}

/** What whoever stored a content may be told of it. */
export type StoredFile = Pick<FileInfo, 'size' | 'sha256'>;

/** What a deletion removed. */
export interface DeletedFile {
  /** Length of the current content. */
  readonly sizeBytes: number;
  /** How many old contents went with it. */
  readonly versions: number;
  /** Length of all of them together. */
  readonly freedBytes: number;
}

/** What became of the content that a new one took the place of. */
export interface ReplacedContent {
  /** The version that it is now; null: no old contents are kept. */
  readonly versionId: string | null;
  /** Its length in bytes. */
  readonly size: number;
  /** Older versions that were removed, because there were too many. */
  readonly removedVersions: readonly string[];
}
