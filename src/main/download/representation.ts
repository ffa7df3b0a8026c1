/**
 * What is said about a file besides its bytes: type, validators, and how a browser may treat it. Everything that could
 * run or frame anything is handed over as a download.
 */

import contentDisposition from 'content-disposition';
import { lookup } from 'mime-types';
import { extensionOf, type FileInfo, type FileKey } from '../../shared/files.ts';
import { commonFields } from '../http/common-fields.ts';
import type { ResponseFields } from '../http/field-line.ts';
import { formatHttpDate } from '../http/http-date.ts';
import { isInlineSafe, OCTET_STREAM } from '../http/media-type.ts';
import type { Validators } from '../http/preconditions.ts';

/** Longer names are cut: proxies have small buffers for a head. In bytes of UTF-8. */
const MAX_NAME_BYTES = 255;
const MAX_AGE_SECONDS = 86_400;

/** How answers depend on the settings. */
export interface RepresentationRules {
  /** ResumableDownloadsEnabled: Range is honoured and announced. */
  readonly hasRanges: boolean;
  /** A content may be replaced under its name, so caches must ask. */
  readonly isReplaceable: boolean;
}

/** A file as it is offered to clients. */
export interface Representation {
  readonly type: string;
  readonly size: number;
  readonly validators: Validators;
  /** For 200, a single range and HEAD; frozen, so that the transport may keep them as they go out. */
  readonly fields: ResponseFields;
  /** The same without Content-Type, for several ranges. */
  readonly untypedFields: ResponseFields;
  /** What 304 repeats of them (RFC 9110 §15.4.5). */
  readonly notModifiedFields: ResponseFields;
}

/** The media type that the name alone gives, from an embedded table that is the same on every host. */
export function servedType(key: FileKey): string {
  const extension = extensionOf(key);
  return (extension !== null && lookup(extension)) || OCTET_STREAM;
}

/** `expiresMs`: when the file expires, in milliseconds since the epoch; null: never. */
export function represent(
  key: FileKey,
  info: FileInfo,
  rules: RepresentationRules,
  expiresMs: number | null = null,
): Representation {
  const type = info.type ?? withCharset(servedType(key));
  // A clock that runs behind the file's must not promise a date in the future (RFC 9110 §8.8.2.1).
  const lastModifiedMs = Math.min(info.modifiedMs, Date.now());
  const validators = { etag: `"${info.validator}"`, lastModifiedMs };
  const notModifiedFields: ResponseFields = [
    ...commonFields,
    ['ETag', validators.etag],
    ['Last-Modified', formatHttpDate(lastModifiedMs)],
    ['Cache-Control', rules.isReplaceable ? 'public, no-cache, no-transform' : cacheControl(expiresMs)],
  ];
  const untypedFields: ResponseFields = [
    ...notModifiedFields,
    ['Accept-Ranges', rules.hasRanges ? 'bytes' : 'none'],
    ...(isInlineSafe(type) ? [] : [['Content-Disposition', attachment(key)] as const]),
  ];
  const fields = Object.freeze([...untypedFields, ['Content-Type', type] as const]);
  return { type, size: info.size, validators, notModifiedFields, untypedFields, fields };
}

/** A cache must not keep a file for longer than we do. */
function cacheControl(expiresMs: number | null): string {
  const leftSeconds = expiresMs === null ? MAX_AGE_SECONDS : Math.max(0, Math.floor((expiresMs - Date.now()) / 1000));
  return `public, max-age=${Math.min(MAX_AGE_SECONDS, leftSeconds)}, immutable, no-transform`;
}

/** Text that nobody described is UTF-8: browsers would take it for windows-1252. */
function withCharset(type: string): string {
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}

/** RFC 6266: the name as RFC 8187 text, with a fallback in visible ASCII. */
function attachment(key: FileKey): string {
  const name = shortened(key.slice(key.lastIndexOf('/') + 1));
  const fallback = name.replace(/[^\x20-\x7e]/g, '_');
  return contentDisposition(name, { type: 'attachment', fallback });
}

/** Keeps the extension, and cuts between code points. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : '';
  let kept = '';
  let bytes = Buffer.byteLength(extension);
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_NAME_BYTES) break;
    kept += character;
  }
  return kept + extension;
}
