/**
 * tus 1.0.0 as bytes: each request on a connection of its own, nothing added and nothing normalised. What an upload is
 * called is its path; `Tus-Resumable` goes along unless a test says otherwise.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { exchange, fieldOf, get, type RawBytes, type RawResponse, requestBytes } from './raw-http.ts';
import type { ServerProcess } from './server-process.ts';

type Fields = Readonly<Record<string, string>>;

export const VERSION: Fields = { 'Tus-Resumable': '1.0.0' };
export const STREAM: Fields = { 'Content-Type': 'application/offset+octet-stream' };

/** What an append at this offset says. */
export function appendFields(offset: number | string): Fields {
  return { ...VERSION, ...STREAM, 'Upload-Offset': String(offset) };
}

/** The slot of a file whose requests do not tell its size: `s` does. */
export function slotWithSize(server: ServerProcess, key: string, size: number): string {
  return `${server.signedTarget(key, size)}&s=${size}`;
}

/** POST on a slot, with exactly these fields. */
export function post(
  server: ServerProcess,
  slot: string,
  fields: Fields,
  body: RawBytes | null = null,
): Promise<RawResponse> {
  return exchange(server.port, requestBytes('POST', slot, fields, body));
}

/** Creates an upload of this length and resolves to its path. */
export async function create(server: ServerProcess, key: string, size: number, fields: Fields = {}): Promise<string> {
  const slot = server.signedTarget(key, size);
  return locationOf(await post(server, slot, { ...VERSION, 'Upload-Length': String(size), ...fields }));
}

/** The path of an upload that a 201 tells of. */
export function locationOf(response: RawResponse): string {
  assert.equal(response.status, 201, response.body.toString());
  const location = fieldOf(response, 'location');
  assert.ok(location !== null);
  return location;
}

/** Whether a body comes with its length or in chunks. */
export type Coding = 'length' | 'chunked';

/** The bytes of a PATCH. */
export function patchBytes(path: string, fields: Fields, body: RawBytes, coding: Coding = 'length'): Buffer {
  if (coding === 'length') return requestBytes('PATCH', path, fields, body);
  const head = requestBytes('PATCH', path, { ...fields, 'Transfer-Encoding': 'chunked' });
  return Buffer.concat([head, chunked(body)]);
}

/** A body in chunks of different sizes, and its end. */
export function chunked(body: RawBytes): Buffer {
  const content = Buffer.from(body);
  const parts: Buffer[] = [];
  for (let at = 0, size = 1; at < content.length; at += size, size = Math.min(size * 3, 50_000)) {
    const piece = content.subarray(at, at + size);
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/** An append of the whole body at an offset. */
export function patch(
  server: ServerProcess,
  path: string,
  offset: number | string,
  body: RawBytes,
  fields: Fields = {},
): Promise<RawResponse> {
  return exchange(server.port, patchBytes(path, { ...appendFields(offset), ...fields }, body));
}

export function head(server: ServerProcess, path: string, fields: Fields = VERSION): Promise<RawResponse> {
  return exchange(server.port, requestBytes('HEAD', path, fields), { isToHead: true, timeoutMs: 12_000 });
}

export function remove(server: ServerProcess, path: string, fields: Fields = VERSION): Promise<RawResponse> {
  return exchange(server.port, requestBytes('DELETE', path, fields), { timeoutMs: 12_000 });
}

/** Where the upload is, as HEAD says it. */
export async function offsetOf(server: ServerProcess, path: string): Promise<number> {
  const response = await head(server, path);
  assert.equal(response.status, 200);
  return Number(fieldOf(response, 'upload-offset'));
}

/** Asserts that the file is there with this content. */
export async function assertStored(server: ServerProcess, key: string, expected: Uint8Array): Promise<void> {
  const response = await get(server.port, `/files/${key}`);
  assert.equal(response.status, 200, key);
  assert.ok(response.body.equals(expected), `${key} has another content`);
}

/** Asserts that there is no file of that name. */
export async function assertNotStored(server: ServerProcess, key: string): Promise<void> {
  assert.equal((await get(server.port, `/files/${key}`)).status, 404, key);
}

/** Asserts a refusal in words of tus: the version, problem details, and where wanted an unchanged offset. */
export function assertRefused(response: RawResponse, status: number, name = ''): void {
  assert.equal(response.status, status, `${name} ${response.body.toString()}`);
  assert.equal(fieldOf(response, 'tus-resumable'), '1.0.0', name);
  assert.equal(fieldOf(response, 'content-type'), 'application/problem+json', name);
  assert.equal(fieldOf(response, 'access-control-allow-origin'), '*', name);
  assert.equal(fieldOf(response, 'location'), null, name);
}

/** Value of Upload-Checksum for a body. */
export function checksumOf(algorithm: string, body: RawBytes): string {
  return `${algorithm} ${createHash(algorithm).update(body).digest('base64')}`;
}
