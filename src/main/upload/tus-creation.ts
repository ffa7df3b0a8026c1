/**
 * POST on a slot URL (tus: Creation, Creation With Upload, Creation Defer Length, Concatenation). Lengths that contradict
 * each other inside the request are refused before the signature is looked at.
 */

import type { Concatenation, CreateUpload, ResumableBody } from '../../shared/resumable.ts';
import { authorizeCreation, type UploadRules } from '../auth/grant.ts';
import { firstValue, soleValue } from '../http/fields.ts';
import { HttpProblem, problems } from '../http/problem.ts';
import type { PublicPlace } from './resource-url.ts';
import { readBody, readDeferral, readFileDigests, readLength } from './tus-fields.ts';
import { parseUploadConcat } from './upload-concat.ts';
import { metadataType, parseUploadMetadata } from './upload-metadata.ts';
import type { ParsedUpload, UploadRequest } from './upload-protocol.ts';

type SlotTarget = Extract<UploadRequest['target'], { kind: 'slot' }>;

/** Throws HttpProblem for what is wrong whoever asks. */
export function parseTusCreation(
  request: UploadRequest,
  target: SlotTarget,
  rules: UploadRules,
  place: PublicPlace,
): ParsedUpload {
  const { head, nowSeconds } = request;
  const { key, parameters } = target;
  const concatenation = readConcatenation(request, place);
  const length = readDeclaredLength(request, concatenation);
  const body = readCreationBody(request, concatenation, length);
  const digests = readFileDigests(head);
  const metadata = firstValue(head.fields, 'upload-metadata') || null;
  const contentType = readType(metadata);
  // Parts are shorter than the file that is signed: its size stands in the slot URL (`s`).
  const declaredBytes = concatenation === null ? length : null;
  const authorization = soleValue(head.fields, 'authorization');
  const outcome = authorizeCreation(
    { key, parameters, nowSeconds, contentType, authorization, declaredBytes, protocol: 'tus' },
    rules,
  );
  if (outcome.kind === 'refused') return outcome;
  const { grant } = outcome;
  const command: CreateUpload = {
    type: 'create',
    protocol: 'tus',
    key,
    signature: grant.signature,
    terms: grant.terms,
    length,
    maxLength: grant.maxBytes,
    signedLength: concatenation?.kind === 'partial' ? null : grant.signedBytes,
    metadata,
    concatenation,
    digests,
    body,
  };
  return { kind: 'command', command: { type: 'resumable', command, grant } };
}

function readConcatenation({ head }: UploadRequest, place: PublicPlace): Concatenation | null {
  const text = firstValue(head.fields, 'upload-concat');
  if (text === null) return null;
  const concatenation = parseUploadConcat(text, place, firstValue(head.fields, 'host'));
  if (concatenation === null) throw new HttpProblem(problems.badRequest);
  return concatenation;
}

/** Exactly one of Upload-Length and Upload-Defer-Length; neither for a final upload, which is as long as its parts. */
function readDeclaredLength({ head }: UploadRequest, concatenation: Concatenation | null): number | null {
  const length = readLength(head);
  const isDeferred = readDeferral(head);
  const isDeclared = length !== null;
  const isRight = concatenation?.kind === 'final' ? !isDeclared && !isDeferred : isDeclared !== isDeferred;
  if (!isRight) throw new HttpProblem(problems.badRequest);
  return length;
}

function readCreationBody(
  { head }: UploadRequest,
  concatenation: Concatenation | null,
  length: number | null,
): ResumableBody | null {
  const body = readBody(head);
  if (body === null) return null;
  if (concatenation?.kind === 'final') throw new HttpProblem(problems.badRequest);
  if (length !== null && body.length !== null && body.length > length) throw new HttpProblem(problems.tooLarge);
  return body;
}

function readType(metadata: string | null): string | null {
  if (metadata === null) return null;
  const pairs = parseUploadMetadata(metadata);
  if (pairs === null) throw new HttpProblem(problems.badRequest);
  return metadataType(pairs);
}
