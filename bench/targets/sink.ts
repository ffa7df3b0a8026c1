/**
 * A server that does nothing with uploads and makes downloads out of memory: `PUT` of any size is discarded and answered 201, `GET /N`
 * answers N bytes. It shows how fast the generator is, since no real server can do less.
 */

import uWS, { type HttpRequest, type HttpResponse } from 'uWebSockets.js';
import { Payload } from '../payload.ts';

/** Above this, uWebSockets.js would copy what the socket does not take: larger bodies go out piece by piece. */
const LARGEST_AT_ONCE = 16 * 1024;

const payload = new Payload();

function discard(response: HttpResponse): void {
  response.onData((_, isLast) => {
    if (isLast) response.cork(() => response.writeStatus('201 Created').end());
  });
}

function sendPieces(response: HttpResponse, total: number): void {
  const send = (): boolean => {
    for (;;) {
      const offset = response.getWriteOffset();
      const [isTaken, isDone] = response.tryEnd(payload.slice(0, offset, total - offset), total);
      if (isDone || !isTaken) return isDone;
    }
  };
  response.onWritable(send);
  response.cork(send);
}

function answer(response: HttpResponse, request: HttpRequest): void {
  response.onAborted(() => undefined);
  const method = request.getCaseSensitiveMethod();
  const size = Number(request.getUrl().slice(1));
  if (method === 'PUT') discard(response);
  else if (!Number.isSafeInteger(size)) response.writeStatus('404 Not Found').end();
  else if (method === 'HEAD') response.writeHeader('Content-Length', String(size)).endWithoutBody();
  else if (size <= LARGEST_AT_ONCE) response.end(payload.slice(0, 0, size));
  else sendPieces(response, size);
}

const port = Number(process.argv[2]);
uWS
  .App()
  .any('/*', answer)
  .listen('127.0.0.1', port, (socket) => {
    if (socket !== false && socket !== null) return;
    process.stderr.write(`cannot listen on port ${port}\n`);
    process.exit(1);
  });
