/**
 * One PUT with the whole file as its body: what XEP-0363 clients send. A body that says it is a part is refused, never
 * stored as the whole.
 */

import { authorizeUpload, type UploadRules } from '../auth/grant.ts';
import { commonFields } from '../http/common-fields.ts';
import type { Answer, RequestHead } from '../http/exchange.ts';
import { allValues, firstValue, soleValue } from '../http/fields.ts';
import { type Problem, problems } from '../http/problem.ts';
import { plainTextAnswer } from '../http/problem-answer.ts';
import type { ParsedUpload, SlotUpload, UploadProtocol } from './upload-protocol.ts';

export function createPlainPut(rules: () => UploadRules): UploadProtocol {
  return {
    name: 'put',
    recognizes: (head) => head.method === 'PUT',
    parse: (request) => parsePlainPut(request, rules()),
    respond: (): Answer => ({ status: 201, fields: commonFields, body: '' }),
    reject: plainTextAnswer,
  };
}

function parsePlainPut(request: SlotUpload, rules: UploadRules): ParsedUpload {
  const { head, key, parameters, nowSeconds } = request;
  const { body } = head.framing;
  const sizeBytes = body.kind === 'length' ? body.length : null;
  if (sizeBytes !== null && isPartial(head, sizeBytes)) return refused(problems.badRequest);
  const contentType = firstValue(head.fields, 'content-type');
  const authorization = soleValue(head.fields, 'authorization');
  const outcome = authorizeUpload(
    { key, parameters, nowSeconds, contentType, authorization, sizeBytes, protocol: 'put' },
    rules,
  );
  if (outcome.kind === 'refused') return outcome;
  return { kind: 'command', command: { type: 'create', grant: outcome.grant } };
}

/**
 * Content-Range on PUT asks for a partial update, which is refused (RFC 9110 §14.5), unless the range is the whole body,
 * as curl sends it. `Upload-Complete: ?1` and `Upload-Incomplete: ?0` mean an ordinary upload.
 */
function isPartial(head: RequestHead, sizeBytes: number): boolean {
  const ranges = allValues(head.fields, 'content-range');
  if (ranges.length > 1) return true;
  const [range] = ranges;
  if (range !== undefined && range !== `bytes 0-${sizeBytes - 1}/${sizeBytes}`) return true;
  return saysItem(head, 'upload-complete', '?0') || saysItem(head, 'upload-incomplete', '?1');
}

/** A structured field item (RFC 9651), whatever its parameters. */
function saysItem(head: RequestHead, name: string, item: string): boolean {
  return allValues(head.fields, name).some((value) => value === item || value.startsWith(`${item};`));
}

function refused(problem: Problem): ParsedUpload {
  return { kind: 'refused', problem, signature: null, disallowedExtension: null };
}
