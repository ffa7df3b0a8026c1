/**
 * Permission to upload. Whoever holds a grant may open a transfer for exactly that file and size; the one thing still
 * open is the HMAC, which the worker verifies before the first byte is taken.
 */

import type { UploadProtocol } from '../../shared/events.ts';
import { extensionOf, type FileKey } from '../../shared/files.ts';
import type { SignatureCheck, SignedTerms } from '../../shared/signature.ts';
import { disallowedExtension, type Problem, problems } from '../http/problem.ts';
import { bearerToken, claimedSize } from './bearer-jwt.ts';
import { decidingMac } from './slot-parameters.ts';
import { type RefusedSignature, readSlotSignature, type SignatureRules, type SlotRequest } from './slot-signature.ts';

export interface UploadGrant {
  readonly key: FileKey;
  /** The body, or the finished upload, has exactly this length. */
  readonly sizeBytes: number;
  readonly protocol: UploadProtocol;
  /** Not verified yet. */
  readonly signature: SignatureCheck;
  /** Types under the readings of the signature, for the log. */
  readonly triedTypes: readonly string[];
  /** What else the signature says. */
  readonly terms: SignedTerms;
}

/** What the settings say about uploads. */
export interface UploadRules extends SignatureRules {
  /** Lower case, without the dot; `''` stands for names without an extension. null: all are allowed. */
  readonly allowedExtensions: ReadonlySet<string> | null;
  /** null: no limit. */
  readonly maxUploadBytes: number | null;
}

export interface UploadRequest extends Omit<SlotRequest, 'size'> {
  readonly protocol: UploadProtocol;
  /** null: the request does not tell it. */
  readonly sizeBytes: number | null;
}

export type UploadAuthorization =
  | { readonly kind: 'granted'; readonly grant: UploadGrant }
  | {
      readonly kind: 'refused';
      readonly problem: Problem;
      /** What is wrong with the signature; null: something else is, and nothing is known about the signature. */
      readonly signature: Pick<RefusedSignature, 'scheme' | 'result' | 'hint'> | null;
      /** The extension that is not allowed (`''`: the name has none); null: something else is wrong. */
      readonly disallowedExtension: string | null;
    };

/**
 * Makes the checks of an upload that need neither HMAC nor store, in the order in which they are answered: no length
 * (411), no signature, malformed or expired signature (403), extension (403), size limit (413).
 *
 * Observable: a request without a well-formed, unexpired signature learns nothing about extensions and limits. One with
 * a well-formed but wrong MAC gets the same answers to them as a signed one, before its MAC is found wrong: so the body
 * of a file that is refused anyway is never read, and both are settings that every user of the server may know.
 * What needs a valid MAC (whether the file exists, whether there is room) is decided behind it.
 */
export function authorizeUpload(request: UploadRequest, rules: UploadRules): UploadAuthorization {
  const { sizeBytes, protocol, ...slot } = request;
  const { key } = slot;
  if (sizeBytes === null) return refused(problems.lengthRequired);
  const signature = readSlotSignature({ ...slot, size: sizeBytes }, rules);
  if (signature.kind === 'refused') {
    const { problem, scheme, result, hint } = signature;
    return { kind: 'refused', problem, signature: { scheme, result, hint }, disallowedExtension: null };
  }
  const { allowedExtensions, maxUploadBytes } = rules;
  const extension = extensionOf(key) ?? '';
  if (allowedExtensions !== null && !allowedExtensions.has(extension)) {
    return refused(disallowedExtension(allowedExtensions), extension);
  }
  if (maxUploadBytes !== null && sizeBytes > maxUploadBytes) return refused(problems.tooLarge);
  const { check, triedTypes, terms } = signature;
  return { kind: 'granted', grant: { key, sizeBytes, protocol, signature: check, triedTypes, terms } };
}

/** What a request that creates an upload says about lengths. */
export interface CreationRequest extends Omit<UploadRequest, 'sizeBytes'> {
  /** Length of the finished file; null: the request does not tell it (deferred, chunked coding, a concatenation). */
  readonly declaredBytes: number | null;
}

/** Permission to create an upload that can be gone on with. */
export interface CreationGrant extends UploadGrant {
  /** The finished file has exactly this length; null: its signature covers none. */
  readonly signedBytes: number | null;
  /** Nothing that the upload receives may be longer; null: no limit. */
  readonly maxBytes: number | null;
}

export type CreationAuthorization = { readonly kind: 'granted'; readonly grant: CreationGrant } | Refused;

const sizeDigits = /^(?:0|[1-9][0-9]{0,15})$/;

/**
 * The checks of `authorizeUpload` for a creation: where the request does not declare the length of the file, the `s` of
 * the slot URL, or the claim of a token, stands under the MAC, and so is authentic. A declared length beside another one
 * is refused (403), no length at all as well (400). `v3` signs no length, so it must be declared.
 */
export function authorizeCreation(request: CreationRequest, rules: UploadRules): CreationAuthorization {
  const { declaredBytes } = request;
  const isSizeSigned = decidingMac(request.parameters)?.scheme !== 'v3';
  const named = isSizeSigned ? namedSize(request) : null;
  if (named === 'malformed') return refused(problems.badRequest);
  if (named !== null && declaredBytes !== null && named !== declaredBytes) return refused(problems.invalidMac);
  const sizeBytes = declaredBytes ?? named;
  if (sizeBytes === null) return refused(problems.badRequest);
  const authorization = authorizeUpload({ ...request, sizeBytes }, rules);
  if (authorization.kind === 'refused') return authorization;
  const { grant } = authorization;
  const signedBytes = isSizeSigned ? grant.sizeBytes : null;
  return { kind: 'granted', grant: { ...grant, signedBytes, maxBytes: signedBytes ?? rules.maxUploadBytes } };
}

/** The size beside the signature, or within it; null: there is none. */
function namedSize({ parameters, authorization, declaredBytes }: CreationRequest): number | 'malformed' | null {
  if (decidingMac(parameters) !== null) return parameters.s === null ? null : readSize(parameters.s);
  // A token is compared with what the request declares.
  const token = declaredBytes === null ? bearerToken(authorization) : null;
  return token === null ? null : claimedSize(token);
}

function readSize(text: string): number | 'malformed' {
  const size = sizeDigits.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(size) ? size : 'malformed';
}

type Refused = Extract<UploadAuthorization, { kind: 'refused' }>;

/** A refusal that has nothing to do with the signature. `extension`: what is not allowed, when that is the reason. */
export function refused(problem: Problem, extension: string | null = null): Refused {
  return { kind: 'refused', problem, signature: null, disallowedExtension: extension };
}
