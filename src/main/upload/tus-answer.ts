/** Outcomes as answers of tus 1.0.0, and what OPTIONS says about it. */

import type { UploadState } from '../../shared/resumable.ts';
import { commonFields } from '../http/common-fields.ts';
import type { Answer } from '../http/exchange.ts';
import type { ResponseFields } from '../http/field-line.ts';
import { formatHttpDate } from '../http/http-date.ts';
import { locationOf, type PublicPlace, resourceFields } from './resource-url.ts';
import { TUS_VERSION, versionField } from './tus-refusal.ts';
import { checksumAlgorithms } from './upload-checksum.ts';
import type { UploadOutcome } from './upload-protocol.ts';

/** Not checksum-trailer: the trailer section of a request does not reach the server's code. */
const EXTENSIONS = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'expiration',
  'checksum',
  'termination',
  'concatenation',
].join(',');

/** @param maxUploadBytes null: no limit. */
export function tusDescription(maxUploadBytes: number | null): ResponseFields {
  return [
    versionField,
    ['Tus-Version', TUS_VERSION],
    ['Tus-Extension', EXTENSIONS],
    ['Tus-Checksum-Algorithm', checksumAlgorithms],
    ...(maxUploadBytes === null ? [] : ([['Tus-Max-Size', String(maxUploadBytes)]] as const)),
  ];
}

export function tusAnswer(outcome: UploadOutcome, place: PublicPlace): Answer {
  if (outcome.type !== 'resumable') throw new Error(`not an outcome of tus: ${outcome.type}`);
  const { command } = outcome;
  const { state } = outcome.outcome;
  switch (command.type) {
    case 'create':
      return answer(201, [['Location', locationOf(state.name, place)], ...progressOf(state)]);
    case 'append':
      return answer(204, progressOf(state));
    case 'inspect':
      return answer(200, [...progressOf(state), ...descriptionOf(state)]);
    case 'discard':
      return answer(204, []);
    default:
      return command satisfies never;
  }
}

function answer(status: number, fields: ResponseFields): Answer {
  return { status, fields: [...commonFields, versionField, ...resourceFields, ...fields], body: null };
}

/** Where the upload is, and until when it can be gone on with or, a part, be used. */
function progressOf(state: UploadState): ResponseFields {
  const isWaiting = !state.isComplete || state.concatenation === 'partial';
  return [
    ['Upload-Offset', String(state.offset)],
    ...(isWaiting ? ([['Upload-Expires', formatHttpDate(state.expiresAtMs)]] as const) : []),
  ];
}

function descriptionOf({ length, metadata, concatText }: UploadState): ResponseFields {
  return [
    length === null ? ['Upload-Defer-Length', '1'] : ['Upload-Length', String(length)],
    ...(metadata === null ? [] : ([['Upload-Metadata', metadata]] as const)),
    ...(concatText === null ? [] : ([['Upload-Concat', concatText]] as const)),
  ];
}
