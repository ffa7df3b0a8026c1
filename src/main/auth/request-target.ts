/**
 * The path grammar: from the raw request target to the one name of a file. Decoded exactly once, then checked; what has
 * no safe meaning is refused, everything else is a name. The result is what is signed, stored and looked up.
 */

import { type FileKey, RESERVED_SEGMENT } from '../../shared/files.ts';

/** Why a path is refused. */
export type PathRefusal =
  /** Raw control character, space, `#`, U+FFFD (what bytes that are no UTF-8 became on the way here), lone surrogate. */
  | 'raw-character'
  /** `%` without two hexadecimal digits. */
  | 'escape'
  /** `%2f`: never a separator and never part of a name. */
  | 'slash'
  /** Decoded bytes that are no UTF-8: Latin-1, overlong forms, surrogates. */
  | 'encoding'
  /** Decoded control character: NUL and LF separate the parts of signed messages. */
  | 'control'
  /** Empty segment, `.` or `..`. */
  | 'segment'
  /** The server's own tree. */
  | 'reserved';

export type RequestTarget =
  | { readonly kind: 'file'; readonly key: FileKey }
  /** An upload in progress; `name` is unchecked text of unreserved characters. */
  | { readonly kind: 'upload-resource'; readonly name: string }
  /** Not below the base path: 404. */
  | { readonly kind: 'outside' }
  /** 400. */
  | { readonly kind: 'refused'; readonly reason: PathRefusal };

const outside: RequestTarget = { kind: 'outside' };

/** Without the u flag, whose case folding would also take U+017F for an `s`. */
const reservedTree = new RegExp(`^\\${RESERVED_SEGMENT}(?:/|$)`, 'i');
const uploadResource = new RegExp(`^\\${RESERVED_SEGMENT}/u/([0-9A-Za-z._-]{1,128})$`);

const withinReservedTree = new RegExp(
  `(/(?:\\.|%2e)${RESERVED_SEGMENT.slice(1)}/(?:u/[0-9a-f]{32}(?![0-9a-f]))?).*$`,
  'is',
);

/** ASCII without control characters, space, `#`, `%`: such a path is its own decoded form. */
const plainPath = /^[!"$&-~]*$/;
const refusedRawCharacter = /[\p{Cc}\p{Cs} #\ufffd]/u;
const incompleteEscape = /%(?![0-9A-Fa-f]{2})/;
const encodedSlash = /%2f/i;
const controlCharacter = /\p{Cc}/u;
const emptyOrDotSegment = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * Reads the target of a request. Never throws, whatever the text; linear in its length.
 * @param rawPath the target before the first `?`, as it arrived.
 * @param basePath starts and ends with a slash; compared as it stands, without decoding.
 */
export function parseRequestTarget(rawPath: string, basePath: string): RequestTarget {
  if (!rawPath.startsWith(basePath)) return outside;
  const raw = rawPath.slice(basePath.length);
  if (plainPath.test(raw)) return classify(raw, raw);
  if (refusedRawCharacter.test(raw)) return refused('raw-character');
  if (incompleteEscape.test(raw)) return refused('escape');
  if (encodedSlash.test(raw)) return refused('slash');
  const path = decodeOnce(raw);
  if (path === null) return refused('encoding');
  return controlCharacter.test(path) ? refused('control') : classify(path, raw);
}

function classify(path: string, raw: string): RequestTarget {
  if (emptyOrDotSegment.test(path)) return refused('segment');
  if (!reservedTree.test(path)) return { kind: 'file', key: path as FileKey };
  const name = uploadResource.exec(raw)?.[1];
  return name === undefined ? refused('reserved') : { kind: 'upload-resource', name };
}

function refused(reason: PathRefusal): RequestTarget {
  return { kind: 'refused', reason };
}

/** Percent-decodes to UTF-8; null when the bytes are none. A `+` stays a plus sign. */
function decodeOnce(raw: string): string | null {
  try {
    return decodeURIComponent(raw);
  } catch {
    // It throws for nothing but bytes that are no UTF-8: escapes are complete here.
    return null;
  }
}

/**
 * A raw path as logs and events may carry it. What stands behind the id of an upload is the permission to write to it, so
 * nothing of it is left, also where the path is no valid target.
 */
export function publishedPath(rawPath: string): string {
  return rawPath.includes('hfs') ? rawPath.replace(withinReservedTree, '$1*') : rawPath;
}

/** The path with the base path in front, without a leading slash: what issuers with `SignedPath = "full"` sign. */
export function fullPath(key: FileKey, basePath: string): string {
  return basePath.slice(1) + key;
}
