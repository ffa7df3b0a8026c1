/** The problem types of the IETF draft (Problem Types): what clients can act upon without reading prose. */

import { type Problem, problems } from '../http/problem.ts';

const REGISTRY = 'https://iana.org/assignments/http-problem-types#';

export const draftProblems = {
  /** The append does not begin where the upload ends. */
  mismatchingOffset: {
    ...problems.conflict,
    type: `${REGISTRY}mismatching-upload-offset`,
    title: 'Mismatching Upload Offset',
    detail: 'The upload goes on at another offset.',
  },
  /** Lengths that were declared, or counted, disagree. */
  inconsistentLength: {
    ...problems.badRequest,
    type: `${REGISTRY}inconsistent-upload-length`,
    title: 'Inconsistent Upload Length',
    detail: 'The lengths that the upload was given do not agree.',
  },
  completedUpload: {
    ...problems.badRequest,
    type: `${REGISTRY}completed-upload`,
    title: 'Completed Upload',
    detail: 'The upload is complete, and takes nothing more.',
  },
} satisfies Record<string, Problem>;
