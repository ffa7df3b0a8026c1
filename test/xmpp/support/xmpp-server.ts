/** What the tests know of an XMPP server, whichever it is, and how accounts come into being. */

import { connect } from 'node:net';

export interface XmppServer {
  /** Of plain client connections, on loopback. */
  readonly port: number;
  stop(): Promise<void>;
}

export interface Account {
  readonly jid: string;
  readonly password: string;
  readonly port: number;
  /** Address of the upload service of its domain. */
  readonly service: string;
}

const TIMEOUT_MS = 10_000;
const PASSWORD = 'a-password-that-only-tests-know';

/** Makes an account by in-band registration (XEP-0077). */
export async function register(server: XmppServer, user: string, domain: string): Promise<Account> {
  const stream =
    `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' ` +
    `xmlns:stream='http://etherx.jabber.org/streams'>`;
  const request =
    `<iq type='set' id='register'><query xmlns='jabber:iq:register'><username>${user}</username>` +
    `<password>${PASSWORD}</password></query></iq>`;
  await converse(server.port, [
    { send: stream, until: '</stream:features>' },
    { send: request, until: "type='result'" },
  ]);
  return { jid: `${user}@${domain}`, password: PASSWORD, port: server.port, service: `upload.${domain}` };
}

interface Step {
  readonly send: string;
  readonly until: string;
}

function converse(port: number, steps: readonly Step[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: TIMEOUT_MS });
    const [first, ...others] = steps;
    let step = first;
    let heard = '';
    const end = (error: Error | null): void => {
      socket.destroy();
      if (error === null) resolve();
      else reject(error);
    };
    socket.setEncoding('utf8');
    socket.once('connect', () => socket.write(step?.send ?? ''));
    socket.once('error', end);
    socket.once('timeout', () => end(new Error(`no "${step?.until}": ${heard}`)));
    socket.once('close', () => end(new Error(`closed before "${step?.until}": ${heard}`)));
    socket.on('data', (text: string) => {
      heard += text;
      if (step === undefined || !heard.includes(step.until)) return;
      step = others.shift();
      heard = '';
      if (step === undefined) end(null);
      else socket.write(step.send);
    });
  });
}
