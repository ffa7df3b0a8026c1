/** What the IETF draft answers, version by version. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../../src/main/http/exchange.ts';
import { draftVersionOf } from '../../src/main/upload/draft-version.ts';
import { createResumableDraft } from '../../src/main/upload/resumable-draft.ts';
import { append, commandOf, completeness, create, eachVersion, versionLines } from '../support/draft-request.ts';
import { slotServer } from '../support/slot-decision.ts';
import { RESOURCE_PATH, uploadRequest } from '../support/upload-request.ts';
import { completeState, done, earlyRefusal, refusalOf, uploadState } from '../support/upload-state.ts';

const REGISTRY = 'https://iana.org/assignments/http-problem-types#';
const draft = createResumableDraft(() => slotServer(), { basePath: '/files/', publicOrigin: null });

function fieldOf(answer: Answer, name: string): string | null {
  const values = answer.fields.filter(([field]) => field === name);
  assert.ok(values.length <= 1, `${name} stands ${values.length} times`);
  return values[0]?.[1] ?? null;
}

function problemOf(answer: Answer): Record<string, unknown> {
  return JSON.parse(String(answer.body)) as Record<string, unknown>;
}

eachVersion('answers a creation with the URL of the upload, and never a 104', (version) => {
  const request = create(version, false, [['Upload-Length', '1000']]);
  const answer = draft.respond(done(commandOf(draft.parse(request)), uploadState()), request);
  const name = version.interop === 3 ? 'Upload-Incomplete' : 'Upload-Complete';
  assert.equal(answer.status, 201);
  assert.equal(fieldOf(answer, 'Location'), RESOURCE_PATH);
  assert.equal(fieldOf(answer, 'Upload-Offset'), '300');
  assert.equal(fieldOf(answer, name), version.interop === 3 ? '?1' : '?0');
  assert.equal(
    fieldOf(answer, 'Upload-Draft-Interop-Version'),
    version.interop === null ? null : String(version.interop),
  );
  assert.match(fieldOf(answer, 'Upload-Limit') ?? '', /^min-size=0(?:, (?:expires|max-age)=3600)?$/);
  assert.equal(fieldOf(answer, 'Cache-Control'), 'no-store');
  assert.equal(fieldOf(answer, 'Referrer-Policy'), 'no-referrer');
});

eachVersion('answers offset retrieval with 204, appends as the version says, cancellation with 204', (version) => {
  const head = uploadRequest('HEAD', RESOURCE_PATH, versionLines(version));
  const retrieved = draft.respond(done(commandOf(draft.parse(head)), uploadState()), head);
  assert.deepEqual([retrieved.status, fieldOf(retrieved, 'Upload-Length')], [204, '1000']);
  const unknown = draft.respond(done(commandOf(draft.parse(head)), uploadState({ length: null })), head);
  assert.equal(fieldOf(unknown, 'Upload-Length'), null);
  const part = append(version, [['Upload-Offset', '0'], ['Content-Length', '300'], ...completeness(version, false)]);
  const appended = draft.respond(done(commandOf(draft.parse(part)), uploadState()), part);
  assert.deepEqual(
    [appended.status, fieldOf(appended, 'Upload-Offset')],
    [(version.interop ?? 99) <= 6 ? 201 : 204, '300'],
  );
  const completed = draft.respond(done(commandOf(draft.parse(part)), completeState(), true), part);
  assert.deepEqual([completed.status, fieldOf(completed, 'Upload-Offset')], [200, '1000']);
  const cancel = uploadRequest('DELETE', RESOURCE_PATH, versionLines(version));
  const cancelled = draft.respond(done(commandOf(draft.parse(cancel)), uploadState()), cancel);
  assert.deepEqual([cancelled.status, fieldOf(cancelled, 'Upload-Offset')], [204, null]);
});

eachVersion(
  'I*-13, I*-14 another offset is 409 with the right one, and says that the upload is not complete',
  (version) => {
    const part = append(version, [['Upload-Offset', '5'], ['Content-Length', '1'], ...completeness(version, true)]);
    const answer = draft.reject(refusalOf('offset-mismatch', uploadState()), part);
    assert.deepEqual([answer.status, fieldOf(answer, 'Upload-Offset')], [409, '300']);
    assert.equal(
      fieldOf(answer, version.interop === 3 ? 'Upload-Incomplete' : 'Upload-Complete'),
      version.interop === 3 ? '?1' : '?0',
    );
    assert.equal(fieldOf(answer, 'Content-Type'), 'application/problem+json');
    const problem = problemOf(answer);
    assert.deepEqual(
      [problem['type'], problem['expected-offset'], problem['provided-offset']],
      [`${REGISTRY}mismatching-upload-offset`, 300, 5],
    );
  },
);

eachVersion(
  'I*-28, I*-29 an append to a complete upload changes nothing; an empty one may hear of its end again',
  (version) => {
    const bytes = append(version, [['Upload-Offset', '1000'], ['Content-Length', '1'], ...completeness(version, true)]);
    const late = draft.reject(refusalOf('upload-complete', completeState()), bytes);
    assert.deepEqual([late.status, problemOf(late)['type']], [400, `${REGISTRY}inconsistent-upload-length`]);
    const empty = append(version, [['Upload-Offset', '1000'], ['Content-Length', '0'], ...completeness(version, true)]);
    const again = draft.respond(done(commandOf(draft.parse(empty)), completeState()), empty);
    assert.equal(draft.reject(refusalOf('upload-complete', completeState()), empty).status, again.status);
    if ([6, 7, 8].includes(version.interop ?? 99)) {
      assert.deepEqual([again.status, problemOf(again)['type']], [400, `${REGISTRY}completed-upload`]);
    } else {
      assert.deepEqual([again.status, fieldOf(again, 'Upload-Offset')], [200, '1000']);
    }
    const elsewhere = append(version, [
      ['Upload-Offset', '0'],
      ['Content-Length', '0'],
      ...completeness(version, true),
    ]);
    assert.equal(draft.reject(refusalOf('upload-complete', completeState()), elsewhere).status, 409);
  },
);

test('what else may go wrong has its status, a problem for programs, and keeps the URL to itself', () => {
  const part = append(draftVersionOf([]), [
    ['Upload-Offset', '0'],
    ['Upload-Complete', '?0'],
  ]);
  const head = uploadRequest('HEAD', RESOURCE_PATH);
  const cancel = uploadRequest('DELETE', RESOURCE_PATH);
  const table = [
    [draft.reject(refusalOf('upload-unknown'), head), 404],
    [draft.reject(refusalOf('upload-gone'), head), 410],
    [draft.reject(refusalOf('upload-complete', completeState()), cancel), 403],
    [draft.reject(refusalOf('length-mismatch', uploadState()), part), 400],
    [draft.reject(refusalOf('body-too-long', uploadState()), part), 400],
    [draft.reject(refusalOf('body-too-short', uploadState()), part), 400],
    [draft.reject(refusalOf('digest-mismatch', uploadState()), part), 400],
    [draft.reject(refusalOf('length-exceeded', uploadState()), part), 413],
    [draft.reject(refusalOf('exists'), part), 409],
    [draft.reject(refusalOf('no-space'), part), 507],
    [draft.reject(refusalOf('upload-protocol', uploadState({ protocol: 'tus' })), head), 412],
    [
      draft.reject(refusalOf('upload-protocol', uploadState({ protocol: 'tus' })), uploadRequest('GET', RESOURCE_PATH)),
      404,
    ],
    [draft.reject(earlyRefusal, part), 400],
  ] as const;
  for (const [index, [answer, status]] of table.entries()) {
    assert.equal(answer.status, status, `row ${index}`);
    assert.equal(fieldOf(answer, 'Content-Type'), 'application/problem+json', `row ${index}`);
    assert.equal(fieldOf(answer, 'Referrer-Policy'), 'no-referrer');
    assert.equal(fieldOf(answer, 'Cache-Control'), 'no-store');
  }
});

test('I*-40 describes itself by its limits and by what it takes', () => {
  assert.deepEqual(draft.describe(), [
    ['Upload-Limit', 'min-size=0'],
    ['Accept-Patch', 'application/partial-upload, application/offset+octet-stream'],
  ]);
});
