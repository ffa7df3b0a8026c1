/**
 * A signature that still has to be verified: main parses and prepares it, a worker computes the HMAC. Nothing here is
 * secret, and nothing here is proven.
 */

/** Where a signature stood, and so what it covers. `none`: the request carried no signature. */
export type SignatureScheme = 'v' | 'v2' | 'token' | 'v3' | 'jwt' | 'delete' | 'none';

/** One reading of the signed text; its UTF-8 bytes go under the HMAC. */
export interface SignedMessage {
  readonly text: string;
  /** The media type to store when this reading verifies; null: the one that the extension gives. */
  readonly storedType: string | null;
}

/** What a signature says beyond path, size and type. It holds when the signature verifies. */
export interface SignedTerms {
  /** From then on the signature is good for nothing, in milliseconds since the epoch; null: when its secret is dropped. */
  readonly usableUntilMs: number | null;
  /** When the file expires of itself, in milliseconds since the epoch; null: as FileTTL says. */
  readonly expiresAtMs: number | null;
  /** Who uploads; null: it does not say. */
  readonly owner: string | null;
}

/** The HMAC-SHA256 that the client presented, and every text that it may cover, in order of preference. */
export interface SignatureCheck {
  readonly scheme: Exclude<SignatureScheme, 'none'>;
  /** 64 hexadecimal digits, either case, whatever the request spelled it in. */
  readonly mac: string;
  readonly messages: readonly [SignedMessage, ...SignedMessage[]];
}

/** What a refused signature was made over, as far as it can be found out; what differs comes first. */
export type SignatureHint =
  /** With UploadSubDir, which SignedPath does not say. */
  | 'whole-path'
  /** Without UploadSubDir, which SignedPath says. */
  | 'relative-path'
  /** With a slash in front. */
  | 'slash'
  /** Percent-encoded. */
  | 'encoded-path'
  /** The path of a token is another one. */
  | 'path'
  /** The type that the extension gives, which is not tried. */
  | 'extension-type'
  /** Another media type. */
  | 'type'
  /** Another number of bytes. */
  | 'size'
  /** The text of another parameter. */
  | 'scheme'
  /** White space at the ends of the secret. */
  | 'secret-space'
  /** Another secret: everything else agrees. */
  | 'secret';

/** Which of the configured secrets verified. */
export type SecretKind = 'current' | 'previous';
