/**
 * What is wrong, in words of tus 1.0.0. Its clients give up at every 4xx but 409 and 423, so nothing that passes is told
 * with another one.
 */

import type { ResumableFailure } from '../../shared/resumable.ts';
import type { Answer, RequestHead } from '../http/exchange.ts';
import type { ResponseFields } from '../http/field-line.ts';
import { countLines } from '../http/fields.ts';
import { type Problem, problems } from '../http/problem.ts';
import { problemJsonAnswer } from '../http/problem-answer.ts';
import { noReferrer } from './resource-url.ts';
import type { UploadRefusal, UploadRequest } from './upload-protocol.ts';

export const TUS_VERSION = '1.0.0';

export const versionField = ['Tus-Resumable', TUS_VERSION] as const;

/** "If the version specified by the Client is not supported by the Server, it MUST respond with 412" and Tus-Version. */
export const unsupportedVersion: Problem = {
  ...problems.preconditionFailed,
  detail: `The field Tus-Resumable must be ${TUS_VERSION}.`,
  fields: [['Tus-Version', TUS_VERSION]],
};

/** After these the client goes on where the upload is. */
const tellingOffset: ReadonlySet<ResumableFailure['code']> = new Set<ResumableFailure['code']>([
  'offset-mismatch',
  'digest-mismatch',
  'body-too-long',
]);

export function tusRefusal(refusal: UploadRefusal, request: UploadRequest): Answer {
  const answer = problemJsonAnswer(problemOf(refusal, request));
  const fields = [versionField, noReferrer, ...offsetOf(refusal.failure)];
  return { ...answer, fields: [...answer.fields, ...fields] };
}

function problemOf({ problem, failure }: UploadRefusal, { head, method, target }: UploadRequest): Problem {
  if (failure?.code === 'digest-mismatch' && isAboutChecksum(failure, head, target)) return problems.checksumMismatch;
  const isTus = countLines(head.fields, 'tus-resumable') > 0;
  // Somebody else's request about an upload of ours, GET excepted: there is nothing to be got.
  return failure?.code === 'upload-protocol' && !isTus && method !== 'GET' ? unsupportedVersion : problem;
}

/** An append that ends its upload had a right body: the whole file is not what Repr-Digest says, which is no matter of tus. */
function isAboutChecksum(
  { discarded }: ResumableFailure,
  { fields }: RequestHead,
  { kind }: UploadRequest['target'],
): boolean {
  return countLines(fields, 'upload-checksum') > 0 && (kind === 'slot' || discarded === null);
}

function offsetOf(failure: ResumableFailure | null): ResponseFields {
  if (failure === null || failure.state === null || !tellingOffset.has(failure.code)) return [];
  return [['Upload-Offset', String(failure.state.offset)]];
}
