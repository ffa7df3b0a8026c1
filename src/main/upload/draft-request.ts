/**
 * From a request of the IETF draft to a command: creation on a slot URL, the other three on the upload's own. A PUT with
 * the whole file, as URLSession makes of every upload task, is an ordinary upload that says a little more.
 */

import type { AppendUpload, CreateUpload, ExpectedDigest, ResourceName } from '../../shared/resumable.ts';
import { authorizeCreation, refused, type UploadRules } from '../auth/grant.ts';
import { contentDigests, representationDigests } from '../http/digest-fields.ts';
import type { RequestHead } from '../http/exchange.ts';
import { firstValue, isAnyRepeated, soleValue } from '../http/fields.ts';
import { essence } from '../http/media-type.ts';
import { methodNotAllowed, type Problem, problems } from '../http/problem.ts';
import { parseIntegerItem } from '../http/structured-field.ts';
import { draftProblems } from './draft-problem.ts';
import { completenessFieldOf, type DraftVersion, draftVersionOf, readCompleteness } from './draft-version.ts';
import type { ParsedUpload, UploadRequest } from './upload-protocol.ts';

export const PARTIAL_UPLOAD = 'application/partial-upload';

const RESOURCE_METHODS = ['OPTIONS', 'HEAD', 'GET', 'PATCH', 'DELETE'];

/** Of these, two lines could say two things. */
const soleFields: ReadonlySet<string> = new Set([
  'upload-offset',
  'upload-length',
  'upload-complete',
  'upload-incomplete',
  'upload-draft-interop-version',
  'content-type',
]);

/** What a body brings, as far as its head tells. */
interface Content {
  /** In bytes; null: chunked coding. */
  readonly length: number | null;
  /** Upload-Length; null: not declared. */
  readonly declaredLength: number | null;
  /** Over the body. */
  readonly digests: readonly ExpectedDigest[];
}

export function parseDraft(request: UploadRequest, rules: UploadRules): ParsedUpload {
  const { head, target } = request;
  if (isAnyRepeated(head.fields, soleFields)) return refused(problems.badRequest);
  const version = draftVersionOf(head.fields);
  if (target.kind === 'slot') return parseCreation(request, version, rules);
  const { name } = target;
  switch (request.method) {
    case 'PATCH':
      return parseAppend(head, name, version, rules);
    case 'HEAD':
    case 'GET':
      return hasForeignField(head, version) ? refused(problems.badRequest) : onResource('inspect', name);
    case 'DELETE':
      return hasForeignField(head, version) ? refused(problems.badRequest) : onResource('discard', name);
    default:
      return refused(methodNotAllowed(RESOURCE_METHODS));
  }
}

function onResource(type: 'inspect' | 'discard', name: ResourceName): ParsedUpload {
  const command = { type, protocol: 'ietf', target: { kind: 'resource', name } } as const;
  return { kind: 'command', command: { type: 'resumable', command, grant: null } };
}

/** Early versions: a server MUST refuse requests for the offset, or to cancel, that say something about the upload. */
function hasForeignField({ fields }: RequestHead, version: DraftVersion): boolean {
  if (!version.refusesUploadFields) return false;
  return ['upload-offset', completenessFieldOf(version)].some((name) => firstValue(fields, name) !== null);
}

function parseCreation(request: UploadRequest, version: DraftVersion, rules: UploadRules): ParsedUpload {
  const { head, target, nowSeconds } = request;
  const completes = readCompleteness(head.fields, version);
  const content = readContent(head);
  const fileDigests = representationDigests(head.fields);
  if (target.kind !== 'slot' || completes === null || content === null || fileDigests === 'malformed') {
    return refused(problems.badRequest);
  }
  const inconsistency = judgeLengths(content, 0, completes, rules);
  if (inconsistency !== null) return refused(inconsistency);
  const { key, parameters } = target;
  const contentType = typeOfFile(head);
  const declaredBytes = content.declaredLength ?? (completes ? content.length : null);
  const authorization = soleValue(head.fields, 'authorization');
  const outcome = authorizeCreation(
    { key, parameters, nowSeconds, contentType, authorization, declaredBytes, protocol: 'ietf' },
    rules,
  );
  if (outcome.kind === 'refused') return outcome;
  const { grant } = outcome;
  const { length, digests } = content;
  // No client learns the URL of such an upload before it is over, so there is nothing to go on with.
  if (request.method === 'PUT' && completes && length !== null) {
    const wholeFile = [...digests, ...fileDigests];
    return { kind: 'command', command: { type: 'store', grant: { ...grant, sizeBytes: length }, digests: wholeFile } };
  }
  const command: CreateUpload = {
    type: 'create',
    protocol: 'ietf',
    key,
    signature: grant.signature,
    terms: grant.terms,
    length: declaredBytes,
    maxLength: grant.maxBytes,
    signedLength: grant.signedBytes,
    metadata: null,
    concatenation: null,
    digests: fileDigests,
    body: { length, digests, completes },
  };
  return { kind: 'command', command: { type: 'resumable', command, grant } };
}

function parseAppend(head: RequestHead, name: ResourceName, version: DraftVersion, rules: UploadRules): ParsedUpload {
  if (version.hasMediaType && essence(firstValue(head.fields, 'content-type') ?? '') !== PARTIAL_UPLOAD) {
    return refused(problems.unsupportedMediaType);
  }
  const offset = parseIntegerItem(soleValue(head.fields, 'upload-offset'));
  const completes = readCompleteness(head.fields, version) ?? (version.bareAppend === 'complete' ? true : null);
  const content = readContent(head);
  if (offset === null || offset < 0 || completes === null || content === null) return refused(problems.badRequest);
  const inconsistency = judgeLengths(content, offset, completes, rules);
  if (inconsistency !== null) return refused(inconsistency);
  const { length, declaredLength, digests } = content;
  const command: AppendUpload = {
    type: 'append',
    protocol: 'ietf',
    target: { kind: 'resource', name },
    offset,
    length: declaredLength,
    body: { length, digests, completes },
  };
  return { kind: 'command', command: { type: 'resumable', command, grant: null } };
}

/** null: malformed. A length that is no Integer is to be ignored (RFC 9651 §4.2). */
function readContent({ fields, framing }: RequestHead): Content | null {
  const digests = contentDigests(fields);
  const declaredLength = parseIntegerItem(soleValue(fields, 'upload-length'));
  if (digests === 'malformed' || (declaredLength !== null && declaredLength < 0)) return null;
  const { body } = framing;
  const length = body.kind === 'length' || body.kind === 'none' ? body.length : null;
  return { length, declaredLength, digests };
}

/** Lengths that contradict each other inside the request are refused before anything else is looked at. */
function judgeLengths(content: Content, offset: number, completes: boolean, rules: UploadRules): Problem | null {
  const { length, declaredLength } = content;
  if (length === null || declaredLength === null) return null;
  const end = offset + length;
  if (completes ? end === declaredLength : end <= declaredLength) return null;
  const { maxUploadBytes } = rules;
  return maxUploadBytes !== null && declaredLength > maxUploadBytes
    ? problems.tooLarge
    : draftProblems.inconsistentLength;
}

/** Content-Type of a creation is the file's, unless it says that the body is a part. */
function typeOfFile({ fields }: RequestHead): string | null {
  const type = firstValue(fields, 'content-type');
  return type === null || essence(type) === PARTIAL_UPLOAD ? null : type;
}
