/** The status lines this server sends. Only texts from this table reach the wire, so no status line can be forged. */

const statusLines: ReadonlyMap<number, string> = new Map(
  [
    '200 OK',
    '201 Created',
    '204 No Content',
    '206 Partial Content',
    '304 Not Modified',
    '308 Permanent Redirect',
    '400 Bad Request',
    '403 Forbidden',
    '404 Not Found',
    '405 Method Not Allowed',
    '408 Request Timeout',
    '409 Conflict',
    '410 Gone',
    '411 Length Required',
    '412 Precondition Failed',
    '413 Content Too Large',
    '415 Unsupported Media Type',
    '416 Range Not Satisfiable',
    '423 Locked',
    '429 Too Many Requests',
    '431 Request Header Fields Too Large',
    '460 Checksum Mismatch',
    '500 Internal Server Error',
    '501 Not Implemented',
    '503 Service Unavailable',
    '505 HTTP Version Not Supported',
    '507 Insufficient Storage',
  ].map((line) => [Number(line.slice(0, 3)), line]),
);

/**
 * Code and reason phrase as they stand in a status line (`201 Created`): RFC 9110 §15, RFC 6585, RFC 4918, and 460 of
 * the tus checksum extension.
 * @throws RangeError for a code that this server never sends: a bug, not an input.
 */
export function statusLine(status: number): string {
  const line = statusLines.get(status);
  if (line === undefined) throw new RangeError(`No status line for ${status}`);
  return line;
}
