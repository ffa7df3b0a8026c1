/**
 * The IETF draft as bytes, in each version that clients speak: each request on a connection of its own, nothing added and
 * nothing normalised. What is expected is written down here once more, independently of the server's own table.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange, fieldOf, get, type RawBytes, type RawResponse, requestBytes } from './raw-http.ts';
import type { ServerProcess } from './server-process.ts';

type Fields = Readonly<Record<string, string>>;

/** 3 to 9, and what comes without a version. */
export type Version = 3 | 4 | 5 | 6 | 7 | 8 | 9 | 'final';

export const VERSIONS: readonly Version[] = [3, 4, 5, 6, 7, 8, 9, 'final'];

export function atLeast(version: Version, first: number): boolean {
  return version === 'final' || version >= first;
}

/** A test of one row of the checklist for each version from `first` to `last`, named after the row. */
export function row(
  number: string,
  title: string,
  check: (version: Version, key: string) => Promise<void>,
  { first = 3, last = 'final' }: { readonly first?: number; readonly last?: number | 'final' } = {},
): void {
  for (const version of VERSIONS) {
    if (!atLeast(version, first) || (last !== 'final' && atLeast(version, last + 1))) continue;
    test(`I${version}-${number} ${title}`, () => check(version, `I${version}-${number}`));
  }
}

export function versionFields(version: Version): Fields {
  return version === 'final' ? {} : { 'Upload-Draft-Interop-Version': String(version) };
}

/** What a request says about completeness; null: nothing. */
export function completeness(version: Version, isComplete: boolean | null): Fields {
  if (isComplete === null) return {};
  if (version === 3) return { 'Upload-Incomplete': isComplete ? '?0' : '?1' };
  return { 'Upload-Complete': isComplete ? '?1' : '?0' };
}

/** What an answer says about completeness; null: nothing. */
export function saysComplete(response: RawResponse, version: Version): boolean | null {
  const value = fieldOf(response, version === 3 ? 'upload-incomplete' : 'upload-complete');
  assert.ok(value === null || value === '?0' || value === '?1', `${value}`);
  if (value === null) return null;
  return (value === '?1') !== (version === 3);
}

export interface Creation {
  readonly isComplete: boolean;
  /** What the slot is signed for. */
  readonly size: number;
  readonly body?: RawBytes;
  readonly fields?: Fields;
  readonly method?: 'POST' | 'PUT';
  /** The request does not tell the length of the file: its URL does. */
  readonly isLengthUnknown?: boolean;
}

/** The slot URL of a creation: with `s` where the request does not tell the size. */
export function slotOf(server: ServerProcess, key: string, { size, isLengthUnknown }: Creation): string {
  return `${server.signedTarget(key, size)}${isLengthUnknown === true ? `&s=${size}` : ''}`;
}

export function creationBytes(server: ServerProcess, version: Version, key: string, creation: Creation): Buffer {
  const { isComplete, size, body = null, fields = {}, method = 'POST', isLengthUnknown = false } = creation;
  const length: Fields = isLengthUnknown || isComplete ? {} : { 'Upload-Length': String(size) };
  const all = { ...versionFields(version), ...completeness(version, isComplete), ...length, ...fields };
  return requestBytes(method, slotOf(server, key, creation), all, body);
}

export function create(server: ServerProcess, version: Version, key: string, creation: Creation): Promise<RawResponse> {
  return exchange(server.port, creationBytes(server, version, key, creation));
}

/** Creates an empty, incomplete upload of this length and resolves to its path. */
export async function begin(server: ServerProcess, version: Version, key: string, size: number): Promise<string> {
  return locationOf(await create(server, version, key, { isComplete: false, size }));
}

/** The path of an upload that a 201 tells of. */
export function locationOf(response: RawResponse): string {
  assert.equal(response.status, 201, response.body.toString());
  const location = fieldOf(response, 'location');
  assert.ok(location !== null);
  return location;
}

export interface Append {
  readonly offset: number | string | null;
  readonly isComplete: boolean | null;
  readonly body?: RawBytes;
  readonly fields?: Fields;
}

export function appendBytes(
  version: Version,
  path: string,
  { offset, isComplete, body = '', fields = {} }: Append,
): Buffer {
  const at: Fields = offset === null ? {} : { 'Upload-Offset': String(offset) };
  const type = { 'Content-Type': 'application/partial-upload' };
  return requestBytes(
    'PATCH',
    path,
    { ...versionFields(version), ...type, ...at, ...completeness(version, isComplete), ...fields },
    body,
  );
}

export function append(server: ServerProcess, version: Version, path: string, what: Append): Promise<RawResponse> {
  return exchange(server.port, appendBytes(version, path, what));
}

export function head(server: ServerProcess, version: Version, path: string, fields: Fields = {}): Promise<RawResponse> {
  const bytes = requestBytes('HEAD', path, { ...versionFields(version), ...fields });
  return exchange(server.port, bytes, { isToHead: true, timeoutMs: 12_000 });
}

export function cancel(
  server: ServerProcess,
  version: Version,
  path: string,
  fields: Fields = {},
): Promise<RawResponse> {
  return exchange(server.port, requestBytes('DELETE', path, { ...versionFields(version), ...fields }), {
    timeoutMs: 12_000,
  });
}

/** Where the upload is, as HEAD says it, and whether it is complete. */
export async function assertAt(
  server: ServerProcess,
  version: Version,
  path: string,
  offset: number,
  isComplete = false,
): Promise<void> {
  const response = await head(server, version, path);
  assert.deepEqual(
    [response.status, fieldOf(response, 'upload-offset'), saysComplete(response, version)],
    [204, String(offset), isComplete],
  );
}

/** Asserts that the file is there with this content. */
export async function assertStored(server: ServerProcess, key: string, expected: RawBytes): Promise<void> {
  const response = await get(server.port, `/files/${key}`);
  assert.equal(response.status, 200, key);
  assert.ok(response.body.equals(Buffer.from(expected)), `${key} has another content`);
}

/** Asserts that there is no file of that name. */
export async function assertNotStored(server: ServerProcess, key: string): Promise<void> {
  assert.equal((await get(server.port, `/files/${key}`)).status, 404, key);
}

/** Asserts a dictionary of integers with names that the draft knows. */
export function assertLimit(response: RawResponse): void {
  const limit = fieldOf(response, 'upload-limit') ?? '';
  const member = '(?:max-size|min-size|max-append-size|min-append-size|max-age|expires)=[0-9]{1,15}';
  assert.match(limit, new RegExp(`^${member}(?:, ${member})*$`));
}

/** The members of a problem for programs (RFC 9457). */
export function problemOf(response: RawResponse): Readonly<Record<string, unknown>> {
  assert.equal(fieldOf(response, 'content-type'), 'application/problem+json');
  const parsed: unknown = JSON.parse(response.body.toString());
  assert.ok(typeof parsed === 'object' && parsed !== null);
  return { ...parsed };
}

export const PROBLEMS = 'https://iana.org/assignments/http-problem-types#';
