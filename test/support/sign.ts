/**
 * The issuer's and the worker's side of signatures, written independently of the server's own code: signs slot URLs as
 * XMPP servers do, and verifies prepared checks.
 */

import { createHmac } from 'node:crypto';
import type { SignatureCheck, SignedMessage } from '../../src/shared/signature.ts';

/** HMAC-SHA256 of the UTF-8 bytes of a text, 64 lower-case hexadecimal digits. */
export function hmacHex(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text, 'utf8').digest('hex');
}

/** MAC of `?v=`. */
export function signV(secret: string, path: string, size: number | string): string {
  return hmacHex(secret, `${path} ${size}`);
}

/** MAC of `?v2=` and `?token=`. */
export function signV2(secret: string, path: string, size: number | string, type: string): string {
  return hmacHex(secret, `${path}\0${size}\0${type}`);
}

/** MAC of `?v3=`; `wholePath` begins with a slash. */
export function signV3(secret: string, wholePath: string, expires: number | string): string {
  return hmacHex(secret, `PUT\n${expires}\n${wholePath}`);
}

/** MAC of `?token=` on DELETE. */
export function signDelete(secret: string, path: string, deleteSecret: string): string {
  return hmacHex(secret, `${path}\0${deleteSecret}`);
}

/** A token of mod_http_file_share: the claims as they are, so that wrong ones can be signed too. */
export function signJwt(secret: string, claims: object, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** Percent-encodes each segment of a path as Prosody does, but with upper-case digits. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** Request target of a slot with a `v` signature, to PUT `size` bytes to. */
export function slotTarget(secret: string, basePath: string, path: string, size: number): string {
  return `${basePath}${encodePath(path)}?v=${signV(secret, path, size)}`;
}

/** The first reading that verifies with one of the secrets, and the number of that secret; null when none does. */
export function verifyCheck(
  check: SignatureCheck,
  secrets: readonly string[],
): { readonly message: SignedMessage; readonly secret: number } | null {
  const mac = check.mac.toLowerCase();
  for (const [secret, text] of secrets.entries()) {
    const message = check.messages.find((candidate) => hmacHex(text, candidate.text) === mac);
    if (message !== undefined) return { message, secret };
  }
  return null;
}
