/**
 * The generated secret: made once, when none is configured, and kept beside the store, never inside it, where it would be
 * served. Readable by its owner only.
 */

import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config, UnresolvedConfig } from './config.ts';
import { deepFreeze } from './deep-freeze.ts';
import { errorCode, explainSystemError, readTextFile } from './read-text-file.ts';

const MAX_SECRET_FILE_BYTES = 65_536;
const SECRET_BYTES = 32;

/** The file of the generated secret cannot be used. The message says which file, why, and what to do; never the secret. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
}

export interface ResolvedSecret {
  readonly config: Config;
  /** Absolute path of the generated secret; null: the secret is configured. */
  readonly secretFile: string | null;
  /** The secret was made just now. */
  readonly isNew: boolean;
}

/** A fresh secret: 32 random bytes in base64url, 43 characters. */
export function generateSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** Where the generated secret of a store lies. */
export function secretFileOf(storeDir: string): string {
  return `${storeDir}.secret`;
}

/** Drops the one line end that editors and `echo` leave. Everything else belongs to the secret. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/**
 * The generated secret of a store; null when there is none yet. Creates nothing.
 *
 * @throws {SecretFileError} when the file is there but unreadable, blank, or open to others.
 */
export function readGeneratedSecret(storeDir: string): string | null {
  const path = secretFileOf(storeDir);
  const file = readTextFile(path, MAX_SECRET_FILE_BYTES);
  if (!file.ok) {
    if (file.code === 'ENOENT') return null;
    throw new SecretFileError(`cannot read the secret file ${path}: ${file.message}`);
  }
  if (!file.isRegular) throw new SecretFileError(`the secret file ${path} is no regular file`);
  if ((file.mode & 0o077) !== 0) {
    const mode = file.mode.toString(8).padStart(4, '0');
    throw new SecretFileError(`the secret file ${path} is open to others (mode ${mode}); run: chmod 600 '${path}'`);
  }
  const secret = withoutLineEnd(file.text);
  if (secret.trim() === '' || secret.includes('\0')) {
    throw new SecretFileError(`the secret file ${path} holds no secret; delete it, and a new one is made`);
  }
  return secret;
}

/** Writes a file that only its owner may read, whatever the umask is, and waits until it is on disk. */
export function writePrivateFile(path: string, text: string): void {
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    fchmodSync(descriptor, 0o600);
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Puts the secret under its name in one step, so that a crash leaves no half of it. False: another start was faster. */
function createSecretFile(path: string, secret: string): boolean {
  const folder = dirname(path);
  const staged = `${path}.${process.pid}.new`;
  mkdirSync(folder, { recursive: true, mode: 0o750 });
  rmSync(staged, { force: true });
  writePrivateFile(staged, `${secret}\n`);
  try {
    linkSync(staged, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(staged, { force: true });
    syncFolder(folder);
  }
}

function createGeneratedSecret(storeDir: string): { readonly secret: string; readonly isNew: boolean } {
  const path = secretFileOf(storeDir);
  const secret = generateSecret();
  try {
    if (createSecretFile(path, secret)) return { secret, isNew: true };
  } catch (error) {
    const reason = explainSystemError(error);
    throw new SecretFileError(
      `cannot write the secret file ${path}: ${reason}; set Secret, or make the folder writable`,
      {
        cause: error,
      },
    );
  }
  const other = readGeneratedSecret(storeDir);
  if (other === null) throw new SecretFileError(`the secret file ${path} came and went; start again`);
  return { secret: other, isNew: false };
}

/**
 * Completes a configuration with its secret: the configured one, the one generated earlier, or a fresh one, which is
 * written before it is used.
 *
 * @throws {SecretFileError}
 */
export function resolveSecret(unresolved: UnresolvedConfig): ResolvedSecret {
  const { secret } = unresolved;
  if (secret !== null) return { config: deepFreeze({ ...unresolved, secret }), secretFile: null, isNew: false };
  const { storeDir } = unresolved;
  const earlier = readGeneratedSecret(storeDir);
  const found = earlier === null ? createGeneratedSecret(storeDir) : { secret: earlier, isNew: false };
  const config: Config = deepFreeze({ ...unresolved, secret: found.secret, secretSource: 'generated' });
  return { config, secretFile: secretFileOf(storeDir), isNew: found.isNew };
}
