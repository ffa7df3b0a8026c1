/**
 * What an issuer may have signed instead of what the request says: common mistakes, each with a name. Only looked at when
 * a signature did not verify, and only for the log: none of these texts ever opens anything.
 */

import { extensionOf } from '../../shared/files.ts';
import type { SignatureHint } from '../../shared/signature.ts';
import type { OtherReading, SignatureQuestion } from '../../shared/signature-question.ts';
import { OCTET_STREAM } from '../http/media-type.ts';
import { allSignedTypes, signedTypesOf } from './extension-types.ts';
import type { UploadGrant } from './grant.ts';
import { fullPath } from './request-target.ts';
import type { SignatureRules } from './slot-signature.ts';

/** Ciphertext is a little longer than what was announced; so are other miscounts. */
const NEAR_BYTES = 32;

type RefusedGrant = Pick<UploadGrant, 'key' | 'sizeBytes' | 'signature' | 'triedTypes'>;

/** What a lane has to try to find out why this signature does not verify. */
export function questionAbout(grant: RefusedGrant, rules: SignatureRules): SignatureQuestion {
  const { mac, messages, scheme } = grant.signature;
  const texts = messages.map(({ text }) => text);
  const tried = new Set(texts);
  const readings = scheme === 'v' || scheme === 'v2' || scheme === 'token' ? otherReadings(grant, rules) : [];
  // A token that agrees with its request in everything can only have been made with another secret.
  const otherwise = scheme === 'jwt' ? 'secret' : null;
  return { mac, texts, readings: readings.filter(({ text }) => !tried.has(text)), otherwise };
}

function otherReadings(grant: RefusedGrant, rules: SignatureRules): readonly OtherReading[] {
  const { key, sizeBytes, signature, triedTypes } = grant;
  const path = rules.signedPath === 'full' ? fullPath(key, rules.basePath) : key;
  const types = triedTypes.length > 0 ? triedTypes : [OCTET_STREAM, ''];
  const textsOf = (aPath: string, size: string, someTypes: readonly string[]): readonly string[] =>
    signature.scheme === 'v' ? [`${aPath} ${size}`] : someTypes.map((type) => `${aPath}\0${size}\0${type}`);
  const named = (hint: SignatureHint, texts: readonly string[]): readonly OtherReading[] =>
    texts.map((text) => ({ hint, text }));
  const size = String(sizeBytes);
  return [
    ...otherPaths(key, rules).flatMap(([hint, other]) => named(hint, textsOf(other, size, types))),
    ...otherTypes(key).flatMap(([hint, other]) =>
      named(hint, signature.scheme === 'v' ? [] : textsOf(path, size, other)),
    ),
    ...nearSizes(sizeBytes).flatMap((near) => named('size', textsOf(path, near, types.slice(0, 2)))),
    ...named('scheme', otherSchemes(path, size, types)),
  ];
}

/** For schemes that cover a type. */
function otherTypes(key: UploadGrant['key']): readonly (readonly [SignatureHint, readonly string[]])[] {
  return [
    ['extension-type', signedTypesOf(extensionOf(key))],
    ['type', ['', OCTET_STREAM, ...allSignedTypes()]],
  ];
}

/** The same file by other texts; those that are tried anyway are left out later. */
function otherPaths(key: UploadGrant['key'], rules: SignatureRules): readonly (readonly [SignatureHint, string])[] {
  const whole = fullPath(key, rules.basePath);
  const encoded = key.split('/').map(encodeURIComponent).join('/');
  return [
    ['whole-path', whole],
    ['relative-path', key],
    ['slash', `/${key}`],
    ['slash', `/${whole}`],
    ['encoded-path', encoded],
    ['encoded-path', encoded.replaceAll(/%[0-9A-F]{2}/g, (octet) => octet.toLowerCase())],
  ];
}

function nearSizes(sizeBytes: number): readonly string[] {
  const sizes = Array.from({ length: 2 * NEAR_BYTES + 1 }, (_, index) => sizeBytes + index - NEAR_BYTES);
  // Some programs write a number with a fraction.
  return [`${sizeBytes}.0`, ...sizes.filter((size) => size >= 0 && size !== sizeBytes).map(String)];
}

/** Right, but for another parameter of the query. */
function otherSchemes(path: string, size: string, types: readonly string[]): readonly string[] {
  return [`${path} ${size}`, ...types.map((type) => `${path}\0${size}\0${type}`), path];
}
