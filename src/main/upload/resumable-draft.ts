/**
 * The IETF draft "Resumable Uploads for HTTP" in all versions that clients speak: one answer that satisfies every version
 * wherever they allow it, and the table in `draft-version.ts` where they do not. There is no 104: the transport cannot
 * send interim answers, and the draft leaves them to the server.
 */

import type { StoredFile } from '../../shared/files.ts';
import type { ResumableFailure, UploadState } from '../../shared/resumable.ts';
import type { UploadRules } from '../auth/grant.ts';
import { commonFields } from '../http/common-fields.ts';
import { storedDigestField } from '../http/digest-fields.ts';
import type { Answer, RequestHead } from '../http/exchange.ts';
import type { ResponseFields } from '../http/field-line.ts';
import { soleValue } from '../http/fields.ts';
import { problems } from '../http/problem.ts';
import { problemJsonAnswer } from '../http/problem-answer.ts';
import { parseIntegerItem } from '../http/structured-field.ts';
import { draftProblems } from './draft-problem.ts';
import { PARTIAL_UPLOAD, parseDraft } from './draft-request.ts';
import {
  completenessField,
  type DraftVersion,
  draftVersionOf,
  readCompleteness,
  versionField,
} from './draft-version.ts';
import { locationOf, type PublicPlace } from './resource-url.ts';
import { serverLimit, uploadLimit } from './upload-limit.ts';
import type { UploadOutcome, UploadProtocol, UploadRefusal, UploadRequest } from './upload-protocol.ts';

/** Stands behind tus: what comes to an upload's own URL without Tus-Resumable is taken for this protocol. */
export function createResumableDraft(rules: () => UploadRules, place: PublicPlace): UploadProtocol {
  return {
    name: 'ietf',
    recognizes,
    parse: (request) => parseDraft(request, rules()),
    respond: (outcome, request) => respond(outcome, request, place),
    reject: (refusal, request) => reject(refusal, request, rules()),
    describe: () => [
      ...serverLimit(rules().maxUploadBytes),
      ['Accept-Patch', `${PARTIAL_UPLOAD}, application/offset+octet-stream`],
    ],
  };
}

function recognizes({ method, target, head }: UploadRequest): boolean {
  if (target.kind === 'resource') return true;
  if (method !== 'PUT' && method !== 'POST') return false;
  return readCompleteness(head.fields, draftVersionOf(head.fields)) !== null;
}

function respond(outcome: UploadOutcome, request: UploadRequest, place: PublicPlace): Answer {
  const { head, nowSeconds } = request;
  const version = draftVersionOf(head.fields);
  if (outcome.type === 'stored') return storedAnswer(outcome.file, head, version);
  const { command } = outcome;
  const { state, completed } = outcome.outcome;
  const fields: ResponseFields = [
    ...resourceFields(version),
    ...stateFields(state, version),
    ...uploadLimit(state, nowSeconds, version),
    ...(completed === null ? [] : storedDigestField(head.fields, completed.file)),
  ];
  switch (command.type) {
    case 'create':
      return { status: 201, fields: [...fields, ['Location', locationOf(state.name, place)]], body: '' };
    case 'append':
      // It was complete before, so this one had nothing to bring.
      if (state.isComplete && completed === null) return alreadyComplete(state, request, version);
      return { status: state.isComplete ? 200 : version.appendedStatus, fields, body: '' };
    case 'inspect':
      return { status: 204, fields: [...fields, ...lengthField(state)], body: '' };
    case 'discard':
      return { status: 204, fields: resourceFields(version), body: '' };
    default:
      return command satisfies never;
  }
}

/** Of an ordinary upload: there is no resource left to tell of. */
function storedAnswer(file: StoredFile, { fields }: RequestHead, version: DraftVersion): Answer {
  const state: ResponseFields = [['Upload-Offset', String(file.size)], ...completenessField(true, version)];
  const about = [...serverLimit(null), ...versionField(version), ...storedDigestField(fields, file)];
  return { status: 201, fields: [...commonFields, ...state, ...about], body: '' };
}

function reject({ problem, failure }: UploadRefusal, request: UploadRequest, rules: UploadRules): Answer {
  const version = draftVersionOf(request.head.fields);
  const answer = (failure === null ? null : rejectFailure(failure, request, version)) ?? problemJsonAnswer(problem);
  const limit = answer.status === 413 ? serverLimit(rules.maxUploadBytes) : [];
  return { ...answer, fields: [...answer.fields, ...referrerField, ...versionField(version), ...limit] };
}

/** null: the refusal's problem says it. */
function rejectFailure(failure: ResumableFailure, request: UploadRequest, version: DraftVersion): Answer | null {
  const { code, state } = failure;
  switch (code) {
    case 'offset-mismatch':
      return state === null ? null : mismatchingOffset(state, request, version);
    case 'upload-complete':
      return request.method === 'PATCH' && state !== null ? alreadyComplete(state, request, version) : null;
    case 'length-mismatch':
    case 'body-too-short':
    case 'body-too-long':
      return problemJsonAnswer(draftProblems.inconsistentLength);
    case 'upload-protocol':
      // GET reads an upload of this protocol only; tus answers its other methods (tus, Tus-Resumable).
      if (request.method === 'GET') return problemJsonAnswer(problems.notFound);
      return problemJsonAnswer({ ...problems.preconditionFailed, fields: [['Tus-Version', '1.0.0']] });
    default:
      return null;
  }
}

function mismatchingOffset(state: UploadState, { head }: UploadRequest, version: DraftVersion): Answer {
  const provided = parseIntegerItem(soleValue(head.fields, 'upload-offset')) ?? 0;
  const members = { 'expected-offset': state.offset, 'provided-offset': provided };
  // "Not complete" whatever the state is: a client must not take a refusal for success.
  const fields: ResponseFields = [['Upload-Offset', String(state.offset)], ...completenessField(false, version)];
  return problemJsonAnswer({ ...draftProblems.mismatchingOffset, fields }, members);
}

/** An append to a complete upload: the one that asks for nothing may have lost its answer. */
function alreadyComplete(state: UploadState, request: UploadRequest, version: DraftVersion): Answer {
  const { fields, framing } = request.head;
  const offset = parseIntegerItem(soleValue(fields, 'upload-offset'));
  if (offset !== state.offset) return mismatchingOffset(state, request, version);
  const isEmpty = framing.body.kind === 'none' || (framing.body.kind === 'length' && framing.body.length === 0);
  const completes = readCompleteness(fields, version) ?? true;
  if (!isEmpty || !completes) return problemJsonAnswer(draftProblems.inconsistentLength);
  if (version.completedAgain === 'refused') return problemJsonAnswer(draftProblems.completedUpload);
  return { status: 200, fields: [...ownFields, ...stateFields(state, version)], body: '' };
}

function stateFields(state: UploadState, version: DraftVersion): ResponseFields {
  return [['Upload-Offset', String(state.offset)], ...completenessField(state.isComplete, version)];
}

function lengthField({ length }: UploadState): ResponseFields {
  return length === null ? [] : [['Upload-Length', String(length)]];
}

function resourceFields(version: DraftVersion): ResponseFields {
  return [...ownFields, ...referrerField, ...versionField(version)];
}

const ownFields: ResponseFields = [...commonFields, ['Cache-Control', 'no-store']];
/** The URL of an upload is a secret. */
const referrerField: ResponseFields = [['Referrer-Policy', 'no-referrer']];
