/**
 * One PUT with the whole file as its body: what XEP-0363 clients send. A body that says it is a part is refused, never
 * stored as the whole.
 */

import { authorizeUpload, refused, type UploadRules } from '../auth/grant.ts';
import { commonFields } from '../http/common-fields.ts';
import { contentDigests, representationDigests, storedDigestField } from '../http/digest-fields.ts';
import type { Answer, RequestHead } from '../http/exchange.ts';
import { firstValue, isAnyRepeated, soleValue } from '../http/fields.ts';
import { problems } from '../http/problem.ts';
import { plainTextAnswer } from '../http/problem-answer.ts';
import { parseBooleanItem } from '../http/structured-field.ts';
import type { ParsedUpload, UploadOutcome, UploadProtocol, UploadRequest } from './upload-protocol.ts';

/** Of these, two lines could say two things. */
const partialFields: ReadonlySet<string> = new Set(['content-range', 'upload-complete', 'upload-incomplete']);

export function createPlainPut(rules: () => UploadRules): UploadProtocol {
  return {
    name: 'put',
    recognizes: ({ method, target }) => method === 'PUT' && target.kind === 'slot',
    parse: (request) => parsePlainPut(request, rules()),
    respond,
    reject: ({ problem }) => plainTextAnswer(problem),
    describe: () => [],
  };
}

/** The same object for all, so that the transport can keep its fields as they go out. */
const storedAnswer: Answer = { status: 201, fields: commonFields, body: '' };

function respond(outcome: UploadOutcome, { head }: UploadRequest): Answer {
  const digest = outcome.type === 'stored' ? storedDigestField(head.fields, outcome.file) : [];
  return digest.length === 0 ? storedAnswer : { ...storedAnswer, fields: [...commonFields, ...digest] };
}

function parsePlainPut(request: UploadRequest, rules: UploadRules): ParsedUpload {
  const { head, target, nowSeconds } = request;
  if (target.kind !== 'slot' || isPartial(head)) return refused(problems.badRequest);
  const content = contentDigests(head.fields);
  const representation = representationDigests(head.fields);
  if (content === 'malformed' || representation === 'malformed') return refused(problems.badRequest);
  const { key, parameters } = target;
  const { body } = head.framing;
  const sizeBytes = body.kind === 'length' ? body.length : null;
  const contentType = firstValue(head.fields, 'content-type');
  const authorization = soleValue(head.fields, 'authorization');
  const outcome = authorizeUpload(
    { key, parameters, nowSeconds, contentType, authorization, sizeBytes, protocol: 'put' },
    rules,
  );
  if (outcome.kind === 'refused') return outcome;
  const digests = [...content, ...representation];
  return { kind: 'command', command: { type: 'store', grant: outcome.grant, digests } };
}

/**
 * Content-Range on PUT asks for a partial update, which is refused (RFC 9110 §14.5), unless the range is the whole body.
 * `Upload-Complete: ?1` and `Upload-Incomplete: ?0` mean an ordinary upload.
 */
function isPartial({ fields, framing }: RequestHead): boolean {
  if (isAnyRepeated(fields, partialFields)) return true;
  if (parseBooleanItem(firstValue(fields, 'upload-complete')) === false) return true;
  if (parseBooleanItem(firstValue(fields, 'upload-incomplete')) === true) return true;
  // Without a length the request is refused for that.
  if (framing.body.kind !== 'length' || firstValue(fields, 'content-range') === null) return false;
  return !isWholeBody({ fields, framing });
}

/** True when the body is the whole file, whatever Content-Range says: what curl sends when it begins at 0. */
export function isWholeBody({ fields, framing }: Pick<RequestHead, 'fields' | 'framing'>): boolean {
  if (framing.body.kind !== 'length') return false;
  const { length } = framing.body;
  return soleValue(fields, 'content-range') === `bytes 0-${length - 1}/${length}`;
}
