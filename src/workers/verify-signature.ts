/** HMAC-SHA256 over the texts that a signature may cover: the first step of every upload job, in constant time. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secrets } from '../shared/messages.ts';
import type { SecretKind, SignatureCheck, SignedMessage } from '../shared/signature.ts';

const MAC_BYTES = 32;

/** What verified: which secret, and which reading of the signed text. */
export interface Verified {
  readonly secret: SecretKind;
  readonly message: SignedMessage;
}

/**
 * Tries every text with every secret, the current secret and the preferred text first. All MACs are computed before
 * anything is decided, so that the time tells nothing of which one matched. null: nothing verifies.
 */
export function verifySignature(check: SignatureCheck, secrets: Secrets): Verified | null {
  const presented = Buffer.from(check.mac, 'hex');
  // timingSafeEqual throws on other lengths, and hex decoding stops silently at the first bad or lonely digit.
  if (presented.length !== MAC_BYTES || check.mac.length !== 2 * MAC_BYTES) return null;
  let verified: Verified | null = null;
  for (const secret of secrets) {
    for (const message of check.messages) {
      const isEqual = timingSafeEqual(presented, hmacOf(message.text, secret));
      if (isEqual && verified === null) verified = { secret: secret === secrets[0] ? 'current' : 'previous', message };
    }
  }
  return verified;
}

/** By way of digits: a digest as bytes brings memory of its own, outside the heap, which takes longer than the hash. */
function hmacOf(text: string, secret: string): Buffer {
  return Buffer.from(createHmac('sha256', secret).update(text, 'utf8').digest('hex'), 'hex');
}
