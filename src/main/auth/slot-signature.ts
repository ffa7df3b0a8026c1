/**
 * What a slot URL's signature may cover: cheap checks first, then every reading of the signed text, in order of
 * preference. Nothing is proven here; a worker computes the HMAC over each reading before the upload begins.
 */

import type { SignatureResult } from '../../shared/events.ts';
import { extensionOf, type FileKey } from '../../shared/files.ts';
import type {
  SignatureCheck,
  SignatureHint,
  SignatureScheme,
  SignedMessage,
  SignedTerms,
} from '../../shared/signature.ts';
import { OCTET_STREAM, storableType, withoutParameters } from '../http/media-type.ts';
import { type Problem, problems } from '../http/problem.ts';
import { bearerToken, readBearerJwt } from './bearer-jwt.ts';
import { signedTypesOf } from './extension-types.ts';
import { fullPath } from './request-target.ts';
import { decidingMac, type SlotParameters } from './slot-parameters.ts';

/** What the settings say about signatures. */
export interface SignatureRules {
  /** Starts and ends with a slash. */
  readonly basePath: string;
  /** Which text issuers sign as the path: `relative` to the base path, `full` with it, or `either`. */
  readonly signedPath: 'relative' | 'full' | 'either';
  /** v2 and token: also try the types that issuers sign for the extension. */
  readonly typeByExtension: boolean;
  readonly acceptV3: boolean;
  /** The media type that a file without a stored type is served with. */
  readonly servedType: (key: FileKey) => string;
}

/** What a request says that its signature may cover. */
export interface SlotRequest {
  readonly key: FileKey;
  readonly parameters: SlotParameters;
  /** Size of the file in bytes, a number or decimal digits without leading zeros. */
  readonly size: number | string;
  /** The type that the client names; null or empty: it names none. */
  readonly contentType: string | null;
  /** The Authorization field; null: there is none. */
  readonly authorization: string | null;
  /** Unix time. */
  readonly nowSeconds: number;
}

export interface RefusedSignature {
  readonly kind: 'refused';
  readonly scheme: SignatureScheme;
  readonly result: SignatureResult;
  readonly problem: Problem;
  /** What does not fit, where that is known without an HMAC. */
  readonly hint: SignatureHint | null;
}

export type SlotSignature =
  | {
      readonly kind: 'check';
      readonly check: SignatureCheck;
      /** The types of the readings, for the log; empty where the scheme covers no type. */
      readonly triedTypes: readonly string[];
      readonly terms: SignedTerms;
    }
  | RefusedSignature;

type NonEmpty<T> = readonly [T, ...T[]];
type Messages = NonEmpty<SignedMessage>;

/** For as long as the secret is in use. */
const noTerms: SignedTerms = { usableUntilMs: null, expiresAtMs: null, owner: null };

const hexDigits = /^[0-9A-Fa-f]*$/;
const macDigits = 64;
const expiresDigits = /^[0-9]{1,15}$/;

/**
 * Prepares the check of the signature on an upload. The method under a `v3` signature is PUT whatever the request's is.
 * With a MAC in the query the Authorization field is not looked at: it may belong to a proxy.
 */
export function readSlotSignature(request: SlotRequest, rules: SignatureRules): SlotSignature {
  const mac = decidingMac(request.parameters);
  if (mac === null) return readToken(request, rules);
  const { scheme, value } = mac;
  const malformed = refuseMalformedMac(scheme, value);
  if (malformed !== null) return malformed;
  switch (scheme) {
    case 'v3':
      return readV3(request, value, rules);
    case 'v2':
    case 'token': {
      const triedTypes = typeCandidates(request, rules.typeByExtension);
      const messages = typedMessages(request, rules, triedTypes);
      return { kind: 'check', check: { scheme, mac: value, messages }, triedTypes, terms: noTerms };
    }
    case 'v': {
      const storedType = unsignedType(request, rules);
      const messages = mapEach(signedPaths(request.key, rules), (path) => ({
        text: `${path} ${request.size}`,
        storedType,
      }));
      return { kind: 'check', check: { scheme, mac: value, messages }, triedTypes: [], terms: noTerms };
    }
    default:
      return scheme satisfies never;
  }
}

/**
 * Prepares the check of the signature on a deletion (Metronome). The reading contains the delete secret: it must not be
 * logged.
 * @param deleteSecret not empty; without one there is no DELETE, and so no call.
 */
export function readDeleteSignature(
  request: Pick<SlotRequest, 'key' | 'parameters'>,
  rules: Pick<SignatureRules, 'basePath' | 'signedPath'>,
  deleteSecret: string,
): SlotSignature {
  const mac = decidingMac(request.parameters);
  if (mac === null) return refusal('none', 'missing', problems.noSignature);
  // Only `token` deletes: with a higher version beside it, that one decides, and it signs uploads.
  if (mac.scheme !== 'token' || deleteSecret === '') return refusal('delete', 'mismatch', problems.invalidMac);
  const malformed = refuseMalformedMac('delete', mac.value);
  if (malformed !== null) return malformed;
  const messages = mapEach(signedPaths(request.key, rules), (path) => ({
    text: `${path}\0${deleteSecret}`,
    storedType: null,
  }));
  return { kind: 'check', check: { scheme: 'delete', mac: mac.value, messages }, triedTypes: [], terms: noTerms };
}

