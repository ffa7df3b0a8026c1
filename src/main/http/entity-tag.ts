/** Entity tags and their two comparisons (RFC 9110 §8.8.3). */

/** `strong`: both tags strong and equal; `weak`: equal apart from their `W/`. */
export type Comparison = 'strong' | 'weak';

export function isWeak(etag: string): boolean {
  return etag.startsWith('W/');
}

/**
 * True when a list of entity tags, or `*`, names the given one. A malformed list counts up to its first error. One pass
 * without copies: such lists may be as long as the head allows.
 */
export function listsEntityTag(list: string, etag: string, comparison: Comparison): boolean {
  if (list === '*') return true;
  if (comparison === 'strong' && isWeak(etag)) return false;
  const wanted = isWeak(etag) ? etag.slice(2) : etag;
  let at = skipSeparators(list, 0);
  while (at < list.length) {
    const quote = list.startsWith('W/', at) ? at + 2 : at;
    const end = endOfOpaqueTag(list, quote);
    if (end === null) return false;
    const start = comparison === 'weak' ? quote : at;
    if (end - start === wanted.length && list.startsWith(wanted, start)) return true;
    at = skipSeparators(list, end);
  }
  return false;
}

/** Index behind the closing quote; null when there is no quoted text at `quote`. */
function endOfOpaqueTag(list: string, quote: number): number | null {
  const closing = list[quote] === '"' ? list.indexOf('"', quote + 1) : -1;
  return closing === -1 ? null : closing + 1;
}

/** Index of the first character from `start` on that is neither white space nor a comma. */
function skipSeparators(list: string, start: number): number {
  let at = start;
  while (list[at] === ' ' || list[at] === '\t' || list[at] === ',') at += 1;
  return at;
}
