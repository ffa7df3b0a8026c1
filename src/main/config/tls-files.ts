/**
 * The certificate of the public port and its key. Both are read and held against each other before anything listens, and
 * again on every reload, because the library that uses them only says that it cannot.
 */

import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import type { TlsConfig } from './config.ts';
import { accepted, type Checked, quote, refused } from './given-value.ts';
import { readTextFile } from './read-text-file.ts';

/** A chain of a handful of certificates. */
const MAX_FILE_BYTES = 262_144;

export interface TlsSettings {
  readonly TLSCertFile: string;
  readonly TLSKeyFile: string;
  readonly UnixSocket: boolean;
}

/** null: without TLS. The message of a refusal begins with the key that is wrong. */
export function resolveTls(settings: TlsSettings, cwd: string): Checked<TlsConfig | null> {
  const { TLSCertFile, TLSKeyFile, UnixSocket } = settings;
  if (TLSCertFile === '' && TLSKeyFile === '') return accepted(null);
  if (TLSCertFile === '') return refused('TLSKeyFile is set without TLSCertFile; both belong together');
  if (TLSKeyFile === '') return refused('TLSCertFile is set without TLSKeyFile; both belong together');
  if (UnixSocket)
    return refused('TLSCertFile cannot be used with UnixSocket = true; the proxy speaks TLS, not the socket');
  return readPair(resolve(cwd, TLSCertFile), resolve(cwd, TLSKeyFile));
}

function readPair(certFile: string, keyFile: string): Checked<TlsConfig> {
  const certText = read('TLSCertFile', certFile);
  if (!certText.ok) return certText;
  const keyText = read('TLSKeyFile', keyFile);
  if (!keyText.ok) return keyText;
  const certificate = parseCertificate(certFile, certText.value.text);
  if (!certificate.ok) return certificate;
  const key = parseKey(keyFile, keyText.value.text);
  if (!key.ok) return key;
  if (!certificate.value.checkPrivateKey(key.value)) {
    return refused(`TLSKeyFile = ${quote(keyFile)} is not the key of the first certificate in ${quote(certFile)}`);
  }
  const fingerprint = createHash('sha256').update(certText.value.text).update('\0').update(keyText.value.text);
  return accepted({
    certFile,
    keyFile,
    fingerprint: fingerprint.digest('hex'),
    expiresMs: Date.parse(certificate.value.validTo),
    isKeyWorldReadable: (keyText.value.mode & 0o007) !== 0,
  });
}

function read(name: string, path: string): Checked<{ readonly text: string; readonly mode: number }> {
  const file = readTextFile(path, MAX_FILE_BYTES);
  return file.ok ? accepted(file) : refused(`${name} = ${quote(path)} cannot be read: ${file.message}`);
}

function parseCertificate(file: string, text: string): Checked<X509Certificate> {
  try {
    return accepted(new X509Certificate(text));
  } catch {
    // What OpenSSL says of it helps nobody.
    return refused(`TLSCertFile = ${quote(file)} holds no certificate in PEM form ("-----BEGIN CERTIFICATE-----")`);
  }
}

function parseKey(file: string, text: string): Checked<KeyObject> {
  if (/ENCRYPTED/.test(text))
    return refused(`TLSKeyFile = ${quote(file)} is encrypted; a server needs it without a password`);
  try {
    return accepted(createPrivateKey(text));
  } catch {
    // The same.
    return refused(`TLSKeyFile = ${quote(file)} holds no private key in PEM form ("-----BEGIN PRIVATE KEY-----")`);
  }
}
