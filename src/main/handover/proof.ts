/**
 * How a successor proves that it is one: it knows a secret of the server that it is to follow. A secret also signs uploads,
 * so what is signed here begins as no signed upload does.
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const NONCE = /^[0-9a-f]{64}$/;

export function newNonce(): string {
  return randomBytes(32).toString('hex');
}

/** One MAC for each secret; null for a nonce that is none: whoever wants another text signed gets nothing. */
export function prove(secrets: readonly string[], nonce: string): string | null {
  return NONCE.test(nonce) ? secrets.map((secret) => macOf(secret, nonce).toString('hex')).join(' ') : null;
}

/** Whether one of the MACs belongs to one of the secrets. */
export function isProof(text: string, secrets: readonly string[], nonce: string): boolean {
  const given = text.split(' ').map((mac) => Buffer.from(mac, 'hex'));
  return secrets.some((secret) => {
    const expected = macOf(secret, nonce);
    return given.some((mac) => mac.length === expected.length && timingSafeEqual(mac, expected));
  });
}

function macOf(secret: string, nonce: string): Buffer {
  return createHmac('sha256', secret).update(`\0hmac-file-server handover\0${nonce}`).digest();
}
