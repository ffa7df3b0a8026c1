/**
 * PUT with Content-Range on the slot URL, as `curl -C - -T` sends it: append only, from where the upload is. A range that
 * is the whole body is a plain PUT, and a plain PUT that was cut is gone on with from here.
 */

import type { AppendUpload, InspectUpload, ResumableFailure, UploadState } from '../../shared/resumable.ts';
import { authorizeCreation, type CreationGrant, refused, type UploadRules } from '../auth/grant.ts';
import { commonFields } from '../http/common-fields.ts';
import { type PartialContent, parseContentRange } from '../http/content-range.ts';
import { contentDigests, storedDigestField } from '../http/digest-fields.ts';
import type { Answer, RequestHead } from '../http/exchange.ts';
import type { ResponseFields } from '../http/field-line.ts';
import { firstValue, soleValue } from '../http/fields.ts';
import { problems } from '../http/problem.ts';
import { plainTextAnswer } from '../http/problem-answer.ts';
import { rangeLength } from '../http/range.ts';
import { isWholeBody } from './plain-put.ts';
import type { ParsedUpload, UploadOutcome, UploadProtocol, UploadRefusal, UploadRequest } from './upload-protocol.ts';

type SlotTarget = Extract<UploadRequest['target'], { kind: 'slot' }>;

export function createContentRangePut(rules: () => UploadRules): UploadProtocol {
  return {
    name: 'range',
    recognizes: ({ method, target, head }) =>
      method === 'PUT' &&
      target.kind === 'slot' &&
      firstValue(head.fields, 'content-range') !== null &&
      !isWholeBody(head),
    parse: ({ head, target, nowSeconds }) =>
      target.kind === 'slot' ? parsePart(head, target, nowSeconds, rules()) : refused(problems.badRequest),
    respond,
    reject,
    describe: () => [],
  };
}

function parsePart(head: RequestHead, target: SlotTarget, nowSeconds: number, rules: UploadRules): ParsedUpload {
  const content = contentOf(head);
  const digests = contentDigests(head.fields);
  if (content.kind === 'malformed' || !isFramedAs(head, content) || digests === 'malformed') {
    return refused(problems.badRequest);
  }
  const { key, parameters } = target;
  const { total } = content;
  const contentType = firstValue(head.fields, 'content-type');
  const authorization = soleValue(head.fields, 'authorization');
  const outcome = authorizeCreation(
    { key, parameters, nowSeconds, contentType, authorization, declaredBytes: total, protocol: 'range' },
    rules,
  );
  if (outcome.kind === 'refused') return outcome;
  const { grant } = outcome;
  const { signature, terms } = grant;
  const upload = { protocol: 'range', target: { kind: 'slot', key, signature, terms } } as const;
  if (content.kind === 'query') return command({ type: 'inspect', ...upload }, grant);
  const { range } = content;
  const body = { length: rangeLength(range), digests, completes: null };
  return command({ type: 'append', ...upload, offset: range.first, length: total, body }, grant);
}

function command(resumable: AppendUpload | InspectUpload, grant: CreationGrant): ParsedUpload {
  return { kind: 'command', command: { type: 'resumable', command: resumable, grant } };
}

/** A field that stands twice may be read in two ways. */
function contentOf(head: RequestHead): PartialContent {
  const value = soleValue(head.fields, 'content-range');
  return value === null ? { kind: 'malformed' } : parseContentRange(value);
}

/** The body has the length that the range says; a query has none. A chunked body tells too late. */
function isFramedAs(head: RequestHead, content: Exclude<PartialContent, { kind: 'malformed' }>): boolean {
  const { body } = head.framing;
  if (body.kind !== 'length' && body.kind !== 'none') return false;
  return body.length === (content.kind === 'query' ? 0 : rangeLength(content.range));
}

/** 308 tells what is there, as far as it goes; the request that brings the last byte is 201, a query for the whole 200. */
function respond(outcome: UploadOutcome, { head }: UploadRequest): Answer {
  if (outcome.type === 'stored') return plainAnswer(201);
  const { state, completed } = outcome.outcome;
  const digest = completed === null ? [] : storedDigestField(head.fields, completed.file);
  const isComplete = completed !== null || state.isComplete;
  if (outcome.command.type !== 'inspect') return isComplete ? plainAnswer(201, digest) : incomplete(state);
  const content = contentOf(head);
  // The query names the whole, too, and this is another one.
  if (content.kind !== 'query' || content.total !== state.length) return conflict(state);
  // After a crash it may be the query that publishes what had all of its bytes.
  return isComplete ? plainAnswer(200, digest) : incomplete(state);
}

function reject(refusal: UploadRefusal, request: UploadRequest): Answer {
  return (
    (refusal.failure === null ? null : rejectFailure(refusal.failure, request)) ?? plainTextAnswer(refusal.problem)
  );
}

/** null: the refusal's problem says it. */
function rejectFailure({ code, state }: ResumableFailure, { head }: UploadRequest): Answer | null {
  const isQuery = contentOf(head).kind === 'query';
  switch (code) {
    case 'exists':
      return isQuery ? plainAnswer(200) : null;
    case 'upload-unknown':
      return isQuery ? incomplete(null) : conflict(null);
    // A gap, an overlap, another whole, or an upload of another protocol: nothing was changed.
    case 'offset-mismatch':
    case 'length-mismatch':
    case 'upload-protocol':
      return conflict(state);
    default:
      return null;
  }
}

function plainAnswer(status: 200 | 201, others: ResponseFields = []): Answer {
  return { status, fields: [...commonFields, ...others], body: '' };
}

function incomplete(state: UploadState | null): Answer {
  return { status: 308, fields: [...commonFields, ['Cache-Control', 'no-store'], ...rangeField(state)], body: '' };
}

function conflict(state: UploadState | null): Answer {
  return plainTextAnswer({ ...problems.conflict, fields: rangeField(state) });
}

/** None when nothing is there: no range says so. */
function rangeField(state: UploadState | null): ResponseFields {
  if (state === null || state.protocol !== 'range' || state.offset === 0) return [];
  return [['Range', `bytes=0-${state.offset - 1}`]];
}
