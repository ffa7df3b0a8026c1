/**
 * tus 1.0.0 (https://tus.io/protocols/resumable-upload): a translator without state. Where the specification is silent
 * it does what tusd, tus-js-client and Uppy need; every answer says `Tus-Resumable`, refusals included.
 */

import type { AppendUpload, ResumableCommand, UploadTarget } from '../../shared/resumable.ts';
import { refused, type UploadRules } from '../auth/grant.ts';
import { countLines, isAnyRepeated, soleValue } from '../http/fields.ts';
import { HttpProblem, methodNotAllowed, problems } from '../http/problem.ts';
import type { PublicPlace } from './resource-url.ts';
import { tusAnswer, tusDescription } from './tus-answer.ts';
import { parseTusCreation } from './tus-creation.ts';
import { readBody, readLength, readOffset, requireOffsetStream, soleFields } from './tus-fields.ts';
import { TUS_VERSION, tusRefusal, unsupportedVersion } from './tus-refusal.ts';
import type { ParsedUpload, UploadProtocol, UploadRequest } from './upload-protocol.ts';

const RESOURCE_METHODS = ['OPTIONS', 'HEAD', 'PATCH', 'DELETE'];

export function createTus(rules: () => UploadRules, place: PublicPlace): UploadProtocol {
  return {
    name: 'tus',
    // The slot URL has other methods than these for everybody; an upload's own URL is tus's alone, whatever is asked.
    recognizes: ({ head, method, target }) =>
      countLines(head.fields, 'tus-resumable') > 0 && (target.kind === 'resource' || method === 'POST'),
    parse: (request) => parseTus(request, rules(), place),
    respond: (outcome) => tusAnswer(outcome, place),
    reject: tusRefusal,
    describe: () => tusDescription(rules().maxUploadBytes),
  };
}

function parseTus(request: UploadRequest, rules: UploadRules, place: PublicPlace): ParsedUpload {
  const { head, target } = request;
  try {
    if (soleValue(head.fields, 'tus-resumable') !== TUS_VERSION) return refused(unsupportedVersion);
    if (isAnyRepeated(head.fields, soleFields)) return refused(problems.badRequest);
    if (target.kind === 'slot') return parseTusCreation(request, target, rules, place);
    return parseOnResource(request, target);
  } catch (error) {
    if (error instanceof HttpProblem) return refused(error.problem);
    throw error;
  }
}

function parseOnResource(request: UploadRequest, target: UploadTarget): ParsedUpload {
  switch (request.method) {
    case 'PATCH':
      return commanded(parseAppend(request, target));
    case 'HEAD':
      return commanded({ type: 'inspect', protocol: 'tus', target });
    case 'DELETE':
      return commanded({ type: 'discard', protocol: 'tus', target });
    case 'GET':
      // An upload is no representation of the file.
      return refused(problems.notFound);
    default:
      return refused(methodNotAllowed(RESOURCE_METHODS));
  }
}

function parseAppend({ head }: UploadRequest, target: UploadTarget): AppendUpload {
  requireOffsetStream(head);
  const offset = readOffset(head);
  const body = readBody(head) ?? { length: 0, digests: [], completes: null };
  return { type: 'append', protocol: 'tus', target, offset, length: readLength(head), body };
}

function commanded(command: ResumableCommand): ParsedUpload {
  return { kind: 'command', command: { type: 'resumable', command, grant: null } };
}
