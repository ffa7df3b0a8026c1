/**
 * Media types: what may be stored, and what browsers may show in place. The stored text goes into a Content-Type field
 * again, so only well-formed types in visible ASCII get that far (RFC 9110 §8.3.1).
 */

/** The type of content that nobody described. */
export const OCTET_STREAM = 'application/octet-stream';

const maxTypeLength = 255;
const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const typeAndSubtype = new RegExp(`^${token}/${token}`);
const parameter = new RegExp(`^ *; *(?:${token}=(?:${token}|"(?:[ !#-\\[\\]-~]|\\\\[ -~])*"))?`);

/** True for a media type of RFC 9110 §8.3.1 with at most 255 characters, all of them visible ASCII or spaces. */
export function isMediaType(text: string): boolean {
  if (text.length > maxTypeLength) return false;
  const start = typeAndSubtype.exec(text);
  if (start === null) return false;
  let rest = text.slice(start[0].length);
  // One parameter at a time: a single pattern over all of them would backtrack over the spaces between semicolons.
  while (rest !== '') {
    const next = parameter.exec(rest);
    if (next === null) return false;
    rest = rest.slice(next[0].length);
  }
  return true;
}

/** What stands before the first `;`, without white space at its end. */
export function withoutParameters(type: string): string {
  const end = type.indexOf(';');
  if (end === -1) return type;
  let last = end;
  while (last > 0 && (type[last - 1] === ' ' || type[last - 1] === '\t')) last -= 1;
  return type.slice(0, last);
}

/** The type itself when it is well-formed, else its part before `;`, else `application/octet-stream`. */
export function storableType(type: string): string {
  if (isMediaType(type)) return type;
  const bare = withoutParameters(type);
  return isMediaType(bare) ? bare : OCTET_STREAM;
}

/** Type and subtype in lower case, without parameters (the MIME Sniffing standard's word). */
export function essence(type: string): string {
  return withoutParameters(type).toLowerCase();
}

/**
 * True when browsers may show such content in place instead of saving it: images, video, audio and plain text. XML in
 * any dress (`image/svg+xml`) can carry scripts, and a malformed type is anything a browser makes of it: both are not.
 */
export function isInlineSafe(type: string): boolean {
  if (!isMediaType(type)) return false;
  const name = essence(type);
  return name === 'text/plain' || (/^(?:image|video|audio)\//.test(name) && !name.endsWith('+xml'));
}
