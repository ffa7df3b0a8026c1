/** The short ids by which the store remembers secrets: made with the secret, and far too short to find it by. */

import { createHmac } from 'node:crypto';
import { MAX_SECRET_ID } from '../shared/secret-ids.ts';
import type { Config } from './config/config.ts';

const TEXT = 'hmac-file-server secret id';

export function idsOfSecrets({
  secret,
  previousSecrets,
}: Pick<Config, 'secret' | 'previousSecrets'>): readonly number[] {
  return [secret, ...previousSecrets].map(idOf);
}

function idOf(secret: string): number {
  const digest = createHmac('sha256', secret).update(TEXT).digest();
  return (digest.readUInt32BE(0) % MAX_SECRET_ID) + 1;
}
