/**
 * How the request body is delimited (RFC 9112 §6), judged from the field lines alone. Where two readers could disagree
 * about the end of the body the request is doubtful: it is refused and its connection closed, so that nothing behind it
 * can be smuggled in.
 */

import type { FieldLine } from './field-line.ts';

/** Why the framing is in doubt, or the length beyond what this server counts. */
export type FramingDoubt =
  | 'repeated-host'
  | 'repeated-length'
  | 'malformed-length'
  /** Well-formed, but 10^15 bytes or more: too large for any file here. */
  | 'excessive-length'
  | 'repeated-coding'
  | 'unknown-coding'
  | 'length-with-coding';

export type BodyFraming =
  /** Neither Content-Length nor Transfer-Encoding: no body. */
  | { readonly kind: 'none'; readonly length: 0 }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'doubtful'; readonly reason: FramingDoubt };

/** The body's delimitation, and whether a trailer section is announced behind it. */
export interface RequestFraming {
  readonly body: BodyFraming;
  /** The connection of such a request is not used again: the transport would read the trailer as a request. */
  readonly announcesTrailer: boolean;
}

const noBody: BodyFraming = { kind: 'none', length: 0 };
const chunkedBody: BodyFraming = { kind: 'chunked' };

/**
 * Canonical decimal text below 10^15, exactly what a number holds. RFC 9110 §8.6 also allows leading zeros and equal
 * repeated members; nobody sends them, and the next hop may read them differently.
 */
const countableLength = /^(?:0|[1-9][0-9]{0,14})$/;
const excessiveLength = /^[1-9][0-9]{15,18}$/;

/** Judges the framing of a request head. Never throws; one pass over the field lines. */
export function readFraming(fields: readonly FieldLine[]): RequestFraming {
  let hosts = 0;
  let lengths = 0;
  let codings = 0;
  let length = '';
  let coding = '';
  let announcesTrailer = false;
  for (const { name, value } of fields) {
    if (name === 'host') hosts += 1;
    else if (name === 'content-length') {
      lengths += 1;
      length = value;
    } else if (name === 'transfer-encoding') {
      codings += 1;
      coding = value;
    } else if (name === 'trailer') announcesTrailer = true;
  }
  const doubt = doubtOfCounts(hosts, lengths, codings);
  if (doubt !== null) return { body: { kind: 'doubtful', reason: doubt }, announcesTrailer };
  if (codings === 1) return { body: codedBody(coding), announcesTrailer };
  return { body: lengths === 1 ? sizedBody(length) : noBody, announcesTrailer };
}

function doubtOfCounts(hosts: number, lengths: number, codings: number): FramingDoubt | null {
  if (hosts > 1) return 'repeated-host';
  if (lengths > 1) return 'repeated-length';
  if (codings > 1) return 'repeated-coding';
  if (lengths === 1 && codings === 1) return 'length-with-coding';
  return null;
}

function codedBody(coding: string): BodyFraming {
  // Codings are case-insensitive (RFC 9112 §7), but the transport treats every spelling and every coding as chunked:
  // only the one that all implementations read alike is let through.
  return coding === 'chunked' ? chunkedBody : { kind: 'doubtful', reason: 'unknown-coding' };
}

function sizedBody(length: string): BodyFraming {
  if (countableLength.test(length)) return { kind: 'length', length: Number(length) };
  return { kind: 'doubtful', reason: excessiveLength.test(length) ? 'excessive-length' : 'malformed-length' };
}
