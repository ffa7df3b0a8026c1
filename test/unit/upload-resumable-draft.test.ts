/** The IETF draft as commands and answers, version by version; what is stored stands in the tests of the wire. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { draftVersionOf } from '../../src/main/upload/draft-version.ts';
import { createResumableDraft } from '../../src/main/upload/resumable-draft.ts';
import type { ParsedUpload } from '../../src/main/upload/upload-protocol.ts';
import { append, commandOf, completeness, eachVersion, SLOT, versionLines } from '../support/draft-request.ts';
import { slotServer } from '../support/slot-decision.ts';
import { type Lines, RESOURCE, RESOURCE_PATH, uploadRequest } from '../support/upload-request.ts';

const place = { basePath: '/files/', publicOrigin: null };
const draft = createResumableDraft(() => slotServer(), place);
/** A76. */
const RUNS = 100_000;

function refusedWith(parsed: ParsedUpload): number {
  return parsed.kind === 'refused' ? parsed.problem.status : 0;
}

test('the version of a request: 3 to 9, everything else is the RFC to come', () => {
  const interops = ['3', '4', '5', '6', '7', '8', '9', '2', '10', '99', '6.0', 'abc', ''].map(
    (value) => draftVersionOf([{ name: 'upload-draft-interop-version', value }]).interop,
  );
  assert.deepEqual(interops, [3, 4, 5, 6, 7, 8, 9, null, null, null, null, null, null]);
  assert.equal(draftVersionOf([]).interop, null);
});

test('recognizes creations that say whether they are complete, and everything on the URL of an upload', () => {
  const table: readonly (readonly [lines: Lines, recognized: boolean])[] = [
    [[['Upload-Complete', '?0']], true],
    [
      [
        ['Upload-Complete', '?1;x=1'],
        ['Upload-Draft-Interop-Version', '6'],
      ],
      true,
    ],
    [
      [
        ['Upload-Incomplete', '?1'],
        ['Upload-Draft-Interop-Version', '3'],
      ],
      true,
    ],
    [
      [
        ['Upload-Complete', '?0'],
        ['Upload-Draft-Interop-Version', '3'],
      ],
      false,
    ],
    [
      [
        ['Upload-Incomplete', '?1'],
        ['Upload-Draft-Interop-Version', '6'],
      ],
      false,
    ],
    [[['Upload-Incomplete', '?1']], false],
    [[['Upload-Complete', 'true']], false],
    [[['Upload-Complete', '1']], false],
    [[['Upload-Complete', '?2']], false],
    [[['Upload-Complete', '?T']], false],
    [
      [
        ['Upload-Complete', '?0'],
        ['Upload-Complete', '?0'],
      ],
      false,
    ],
    [[], false],
  ];
  for (const [lines, recognized] of table) {
    for (const method of ['PUT', 'POST']) {
      assert.equal(draft.recognizes(uploadRequest(method, SLOT, lines)), recognized, JSON.stringify(lines));
    }
    assert.equal(draft.recognizes(uploadRequest('PATCH', SLOT, lines)), false);
  }
  assert.equal(draft.recognizes(uploadRequest('GET', RESOURCE_PATH)), true);
});

eachVersion('an append says where it goes, and whether it is the last', (version) => {
  const lines: Lines = [['Upload-Offset', '300;x'], ['Content-Length', '700'], ...completeness(version, true)];
  const command = commandOf(draft.parse(append(version, lines)));
  assert.deepEqual(command, {
    type: 'append',
    protocol: 'ietf',
    target: { kind: 'resource', name: RESOURCE },
    offset: 300,
    length: null,
    body: { length: 700, digests: [], completes: true },
  });
});

eachVersion('I*-17 an append without a valid offset is 400', (version) => {
  for (const offset of ['abc', '-1', '1.5', '1.0', '"0"', '?0', '0, 0', '']) {
    const lines: Lines = [['Upload-Offset', offset], ['Content-Length', '1'], ...completeness(version, false)];
    assert.equal(refusedWith(draft.parse(append(version, lines))), 400, offset);
  }
  const none: Lines = [['Content-Length', '1'], ...completeness(version, false)];
  assert.equal(refusedWith(draft.parse(append(version, none))), 400);
  const twice: Lines = [['Upload-Offset', '0'], ['Upload-Offset', '0'], ...none];
  assert.equal(refusedWith(draft.parse(append(version, twice))), 400);
});

