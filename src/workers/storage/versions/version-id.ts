/**
 * Ids of versions: the moment at which a content was replaced, and a count within the millisecond. The order of the
 * ids is the order of the contents, whatever the clock does.
 */

const MS_DIGITS = 14;
const COUNT_DIGITS = 6;
const LAST_COUNT = 10 ** COUNT_DIGITS - 1;
const VERSION_ID = new RegExp(`^[0-9]{${MS_DIGITS}}-[0-9]{${COUNT_DIGITS}}$`);

export function isVersionId(text: string): boolean {
  return VERSION_ID.test(text);
}

/** The id of the content that is replaced at `nowMs`; `newest` is the last one that was given, null without one. */
export function nextVersionId(newest: string | null, nowMs: number): string {
  const ofNow = versionId(nowMs, 0);
  if (newest === null || ofNow > newest) return ofNow;
  const count = countOf(newest);
  return count < LAST_COUNT ? versionId(replacedMsOf(newest), count + 1) : versionId(replacedMsOf(newest) + 1, 0);
}

/** Milliseconds since the epoch at which the content was replaced, as the clock said. */
export function replacedMsOf(id: string): number {
  return Number(id.slice(0, MS_DIGITS));
}

function countOf(id: string): number {
  return Number(id.slice(MS_DIGITS + 1));
}

function versionId(ms: number, count: number): string {
  return `${String(ms).padStart(MS_DIGITS, '0')}-${String(count).padStart(COUNT_DIGITS, '0')}`;
}
