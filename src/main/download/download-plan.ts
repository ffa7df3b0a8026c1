/** From a request and a file to an answer: preconditions, then ranges, in the order of RFC 9110 §13.2.2. Pure. */

import { frameRanges } from '../http/byteranges.ts';
import type { AnswerHead, RequestHead } from '../http/exchange.ts';
import type { ResponseFields } from '../http/field-line.ts';
import { soleValue } from '../http/fields.ts';
import { evaluatePreconditions, ifRangeMatches } from '../http/preconditions.ts';
import { type Problem, problems, rangeNotSatisfiable } from '../http/problem.ts';
import { type ByteRange, contentRange, rangeLength, selectRange } from '../http/range.ts';
import type { Representation } from './representation.ts';

/** One run of the body: bytes at hand, or bytes of the file. */
export type Segment =
  | { readonly kind: 'text'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly first: number; readonly length: number };

export type DownloadPlan =
  | { readonly kind: 'stream'; readonly head: AnswerHead; readonly segments: readonly Segment[] }
  /** HEAD, 304: no body follows. */
  | { readonly kind: 'head'; readonly head: AnswerHead }
  | { readonly kind: 'problem'; readonly problem: Problem };

export interface PlanContext {
  /** ResumableDownloadsEnabled. */
  readonly hasRanges: boolean;
  readonly nowMs: number;
  /** Random text for multipart answers. */
  readonly newBoundary: () => string;
}

export function planDownload(head: RequestHead, file: Representation, context: PlanContext): DownloadPlan {
  const { fields, method } = head;
  const outcome = evaluatePreconditions(fields, method, file.validators, context.nowMs);
  if (outcome === 'precondition-failed') return { kind: 'problem', problem: problems.preconditionFailed };
  if (outcome === 'not-modified') {
    return { kind: 'head', head: { status: 304, fields: file.notModifiedFields, length: 0 } };
  }
  // Range is defined for GET alone (RFC 9110 §14.2).
  if (method === 'HEAD') return { kind: 'head', head: whole(file).head };
  const isRangeAsked = context.hasRanges && ifRangeMatches(fields, file.validators, context.nowMs);
  const selection = selectRange(isRangeAsked ? soleValue(fields, 'range') : null, file.size);
  switch (selection.kind) {
    case 'whole':
      return whole(file);
    case 'single':
      return single(file, selection.range);
    case 'multiple':
      return multiple(file, selection.ranges, context.newBoundary());
    case 'unsatisfiable':
      return { kind: 'problem', problem: rangeNotSatisfiable(file.size) };
    default:
      return selection satisfies never;
  }
}

function whole(file: Representation): Extract<DownloadPlan, { kind: 'stream' }> {
  const segments: Segment[] = file.size === 0 ? [] : [{ kind: 'file', first: 0, length: file.size }];
  return { kind: 'stream', head: { status: 200, fields: file.fields, length: file.size }, segments };
}

function single(file: Representation, range: ByteRange): DownloadPlan {
  const length = rangeLength(range);
  const fields: ResponseFields = [...file.fields, ['Content-Range', contentRange(range, file.size)]];
  return { kind: 'stream', head: { status: 206, fields, length }, segments: [fileSegment(range)] };
}

function multiple(file: Representation, ranges: readonly ByteRange[], boundary: string): DownloadPlan {
  const body = frameRanges(boundary, file.type, ranges, file.size);
  const segments = body.parts.flatMap((part): Segment[] => [textSegment(part.head), fileSegment(part.range)]);
  const fields: ResponseFields = [...file.untypedFields, ['Content-Type', body.contentType]];
  return {
    kind: 'stream',
    head: { status: 206, fields, length: body.length },
    segments: [...segments, textSegment(body.tail)],
  };
}

function fileSegment(range: ByteRange): Segment {
  return { kind: 'file', first: range.first, length: rangeLength(range) };
}

function textSegment(text: string): Segment {
  return { kind: 'text', bytes: Buffer.from(text, 'latin1') };
}
