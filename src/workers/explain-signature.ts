/** Finds out what a refused signature was made over, among the mistakes that are common. Only for the log. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secrets } from '../shared/messages.ts';
import type { SignatureHint } from '../shared/signature.ts';
import type { SignatureQuestion } from '../shared/signature-question.ts';

/** null: nothing of what could be tried. */
export function explainSignature(question: SignatureQuestion, secrets: Secrets): SignatureHint | null {
  const { texts, readings, otherwise } = question;
  const presented = Buffer.from(question.mac, 'hex');
  const isMade = (secret: string, text: string): boolean => {
    const computed = createHmac('sha256', secret).update(text, 'utf8').digest();
    return computed.length === presented.length && timingSafeEqual(computed, presented);
  };
  // A line feed at the end of a file, or blanks around a value, are easily taken for a part of the secret.
  const spaced = secrets.flatMap((secret) => [`${secret}\n`, secret.trim()].filter((other) => other !== secret));
  if (spaced.some((secret) => texts.some((text) => isMade(secret, text)))) return 'secret-space';
  const found = readings.find(({ text }) => secrets.some((secret) => isMade(secret, text)));
  return found?.hint ?? otherwise;
}
