/**
 * The interop versions of the IETF draft "Resumable Uploads for HTTP" that clients in the field speak, as a table of what
 * differs between them. A request without a version, or with one that is not listed, speaks the RFC to come.
 */

import type { FieldLine, ResponseFields } from '../http/field-line.ts';
import { soleValue } from '../http/fields.ts';
import { parseBooleanItem, parseIntegerItem } from '../http/structured-field.ts';

export interface DraftVersion {
  /** Value of Upload-Draft-Interop-Version; null: the RFC has none. */
  readonly interop: number | null;
  /** Version 3 says how much is missing, the others say whether it is all. */
  readonly saysIncomplete: boolean;
  /** What an append means that does not say whether it is the last: clients of that time leave it out at the end. */
  readonly bareAppend: 'complete' | 'refused';
  /** Appends are `application/partial-upload`. */
  readonly hasMediaType: boolean;
  /** Status of an append after which more is to come. */
  readonly appendedStatus: 201 | 204;
  /** Offset retrieval and cancellation with upload fields are refused. */
  readonly refusesUploadFields: boolean;
  /** What an empty append says that completes an upload which is complete. */
  readonly completedAgain: 'answered' | 'refused';
  /** What Upload-Limit calls the time that is left, in seconds; null: it knows no such limit. */
  readonly ageKey: 'expires' | 'max-age' | null;
}

const version3: DraftVersion = {
  interop: 3,
  saysIncomplete: true,
  bareAppend: 'complete',
  hasMediaType: false,
  appendedStatus: 201,
  refusesUploadFields: true,
  completedAgain: 'answered',
  ageKey: null,
};
const version4: DraftVersion = { ...version3, interop: 4, saysIncomplete: false };
const version5: DraftVersion = { ...version4, interop: 5 };
const version6: DraftVersion = {
  ...version5,
  interop: 6,
  hasMediaType: true,
  completedAgain: 'refused',
  ageKey: 'expires',
};
const version7: DraftVersion = {
  ...version6,
  interop: 7,
  bareAppend: 'refused',
  appendedStatus: 204,
  refusesUploadFields: false,
  ageKey: 'max-age',
};
const version8: DraftVersion = { ...version7, interop: 8 };
const version9: DraftVersion = { ...version8, interop: 9, completedAgain: 'answered' };
const final: DraftVersion = { ...version9, interop: null };

/** Every version, the final form last. */
export const draftVersions: readonly DraftVersion[] = [
  version3,
  version4,
  version5,
  version6,
  version7,
  version8,
  version9,
  final,
];

/** The version that a request speaks. */
export function draftVersionOf(fields: readonly FieldLine[]): DraftVersion {
  const interop = parseIntegerItem(soleValue(fields, 'upload-draft-interop-version'));
  return draftVersions.find((version) => version.interop === interop) ?? final;
}

/** Name of the field that says whether the upload is complete, in lower case. */
export function completenessFieldOf(version: DraftVersion): 'upload-incomplete' | 'upload-complete' {
  return version.saysIncomplete ? 'upload-incomplete' : 'upload-complete';
}

/** Whether the upload is complete with this request; null: it does not say, or not in a valid way. */
export function readCompleteness(fields: readonly FieldLine[], version: DraftVersion): boolean | null {
  const said = parseBooleanItem(soleValue(fields, completenessFieldOf(version)));
  return said !== null && version.saysIncomplete ? !said : said;
}

/** Whether the upload is complete, in an answer. */
export function completenessField(isComplete: boolean, version: DraftVersion): ResponseFields {
  if (version.saysIncomplete) return [['Upload-Incomplete', isComplete ? '?0' : '?1']];
  return [['Upload-Complete', isComplete ? '?1' : '?0']];
}

/** The version, echoed. */
export function versionField({ interop }: DraftVersion): ResponseFields {
  return interop === null ? [] : [['Upload-Draft-Interop-Version', String(interop)]];
}
