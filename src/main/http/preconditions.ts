/**
 * Conditional requests (RFC 9110 §13): decides from the request's fields and the current validators whether to go on.
 * Only for requests that would succeed without the conditions (§13.2.1); the caller sees to that.
 */

import { type Comparison, isWeak, listsEntityTag } from './entity-tag.ts';
import type { FieldLine } from './field-line.ts';
import { firstValue, soleValue } from './fields.ts';
import { parseHttpDate } from './http-date.ts';

/** What identifies the current representation. */
export interface Validators {
  /** Entity tag as it stands in the ETag field, with its quotes. */
  readonly etag: string;
  /** Milliseconds since the epoch; Last-Modified shows whole seconds of it. */
  readonly lastModifiedMs: number;
}

export type PreconditionOutcome = 'proceed' | 'not-modified' | 'precondition-failed';

/** Below this age a date is no strong validator: the content may have changed twice within its second (§8.8.2.2). */
const strongDateAgeMs = 60_000;

/**
 * Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC 9110 §13.2.2.
 * If-Range comes after all of them, by `ifRangeMatches`.
 * @param current null when there is no representation.
 */
export function evaluatePreconditions(
  fields: readonly FieldLine[],
  method: string,
  current: Validators | null,
  nowMs: number,
): PreconditionOutcome {
  if (!mayProceed(fields, current, nowMs)) return 'precondition-failed';
  const isSafe = method === 'GET' || method === 'HEAD';
  if (firstValue(fields, 'if-none-match') !== null) {
    if (current === null || !anyLineLists(fields, 'if-none-match', current.etag, 'weak')) return 'proceed';
    return isSafe ? 'not-modified' : 'precondition-failed';
  }
  if (!isSafe || current === null) return 'proceed';
  const since = dateOf(fields, 'if-modified-since', nowMs);
  return since !== null && wholeSeconds(current.lastModifiedMs) <= since ? 'not-modified' : 'proceed';
}

function mayProceed(fields: readonly FieldLine[], current: Validators | null, nowMs: number): boolean {
  if (firstValue(fields, 'if-match') !== null) {
    return current !== null && anyLineLists(fields, 'if-match', current.etag, 'strong');
  }
  if (current === null) return true;
  const since = dateOf(fields, 'if-unmodified-since', nowMs);
  return since === null || wholeSeconds(current.lastModifiedMs) <= since;
}

/**
 * True when a Range field may be honoured: no If-Range, or one that names exactly the current representation
 * (RFC 9110 §13.1.5). Entity tags compare strongly; a date counts only once it is a strong validator.
 */
export function ifRangeMatches(fields: readonly FieldLine[], current: Validators, nowMs: number): boolean {
  if (firstValue(fields, 'if-range') === null) return true;
  const value = soleValue(fields, 'if-range');
  if (value === null) return false;
  if (value.endsWith('"')) return value === current.etag && !isWeak(value);
  const lastModifiedMs = wholeSeconds(current.lastModifiedMs);
  return parseHttpDate(value, nowMs) === lastModifiedMs && nowMs - lastModifiedMs >= strongDateAgeMs;
}

/** "A recipient MUST ignore the field if its value is not a valid HTTP-date", or if it has more than one (§13.1.3, 4). */
function dateOf(fields: readonly FieldLine[], name: string, nowMs: number): number | null {
  const value = soleValue(fields, name);
  return value === null ? null : parseHttpDate(value, nowMs);
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

function anyLineLists(fields: readonly FieldLine[], name: string, etag: string, comparison: Comparison): boolean {
  for (const line of fields) if (line.name === name && listsEntityTag(line.value, etag, comparison)) return true;
  return false;
}
