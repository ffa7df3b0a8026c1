/** Why a signature did not verify, asked by main after the refusal and answered by a lane. Only ever for the log. */

import type { SignatureHint } from './signature.ts';

/** What an issuer may have signed instead. */
export interface OtherReading {
  readonly hint: SignatureHint;
  readonly text: string;
}

export interface SignatureQuestion {
  /** 64 hexadecimal digits. */
  readonly mac: string;
  /** What was tried with the secrets as they are. */
  readonly texts: readonly string[];
  /** Tried in this order. */
  readonly readings: readonly OtherReading[];
  /** The answer when nothing of all this verifies; null: it is not known. */
  readonly otherwise: SignatureHint | null;
}
