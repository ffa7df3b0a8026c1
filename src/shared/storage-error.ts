/**
 * The closed set of ways in which a worker can fail a job. Workers answer these as data; main maps each of them to one
 * answer. System error codes stay in `detail`, for the log, never for the client.
 */

export type StorageErrorCode =
  /** The MAC does not verify with any secret and any reading. */
  | 'signature-mismatch'
  /** A file has that name already. */
  | 'exists'
  /** A file stands where a folder is needed, or a folder where the file should be, or a link. */
  | 'path-conflict'
  /** No regular file has that name. */
  | 'not-found'
  /** ENOSPC, EDQUOT, or less than the configured reserve would remain. */
  | 'no-space'
  /** Its owner would have more than OwnerQuota. */
  | 'over-quota'
  /** EFBIG: larger than the file system allows. */
  | 'too-large'
  /** More or fewer bytes arrived than were signed. */
  | 'size-mismatch'
  /** The bytes do not hash to what was announced. */
  | 'digest-mismatch'
  /** EROFS, ESTALE, or the store directory, or its own folders, are gone. */
  | 'store-unavailable'
  /** EMFILE, ENFILE. */
  | 'too-many-files'
  /** More body bytes wait for the disk than memory allows. */
  | 'overloaded'
  /** EACCES, EPERM: something in the store belongs to somebody else. EXDEV: a folder lies on another file system. */
  | 'denied'
  /** EIO and every other system error. */
  | 'io'
  /** The thread that held the transfer died. */
  | 'worker-lost';

export interface StorageFailure {
  readonly code: StorageErrorCode;
  /** System error code and call (`ENOSPC write`), for the log. */
  readonly detail: string;
}