eachVersion('I*-18 an append that does not say whether it is the last: until version 6 it is, then 400', (version) => {
  const parsed = draft.parse(
    append(version, [
      ['Upload-Offset', '0'],
      ['Content-Length', '1'],
    ]),
  );
  if ((version.interop ?? 99) > 6) {
    assert.equal(refusedWith(parsed), 400);
    return;
  }
  const command = commandOf(parsed);
  assert.ok(command.type === 'append' && command.body.completes === true);
});

eachVersion('I*-15, I*-16 from version 6 on an append has its media type', (version) => {
  const table: readonly (readonly [type: string | null, isPart: boolean])[] = [
    ['application/partial-upload', true],
    ['Application/Partial-Upload; x=y', true],
    ['application/octet-stream', false],
    ['application/offset+octet-stream', false],
    [null, false],
  ];
  for (const [type, isPart] of table) {
    const lines: Lines = [
      ...versionLines(version),
      ['Upload-Offset', '0'],
      ['Content-Length', '1'],
      ...completeness(version, false),
      ...(type === null ? [] : [['Content-Type', type] as const]),
    ];
    const status = refusedWith(draft.parse(uploadRequest('PATCH', RESOURCE_PATH, lines)));
    assert.equal(status, isPart || (version.interop ?? 99) < 6 ? 0 : 415, `${type}`);
  }
});

eachVersion('an append whose lengths contradict each other is 400', (version) => {
  const table: readonly (readonly [isComplete: boolean, length: string, status: number])[] = [
    [true, '10', 0],
    [true, '9', 400],
    [true, '11', 400],
    [false, '9', 400],
    [false, '10', 0],
    [false, '11', 0],
  ];
  for (const [isComplete, length, status] of table) {
    const lines: Lines = [
      ['Upload-Offset', '7'],
      ['Content-Length', '3'],
      ['Upload-Length', length],
    ];
    const parsed = draft.parse(append(version, [...lines, ...completeness(version, isComplete)]));
    assert.equal(refusedWith(parsed), status, `${isComplete} ${length}`);
  }
});

eachVersion('I*-31 until version 6 HEAD and DELETE with upload fields are 400', (version) => {
  for (const method of ['HEAD', 'DELETE']) {
    for (const lines of [[['Upload-Offset', '0']], completeness(version, false)] as readonly Lines[]) {
      const status = refusedWith(
        draft.parse(uploadRequest(method, RESOURCE_PATH, [...versionLines(version), ...lines])),
      );
      assert.equal(status, (version.interop ?? 99) <= 6 ? 400 : 0, method);
    }
    const command = commandOf(draft.parse(uploadRequest(method, RESOURCE_PATH, versionLines(version))));
    assert.equal(command.type, method === 'HEAD' ? 'inspect' : 'discard');
  }
});

test('other methods on the URL of an upload are 405 with those that there are', () => {
  for (const method of ['PUT', 'POST', 'TRACE']) {
    const parsed = draft.parse(uploadRequest(method, RESOURCE_PATH));
    assert.ok(parsed.kind === 'refused');
    assert.deepEqual(
      [parsed.problem.status, parsed.problem.fields],
      [405, [['Allow', 'OPTIONS, HEAD, GET, PATCH, DELETE']]],
    );
  }
});

test('A76 no head makes the translator throw, and what it commands is in range', () => {
  const value = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('?1', '?0', '0', '300', '-1', '1.5', '1000', '6', '9'),
  );
  const name = fc.constantFrom(
    'upload-offset',
    'upload-length',
    'upload-complete',
    'upload-incomplete',
    'upload-draft-interop-version',
    'content-type',
    'content-length',
    'content-digest',
  );
  const request = fc.record({
    method: fc.constantFrom('PUT', 'POST', 'PATCH', 'HEAD', 'GET', 'DELETE'),
    target: fc.constantFrom(SLOT, `${SLOT}&s=1000`, RESOURCE_PATH),
    lines: fc.array(fc.tuple(name, value), { maxLength: 5 }),
  });
  fc.assert(
    fc.property(request, ({ method, target, lines }) => {
      const upload = uploadRequest(method, target, lines);
      if (!draft.recognizes(upload)) return;
      const parsed = draft.parse(upload);
      if (parsed.kind === 'refused' || parsed.command.type === 'store') return;
      const command = commandOf(parsed);
      if (command.type === 'append') assert.ok(Number.isSafeInteger(command.offset) && command.offset >= 0);
      if (command.type === 'create') assert.ok(command.length === null || command.length >= 0);
    }),
    { numRuns: RUNS },
  );
});
