/**
 * The requests of `put`, one at a time: HTTP/1.1 on a connection that is kept. An answer that comes before the whole body
 * is out counts, and silence for too long is a lost connection.
 */

import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface SlotAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly fields: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Its beginning. */
  readonly text: string;
}

export interface SlotRequest {
  readonly method: string;
  readonly url: URL;
  readonly fields: Readonly<Record<string, string | number>>;
  /** null: none. Ends early when the server does not want more. */
  readonly body: AsyncIterable<Uint8Array> | null;
  /** Ask before sending the body. Servers that do not know about it are not waited for. */
  readonly expectsContinue?: boolean;
  /** Silence of this length is a lost connection. */
  readonly patienceMs: number;
  /** Takes the body of the answer; without it, its beginning is kept as text. */
  readonly onBody?: (chunk: Uint8Array) => void;
}

/** The connection could not be made, or broke, or went silent. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** It is not the server that the URL names, as far as its certificate goes: that does not pass. */
export class ServerUntrusted extends Error {
  override readonly name = 'ServerUntrusted';
}

const MAX_TEXT_LENGTH = 2_000;
/** As long as curl waits for a 100. */
const CONTINUE_MS = 1_000;

export class SlotClient {
  private readonly signal: AbortSignal;
  private readonly agents = {
    'http:': new HttpAgent({ keepAlive: true }),
    'https:': new HttpsAgent({ keepAlive: true }),
  };

  /** The signal ends whatever is under way. */
  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  /** Rejects with ConnectionLost, ServerUntrusted, with what `body` throws, or with the reason of the signal. */
  async send(request: SlotRequest): Promise<SlotAnswer> {
    const outgoing = this.open(request);
    const answer = this.answerTo(outgoing, request);
    // Whichever fails first is told; the other must not be an unhandled rejection.
    answer.catch(() => {});
    try {
      if (request.expectsContinue) await continued(outgoing, answer);
      await writeBody(outgoing, request.body, answer);
      return await answer;
    } finally {
      outgoing.destroy();
    }
  }

  close(): void {
    for (const agent of Object.values(this.agents)) agent.destroy();
  }

  private open({ method, url, fields, expectsContinue }: SlotRequest): ClientRequest {
    const { signal } = this;
    const headers = { ...fields, ...(expectsContinue ? { Expect: '100-continue' } : {}) };
    const options = { method, headers, signal };
    return url.protocol === 'https:'
      ? httpsRequest(url, { ...options, agent: this.agents['https:'] })
      : httpRequest(url, { ...options, agent: this.agents['http:'] });
  }

  private answerTo(outgoing: ClientRequest, { onBody, patienceMs }: SlotRequest): Promise<SlotAnswer> {
    return new Promise((resolve, reject) => {
      const lost = (error: Error): void => {
        reject(this.signal.aborted ? this.signal.reason : failureOf(error));
      };
      outgoing.on('error', lost);
      outgoing.setTimeout(patienceMs, () => {
        outgoing.destroy(new Error(`nothing moved for ${patienceMs / 1_000} s`));
      });
      outgoing.once('response', (incoming) => {
        incoming.on('error', lost);
        readAnswer(incoming, onBody).then(resolve, lost);
      });
    });
  }
}

async function continued(outgoing: ClientRequest, answer: Promise<SlotAnswer>): Promise<void> {
  const told = new Promise<void>((resolve) => {
    outgoing.once('continue', resolve);
    setTimeout(resolve, CONTINUE_MS).unref();
  });
  outgoing.flushHeaders();
  await Promise.race([told, answer]);
}

async function writeBody(
  outgoing: ClientRequest,
  body: AsyncIterable<Uint8Array> | null,
  answer: Promise<SlotAnswer>,
): Promise<void> {
  let isAnswered = false;
  const ended = answer.then(
    () => {
      isAnswered = true;
    },
    () => {
      isAnswered = true;
    },
  );
  for await (const chunk of body ?? []) {
    if (isAnswered || outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await Promise.race([ended, drained(outgoing)]);
  }
  if (!outgoing.destroyed) outgoing.end();
}

function drained(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done).off('close', done);
      resolve();
    };
    outgoing.on('drain', done).on('close', done);
  });
}

async function readAnswer(incoming: IncomingMessage, onBody: SlotRequest['onBody']): Promise<SlotAnswer> {
  let text = '';
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    if (onBody !== undefined) onBody(chunk);
    else if (text.length < MAX_TEXT_LENGTH) text += chunk.toString('utf8');
  }
  return { status: incoming.statusCode ?? 0, fields: incoming.headers, text: text.slice(0, MAX_TEXT_LENGTH) };
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the server refuses connections',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up',
  ETIMEDOUT: 'the server does not answer',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
};

/** What OpenSSL and Node.js call a certificate that is not accepted. */
const certificateCode = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)|_CERT$/;

function failureOf(error: Error): Error {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'EPROTO') return new ServerUntrusted('the server speaks no TLS on this port', { cause: error });
  if (certificateCode.test(code)) return new ServerUntrusted(error.message, { cause: error });
  return new ConnectionLost(words[code] ?? error.message, { cause: error });
}
