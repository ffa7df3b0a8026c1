/** Creations of the IETF draft as commands: what is signed, and what is refused before the signature is looked at. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Answer } from '../../src/main/http/exchange.ts';
import { createResumableDraft } from '../../src/main/upload/resumable-draft.ts';
import type { ParsedUpload } from '../../src/main/upload/upload-protocol.ts';
import { commandOf, completeness, create, eachVersion, SLOT, versionLines } from '../support/draft-request.ts';
import { slotServer } from '../support/slot-decision.ts';
import { type Lines, uploadRequest } from '../support/upload-request.ts';

const MAC = '0'.repeat(64);
const place = { basePath: '/files/', publicOrigin: null };
const draft = createResumableDraft(() => slotServer(), place);

function refusedWith(parsed: ParsedUpload): number {
  return parsed.kind === 'refused' ? parsed.problem.status : 0;
}

function fieldOf(answer: Answer, name: string): string | null {
  const values = answer.fields.filter(([field]) => field === name);
  assert.ok(values.length <= 1, `${name} stands ${values.length} times`);
  return values[0]?.[1] ?? null;
}

eachVersion('a creation is signed over the length that it declares, or that its URL names', (version) => {
  const table: readonly (readonly [
    isComplete: boolean,
    lines: Lines,
    target: string,
    length: number | null,
    signed: number,
  ])[] = [
    [false, [['Upload-Length', '100']], SLOT, 100, 100],
    [true, [['Content-Length', '100']], SLOT, 100, 100],
    [false, [], `${SLOT}&s=100`, null, 100],
    [true, [['Transfer-Encoding', 'chunked']], `${SLOT}&s=100`, null, 100],
    [
      false,
      [
        ['Upload-Length', '100'],
        ['Content-Length', '40'],
      ],
      SLOT,
      100,
      100,
    ],
  ];
  for (const [isComplete, lines, target, length, signed] of table) {
    const command = commandOf(draft.parse(create(version, isComplete, lines, target)));
    assert.ok(command.type === 'create');
    assert.deepEqual([command.length, command.signedLength, command.maxLength], [length, signed, signed]);
    assert.equal(command.body?.completes, isComplete);
    assert.deepEqual(
      command.signature.messages.map(({ text }) => text),
      [`a.bin ${signed}`],
    );
  }
});

eachVersion('a creation whose length is not signed is refused', (version) => {
  const table: readonly (readonly [isComplete: boolean, lines: Lines, target: string, status: number])[] = [
    [false, [], SLOT, 400],
    [true, [['Transfer-Encoding', 'chunked']], SLOT, 400],
    [false, [['Upload-Length', '100']], `${SLOT}&s=99`, 403],
    [false, [['Upload-Length', '100']], '/files/a.bin', 403],
  ];
  for (const [isComplete, lines, target, status] of table) {
    assert.equal(refusedWith(draft.parse(create(version, isComplete, lines, target))), status, JSON.stringify(lines));
  }
});

eachVersion('I*-23 a creation that contradicts itself, or is malformed, is 400 whatever its signature', (version) => {
  const table: readonly (readonly [isComplete: boolean, lines: Lines, target: string, status: number])[] = [
    [
      true,
      [
        ['Content-Length', '100'],
        ['Upload-Length', '99'],
      ],
      SLOT,
      400,
    ],
    [
      true,
      [
        ['Content-Length', '99'],
        ['Upload-Length', '100'],
      ],
      '/files/a.bin',
      400,
    ],
    [
      false,
      [
        ['Content-Length', '101'],
        ['Upload-Length', '100'],
      ],
      SLOT,
      400,
    ],
    [
      false,
      [
        ['Upload-Length', '100'],
        ['Upload-Length', '100'],
      ],
      SLOT,
      400,
    ],
    [false, [['Upload-Length', '-1']], SLOT, 400],
    [
      false,
      [
        ['Upload-Length', '100'],
        ['Content-Digest', 'sha-256=1'],
      ],
      SLOT,
      400,
    ],
    [
      false,
      [
        ['Upload-Length', '100'],
        ['Repr-Digest', 'sha-256=1'],
      ],
      SLOT,
      400,
    ],
  ];
  for (const [isComplete, lines, target, status] of table) {
    assert.equal(refusedWith(draft.parse(create(version, isComplete, lines, target))), status, JSON.stringify(lines));
  }
});

test('I*-39 a length above the limit is 413 with Upload-Limit, also when lengths disagree', () => {
  const limited = createResumableDraft(() => slotServer({ maxUploadBytes: 50 }), place);
  for (const lines of [
    [['Upload-Length', '51']],
    [
      ['Upload-Length', '51'],
      ['Content-Length', '60'],
    ],
  ] as const) {
    const request = uploadRequest('PUT', SLOT, [['Upload-Complete', '?0'], ...lines]);
    const parsed = limited.parse(request);
    assert.ok(parsed.kind === 'refused');
    const answer = limited.reject({ problem: parsed.problem, failure: null }, request);
    assert.deepEqual([answer.status, fieldOf(answer, 'Upload-Limit')], [413, 'max-size=50']);
  }
});

test('the type under the signature is that of the creation, unless it says that the body is a part', () => {
  const signedTypes = (type: string): readonly string[] => {
    const lines: Lines = [
      ['Upload-Complete', '?0'],
      ['Upload-Length', '9'],
      ['Content-Type', type],
    ];
    const command = commandOf(draft.parse(uploadRequest('POST', `/files/a.bin?v2=${MAC}`, lines)));
    return command.type === 'create'
      ? command.signature.messages.map(({ text }) => text.slice(text.lastIndexOf('\0') + 1))
      : [];
  };
  assert.equal(signedTypes('image/png')[0], 'image/png');
  assert.equal(signedTypes('application/partial-upload').includes('application/partial-upload'), false);
});

test('Repr-Digest goes with the file, Content-Digest with the body', () => {
  const value = createHash('sha256').update('').digest('base64');
  const other = createHash('sha512').update('').digest('base64');
  const lines: Lines = [
    ['Upload-Complete', '?0'],
    ['Upload-Length', '9'],
    ['Repr-Digest', `sha-256=:${value}:`],
    ['Content-Digest', `sha-512=:${other}:`],
  ];
  const command = commandOf(draft.parse(uploadRequest('POST', SLOT, lines)));
  assert.ok(command.type === 'create');
  assert.deepEqual(command.digests, [{ algorithm: 'sha256', value }]);
  assert.deepEqual(command.body?.digests, [{ algorithm: 'sha512', value: other }]);
});

eachVersion('a PUT with the whole file is an ordinary upload, and its answer says that it is complete', (version) => {
  const value = createHash('sha256').update('abcd').digest('base64');
  const lines: Lines = [
    ...versionLines(version),
    ...completeness(version, true),
    ['Content-Length', '4'],
    ['Repr-Digest', `sha-256=:${value}:`],
  ];
  const request = uploadRequest('PUT', SLOT, lines);
  const parsed = draft.parse(request);
  assert.ok(parsed.kind === 'command' && parsed.command.type === 'store');
  assert.deepEqual([parsed.command.grant.sizeBytes, parsed.command.digests], [4, [{ algorithm: 'sha256', value }]]);
  const file = { size: 4, modifiedMs: 0, validator: '1', type: null, sha256: null };
  const answer = draft.respond({ type: 'stored', file }, request);
  const names = ['Upload-Offset', 'Upload-Complete', 'Upload-Incomplete', 'Upload-Limit', 'Location'];
  const isOld = version.interop === 3;
  assert.equal(answer.status, 201);
  assert.deepEqual(
    names.map((name) => answer.fields.find(([field]) => field === name)?.[1] ?? null),
    ['4', isOld ? null : '?1', isOld ? '?0' : null, 'min-size=0', null],
  );
});
