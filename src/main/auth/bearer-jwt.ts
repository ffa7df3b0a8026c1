/**
 * The token with which Prosody's mod_http_file_share signs an upload to an external server: `Authorization: Bearer` and
 * a JWT (RFC 7519) with an HMAC. Its claims are compared with the request here, and proven by a worker: they count for
 * nothing before that. Every step is linear in the length of the token, and the length is bounded.
 */

import type { FileKey } from '../../shared/files.ts';

/** Room for the longest name that is stored as it stands, every byte of it escaped. */
const MAX_TOKEN_LENGTH = 32_768;
/** Of a bare JID (RFC 7622 §3.1): two parts of 1,023 bytes and the sign between them. */
const MAX_OWNER_LENGTH = 2_047;
/** The longest time that a Date can hold. */
const MAX_TIME_MS = 8.64e15;
const MS_PER_SECOND = 1_000;

const bearer = /^Bearer +/i;
const base64url = /^[0-9A-Za-z_-]+$/;
/** An HMAC-SHA256 in 43 digits. */
const macDigits = 43;

/** What a request says that its token has to agree with. */
export interface TokenRequest {
  readonly key: FileKey;
  /** Size of the file in bytes, a number or decimal digits without leading zeros. */
  readonly size: number | string;
  /** Unix time. */
  readonly nowSeconds: number;
}

export type BearerJwt =
  | {
      readonly kind: 'token';
      /** The text under the HMAC. */
      readonly signedText: string;
      /** 64 hexadecimal digits. */
      readonly mac: string;
      /** Unix time from which on the token is good for nothing, in milliseconds. */
      readonly usableUntilMs: number;
      /** When the file expires of itself; null: the token does not say. */
      readonly expiresAtMs: number | null;
      /** Who uploads: a bare JID; null: the token does not say. */
      readonly owner: string | null;
      /** The media type to store; null: the token names none. */
      readonly type: string | null;
    }
  | { readonly kind: 'expired' }
  /** `differs`: what does not agree with the request, in a token that is well-formed otherwise. */
  | { readonly kind: 'invalid'; readonly differs: 'path' | 'size' | null };

/** By name, so that no claim is ever looked for among the properties that every object has. */
type Claims = ReadonlyMap<string, unknown>;

const invalid: BearerJwt = { kind: 'invalid', differs: null };

/** The token of an Authorization field; null: the field is absent, or speaks of something else (RFC 6750 §2.1). */
export function bearerToken(authorization: string | null): string | null {
  const start = authorization === null ? null : bearer.exec(authorization);
  return start === null || authorization === null ? null : authorization.slice(start[0].length);
}

/** The size that a token claims, for requests that do not tell it; null: none. Nothing else of the token is looked at. */
export function claimedSize(token: string): number | null {
  if (token.length > MAX_TOKEN_LENGTH) return null;
  const size = jsonObject(token.split('.')[1] ?? '')?.get('filesize');
  return typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : null;
}

/** Reads a token and compares it with the request. Never throws, whatever the text. */
export function readBearerJwt(token: string, request: TokenRequest): BearerJwt {
  if (token.length > MAX_TOKEN_LENGTH) return invalid;
  const [header = '', payload = '', signature = '', ...others] = token.split('.');
  const mac = macOf(signature);
  const algorithm = jsonObject(header);
  const claims = jsonObject(payload);
  if (mac === null || algorithm === null || claims === null || others.length > 0) return invalid;
  // RFC 7515 §4.1.11: who does not understand an extension that is critical MUST refuse the token.
  if (algorithm.get('alg') !== 'HS256' || algorithm.has('crit')) return invalid;
  return readClaims(claims, { signedText: `${header}.${payload}`, mac }, request);
}

function readClaims(
  claims: Claims,
  signed: { readonly signedText: string; readonly mac: string },
  request: TokenRequest,
): BearerJwt {
  const [exp, slot, filename, size] = ['exp', 'slot', 'filename', 'filesize'].map((name) => claims.get(name));
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return invalid;
  // RFC 7519 §4.1.4: on or after this time it MUST NOT be accepted.
  if (request.nowSeconds >= exp) return { kind: 'expired' };
  if (typeof slot !== 'string' || typeof filename !== 'string') return invalid;
  if (`${slot}/${filename}` !== request.key) return { kind: 'invalid', differs: 'path' };
  // Above 2^53 a number of JSON does not say which size is meant.
  if (!Number.isSafeInteger(size)) return invalid;
  if (String(size) !== String(request.size)) return { kind: 'invalid', differs: 'size' };
  const expiresAtMs = optionalTime(claims.get('expires') ?? null);
  const owner = optionalOwner(claims.get('sub') ?? null);
  const type = claims.get('filetype') ?? null;
  if (expiresAtMs === undefined || owner === undefined || !(type === null || typeof type === 'string')) return invalid;
  return { kind: 'token', ...signed, usableUntilMs: exp * MS_PER_SECOND, expiresAtMs, owner, type };
}

/** null: none, or one that is never reached; undefined: no time. */
function optionalTime(seconds: unknown): number | null | undefined {
  if (seconds === null) return null;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return undefined;
  const ms = Math.floor(seconds * MS_PER_SECOND);
  return ms > MAX_TIME_MS ? null : Math.max(ms, 0);
}

/** null: none; undefined: no name. */
function optionalOwner(name: unknown): string | null | undefined {
  if (name === null || name === '') return null;
  return typeof name === 'string' && name.length <= MAX_OWNER_LENGTH ? name : undefined;
}

/** In hexadecimal digits; null unless it is the one spelling of 32 bytes. */
function macOf(signature: string): string | null {
  if (signature.length !== macDigits || !base64url.test(signature)) return null;
  const bytes = Buffer.from(signature, 'base64url');
  // The last digit has two bits to spare: other spellings of the same bytes are not what was signed.
  return bytes.toString('base64url') === signature ? bytes.toString('hex') : null;
}

/** null for anything but an object of JSON in UTF-8 in base64url without padding. */
function jsonObject(part: string): Claims | null {
  if (!base64url.test(part)) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url')));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? new Map(Object.entries(value)) : null;
  } catch {
    // No UTF-8, or no JSON: what else it is does not matter.
    return null;
  }
}
