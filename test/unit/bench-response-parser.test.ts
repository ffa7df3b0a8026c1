/** How the load generator reads responses: complete ones at any cut, and nothing that is not a response. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, type ParseResult, type ResponseHead, ResponseParser } from '../../bench/load/response-parser.ts';

interface Reading {
  readonly results: ParseResult[];
  readonly heads: ResponseHead[];
  readonly body: string;
  readonly isEndComplete: boolean;
}

/** Feeds the text in pieces of a length, then the end of the connection. */
function read(text: string, isHeadOnly = false, pieceLength = text.length): Reading {
  const heads: ResponseHead[] = [];
  const pieces: Buffer[] = [];
  const parser = new ResponseParser({
    onHead: (head) => heads.push(head),
    onBody: (bytes) => pieces.push(Buffer.from(bytes)),
  });
  parser.expect(isHeadOnly);
  const results: ParseResult[] = [];
  for (let offset = 0; offset < text.length; offset += pieceLength) {
    results.push(parser.feed(Buffer.from(text.slice(offset, offset + pieceLength), 'latin1')));
    if (results.at(-1) === 'malformed') break;
  }
  return { results, heads, body: Buffer.concat(pieces).toString('latin1'), isEndComplete: parser.end() };
}

const RIGHT: readonly { readonly text: string; readonly body: string; readonly isHeadOnly?: boolean }[] = [
  { text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', body: 'hello' },
  { text: 'HTTP/1.1 201 Created\r\ncontent-length:0\r\n\r\n', body: '' },
  { text: 'HTTP/1.1 204 No Content\r\n\r\n', body: '' },
  { text: 'HTTP/1.1 304\r\nETag: "x"\r\n\r\n', body: '' },
  { text: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', body: 'ok' },
  {
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n',
    body: 'hello world',
  },
  { text: 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n', body: '', isHeadOnly: true },
];

test('a response is complete at its last byte and not before, however it is cut (RFC 9112 §6.3)', () => {
  for (const { text, body, isHeadOnly } of RIGHT) {
    for (let pieceLength = 1; pieceLength <= text.length; pieceLength += 1) {
      const reading = read(text, isHeadOnly, pieceLength);
      assert.equal(reading.results.at(-1), 'complete', text);
      assert.ok(reading.results.slice(0, -1).every((result) => result === 'incomplete'));
      assert.equal(reading.body, body);
      assert.equal(reading.heads.length, 1);
    }
  }
});

test('a response that closes its connection says so', () => {
  const closing = ['HTTP/1.1 200 OK\r\nConnection: close\r\n', 'HTTP/1.0 200 OK\r\n'];
  for (const head of closing) {
    assert.deepEqual(read(`${head}Content-Length: 1\r\n\r\nx`).results, ['closing']);
  }
});

test('without a length the end of the connection ends the body, and only then (RFC 9112 §6.3)', () => {
  const reading = read('HTTP/1.1 200 OK\r\n\r\nall that comes');
  assert.deepEqual(reading.results, ['incomplete']);
  assert.equal(reading.body, 'all that comes');
  assert.ok(reading.isEndComplete);
  assert.ok(!read('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort').isEndComplete);
});

test('what is not exactly one response is malformed', () => {
  const wrong = [
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'garbage\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxx',
    'HTTP/1.1 204 No Content\r\n\r\nbody',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n',
    `HTTP/1.1 200 OK\r\n${'a'.repeat(70_000)}`,
  ];
  for (const text of wrong) assert.equal(read(text).results.at(-1), 'malformed', text.slice(0, 80));
});

test('fields are found in any case and without the white space around them', () => {
  const [head] = read('HTTP/1.1 206 P\r\ncontent-range:  bytes 0-1/2 \r\nContent-Length: 2\r\n\r\nab').heads;
  assert.ok(head !== undefined);
  assert.equal(fieldOf(head, 'Content-Range'), 'bytes 0-1/2');
  assert.equal(fieldOf(head, 'Location'), null);
  assert.equal(head.lengthBytes, 2);
});
