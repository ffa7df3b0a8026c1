/** Reads small text files of the operator: configuration and secrets. Says in plain words why one cannot be read. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export type TextFile =
  | { readonly ok: true; readonly text: string; readonly mode: number; readonly isRegular: boolean }
  | { readonly ok: false; readonly code: string; readonly message: string };

const CHUNK_BYTES = 65_536;

const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['ENOTDIR', 'a part of the path is a file, not a folder'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'it is a folder'],
  ['ELOOP', 'the symbolic links go round in a circle'],
]);

/** The system's error code, or an empty string. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** A system error in words. */
export function explainSystemError(error: unknown): string {
  return reasons.get(errorCode(error)) ?? (error instanceof Error ? error.message : String(error));
}

function readAtMost(descriptor: number, maxBytes: number): Buffer | null {
  const chunks: Buffer[] = [];
  let total = 0;
  while (total <= maxBytes) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const length = readSync(descriptor, chunk);
    if (length === 0) return Buffer.concat(chunks, total);
    chunks.push(chunk.subarray(0, length));
    total += length;
  }
  return null;
}

/** The text, or the words for what is wrong with the bytes. A byte order mark is not part of the text. */
function decode(bytes: Buffer): string | { readonly fault: string } {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return { fault: 'it is UTF-16; save it as UTF-8' };
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // The decoder says only that, not where: find the first line that it refuses.
    return { fault: `it is not valid UTF-8 (line ${firstInvalidLine(bytes)}); save it as UTF-8` };
  }
}

function firstInvalidLine(bytes: Buffer): number {
  let line = 1;
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
    const part = bytes.subarray(start, end);
    if (!Buffer.from(part.toString('utf8')).equals(part)) return line;
    start = end + 1;
    line += 1;
  }
  return line;
}

/** Reads a whole file of at most `maxBytes`. Pipes are fine: `--config <(...)`. */
export function readTextFile(path: string, maxBytes: number): TextFile {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, 'r');
    const facts = fstatSync(descriptor);
    const bytes = readAtMost(descriptor, maxBytes);
    if (bytes === null) return { ok: false, code: 'EFBIG', message: `it is larger than ${maxBytes} bytes` };
    const text = decode(bytes);
    if (typeof text !== 'string') return { ok: false, code: 'EILSEQ', message: text.fault };
    return { ok: true, text, mode: facts.mode & 0o7777, isRegular: facts.isFile() };
  } catch (error) {
    return { ok: false, code: errorCode(error), message: explainSystemError(error) };
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}
