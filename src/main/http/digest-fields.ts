/**
 * Integrity fields: Content-Digest, Repr-Digest and Want-Repr-Digest (RFC 9530), Content-MD5 (RFC 1864) and Want-Digest
 * (RFC 3230), which clients still send. Algorithms that this server does not know, or that prove nothing any more, are
 * passed over; a value that cannot be a digest of its algorithm makes the field malformed.
 */

import type { StoredFile } from '../../shared/files.ts';
import type { ExpectedDigest } from '../../shared/resumable.ts';
import type { FieldLine, ResponseFields } from './field-line.ts';
import { allValues, listMembers } from './fields.ts';
import { type MemberValue, parseMembers } from './structured-field.ts';

type FieldLines = readonly FieldLine[];

/** What this server hashes with when it is asked for a digest. */
export type DigestAlgorithm = 'sha256' | 'sha512';

/** `malformed`: 400, because a client that asks for a check must not believe that it was made. */
export type DigestReading = readonly ExpectedDigest[] | 'malformed';

/** A digest that was asked for, and may stand in an answer. */
export interface FieldDigest {
  readonly algorithm: DigestAlgorithm;
  /** Padded Base64. */
  readonly value: string;
}

interface KnownAlgorithm {
  readonly key: string;
  readonly algorithm: DigestAlgorithm;
  readonly lengthBytes: number;
}

/** The strong ones of RFC 9530 §5, in the order in which this server prefers them. */
const knownAlgorithms: readonly KnownAlgorithm[] = [
  { key: 'sha-256', algorithm: 'sha256', lengthBytes: 32 },
  { key: 'sha-512', algorithm: 'sha512', lengthBytes: 64 },
];

const md5Text = /^[0-9A-Za-z+/]{22}==$/;
const none: readonly ExpectedDigest[] = [];

/** What the body of the request must hash to: Content-Digest and Content-MD5. */
export function contentDigests(fields: FieldLines): DigestReading {
  const digests = digestsOf(fields, 'content-digest');
  const md5 = contentMd5(fields);
  if (digests === 'malformed' || md5 === 'malformed') return 'malformed';
  return md5.length === 0 ? digests : [...digests, ...md5];
}

/** What the whole file must hash to: Repr-Digest. */
export function representationDigests(fields: FieldLines): DigestReading {
  return digestsOf(fields, 'repr-digest');
}

/**
 * The algorithm that a Want-Repr-Digest or Want-Content-Digest asks for: SHA-256 wherever it is acceptable (RFC 9530 §4
 * leaves the choice to the server). null: none, or none that is known.
 */
export function wantedAlgorithm(
  fields: FieldLines,
  name: 'want-repr-digest' | 'want-content-digest',
): DigestAlgorithm | null {
  const values = allValues(fields, name);
  if (values.length === 0) return null;
  const members = parseMembers(values);
  const wanted = knownAlgorithms.find(({ key }) => isPreference(members?.get(key)));
  return wanted?.algorithm ?? null;
}

/** Whether Want-Digest names SHA-256 with a quality above 0 (RFC 3230 §4.3.1). */
export function wantsLegacyDigest(fields: FieldLines): boolean {
  return listMembers(fields, 'want-digest').some((member) => {
    const [algorithm = '', ...parameters] = member.split(';').map((part) => part.trim().toLowerCase());
    return algorithm === 'sha-256' && !parameters.some((text) => /^q=0(?:\.0*)?$/.test(text));
  });
}

/** The digest that was kept with a file; null: none was. */
export function storedDigest({ sha256 }: Pick<StoredFile, 'sha256'>): FieldDigest | null {
  return sha256 === null ? null : { algorithm: 'sha256', value: Buffer.from(sha256, 'hex').toString('base64') };
}

/** Repr-Digest of an answer about a file that was just stored, if it is wanted and at hand. */
export function storedDigestField(fields: FieldLines, file: StoredFile): ResponseFields {
  const digest = storedDigest(file);
  return digest !== null && wantedAlgorithm(fields, 'want-repr-digest') === 'sha256'
    ? digestField('Repr-Digest', digest)
    : [];
}

/** Repr-Digest or Content-Digest of an answer. */
export function digestField(name: 'Repr-Digest' | 'Content-Digest', digest: FieldDigest): ResponseFields {
  const { algorithm, value } = digest;
  return [[name, `${algorithm === 'sha256' ? 'sha-256' : 'sha-512'}=:${value}:`]];
}

/** Digest (RFC 3230) of an answer, for clients of that time. */
export function legacyDigestField({ value }: FieldDigest): ResponseFields {
  return [['Digest', `SHA-256=${value}`]];
}

function isPreference(value: MemberValue | undefined): boolean {
  return typeof value === 'number' && value > 0 && value <= 10;
}

function digestsOf(fields: FieldLines, name: string): DigestReading {
  const values = allValues(fields, name);
  if (values.length === 0) return none;
  const members = parseMembers(values);
  if (members === null) return 'malformed';
  const digests: ExpectedDigest[] = [];
  for (const { key, algorithm, lengthBytes } of knownAlgorithms) {
    const value = members.get(key);
    if (value === undefined) continue;
    if (!(value instanceof Uint8Array) || value.length !== lengthBytes) return 'malformed';
    digests.push({ algorithm, value: Buffer.from(value).toString('base64') });
  }
  return digests;
}

function contentMd5(fields: FieldLines): DigestReading {
  const values = allValues(fields, 'content-md5');
  const [value] = values;
  if (value === undefined) return none;
  if (values.length > 1 || !md5Text.test(value)) return 'malformed';
  return [{ algorithm: 'md5', value: Buffer.from(value, 'base64').toString('base64') }];
}
