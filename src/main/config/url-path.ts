/** The URL path below which files live, and the origin in front of it. */

import { RESERVED_SEGMENT } from '../../shared/files.ts';
import { accepted, type Checked, refused } from './given-value.ts';

const UNSAFE = /[%?#]|\p{Cc}/u;

/**
 * The base path with both slashes: `files`, `/files` and `files//` are `/files/`; `""` and `"/"` are `/`.
 *
 * Refuses what no request target can begin with: `.` and `..`, escapes, the signs of query and fragment, control
 * characters, and the server's own tree.
 */
export function parseBasePath(text: string): Checked<string> {
  const [unsafe] = UNSAFE.exec(text) ?? [];
  if (unsafe !== undefined) {
    const shown = /\p{Cc}/u.test(unsafe) ? 'a control character' : `"${unsafe}"`;
    return refused(`contains ${shown}; write plain names`);
  }
  const segments = text.split('/').filter((segment) => segment !== '');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    return refused('contains the segment "." or ".."; write the path as URLs show it');
  }
  if (segments[0]?.toLowerCase() === RESERVED_SEGMENT) {
    return refused(`begins with "${RESERVED_SEGMENT}", the name of the server's own tree`);
  }
  return accepted(segments.length === 0 ? '/' : `/${segments.join('/')}/`);
}

/** True for a path that URLs carry as it is: nothing in it is percent-encoded on the way (RFC 3986 §3.3, `pchar`). */
export function isPlainPath(path: string): boolean {
  return /^[A-Za-z0-9._~!$&'()*+,;=:@/-]*$/.test(path);
}

/** `https://files.example.org`, normalised (RFC 6454 §6.1); null for an empty text. */
export function parseOrigin(text: string): Checked<string | null> {
  if (text === '') return accepted(null);
  if (!URL.canParse(text)) return refused('is no URL; write "https://files.example.org"');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return refused('begins with neither https:// nor http://; write "https://files.example.org"');
  }
  if (url.username !== '' || url.password !== '') return refused('holds a user name; write scheme and host only');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return refused(`has more than scheme, host and port; write "${url.origin}" (the path is UploadSubDir)`);
  }
  return accepted(url.origin);
}