/** `map` that knows that something stays something. */
function mapEach(items: NonEmpty<string>, toMessage: (item: string) => SignedMessage): Messages {
  const [first, ...others] = items;
  return [toMessage(first), ...others.map(toMessage)];
}

function refusal(
  scheme: SignatureScheme,
  result: SignatureResult,
  problem: Problem,
  hint: SignatureHint | null = null,
): RefusedSignature {
  return { kind: 'refused', scheme, result, problem, hint };
}

/** The text is checked, because decoding hexadecimal digits stops silently at the first wrong one. */
function refuseMalformedMac(scheme: SignatureScheme, value: string): RefusedSignature | null {
  if (value.length % 2 !== 0 || !hexDigits.test(value)) return refusal(scheme, 'encoding', problems.macEncoding);
  return value.length === macDigits ? null : refusal(scheme, 'mismatch', problems.invalidMac);
}

function readV3(request: SlotRequest, mac: string, rules: SignatureRules): SlotSignature {
  const { expires } = request.parameters;
  if (!rules.acceptV3 || expires === null || !expiresDigits.test(expires)) {
    return refusal('v3', 'mismatch', problems.invalidMac);
  }
  if (request.nowSeconds >= Number(expires)) return refusal('v3', 'expired', problems.signatureExpired);
  const text = `PUT\n${expires}\n/${fullPath(request.key, rules.basePath)}`;
  const messages: Messages = [{ text, storedType: unsignedType(request, rules) }];
  const terms = { ...noTerms, usableUntilMs: Number(expires) * 1_000 };
  return { kind: 'check', check: { scheme: 'v3', mac, messages }, triedTypes: [], terms };
}

/** The type is the token's: the client's own is not looked at. */
function readToken(request: SlotRequest, rules: SignatureRules): SlotSignature {
  const token = bearerToken(request.authorization);
  if (token === null) return refusal('none', 'missing', problems.noSignature);
  const read = readBearerJwt(token, request);
  switch (read.kind) {
    case 'expired':
      return refusal('jwt', 'expired', problems.signatureExpired);
    case 'invalid':
      return refusal('jwt', 'mismatch', problems.invalidToken, read.differs);
    case 'token': {
      const { signedText: text, mac, type, usableUntilMs, expiresAtMs, owner } = read;
      const storedType = differingType(type ?? OCTET_STREAM, rules.servedType(request.key));
      const check: SignatureCheck = { scheme: 'jwt', mac, messages: [{ text, storedType }] };
      return { kind: 'check', check, triedTypes: [], terms: { usableUntilMs, expiresAtMs, owner } };
    }
    default:
      return read satisfies never;
  }
}

/** The paths that may be under the MAC, without duplicates. */
function signedPaths(key: FileKey, rules: Pick<SignatureRules, 'basePath' | 'signedPath'>): NonEmpty<string> {
  if (rules.signedPath === 'relative' || rules.basePath === '/') return [key];
  const whole = fullPath(key, rules.basePath);
  return rules.signedPath === 'full' ? [whole] : [key, whole];
}

/** The types that may be under the MAC, without duplicates: the client's, as browsers change it, the extension's. */
function typeCandidates(request: SlotRequest, triesExtension: boolean): NonEmpty<string> {
  const named = request.contentType ?? '';
  const candidates: [string, ...string[]] = [named === '' ? OCTET_STREAM : named];
  const add = (type: string): void => {
    if (!candidates.includes(type)) candidates.push(type);
  };
  add(withoutParameters(named));
  if (triesExtension) for (const type of signedTypesOf(extensionOf(request.key))) add(type);
  return candidates;
}

/** Every path with every type, in that order. */
function typedMessages(request: SlotRequest, rules: SignatureRules, types: NonEmpty<string>): Messages {
  const served = rules.servedType(request.key);
  const messagesOf = (path: string): Messages =>
    mapEach(types, (type) => ({
      text: `${path}\0${request.size}\0${type}`,
      storedType: differingType(type, served),
    }));
  const [first, ...others] = signedPaths(request.key, rules);
  return [...messagesOf(first), ...others.flatMap(messagesOf)];
}

/** The type to store for a scheme that covers none: the one that the client names, if it does. */
function unsignedType(request: SlotRequest, rules: SignatureRules): string | null {
  if (request.contentType === null || request.contentType === '') return null;
  return differingType(request.contentType, rules.servedType(request.key));
}

/** A type that serving would give by itself needs no record beside the file. */
function differingType(type: string, served: string): string | null {
  if (type === served) return null;
  const stored = storableType(type);
  return stored === served ? null : stored;
}
