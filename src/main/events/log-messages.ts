/**
 * Texts of log lines that HMAC File Server 2.0.2 wrote and operators search for. They stay as they are, to the letter.
 */

export const LOG_MESSAGES = {
  /** Field: `directory`. */
  storeIsReady: 'Store directory is ready',
  /** Fields: `filename`, `extension`. */
  disallowedExtension: 'Attempted upload with disallowed file extension',
  /** Fields: `original`, `versioned_as`. */
  rotatedVersion: 'Versioned old file',
  /** Field: `file`. */
  removedVersion: 'Removed old version',
  wrongSignature: 'Invalid MAC',
  malformedSignature: 'Invalid MAC encoding',
  noSignature: "No HMAC attached to URL. Expecting 'v', 'v2', or 'token' parameter as MAC",
} as const;
