/** A connection to a server with several listeners: it belongs to one of them, and knows to which. */

import assert from 'node:assert/strict';
import { RawConnection, type RawResponse, requestBytes } from './raw-http.ts';
import type { ServerProcess } from './server-process.ts';

let asked = 0;

export class ListenerClient {
  /** Prefix of the listener's request ids. */
  readonly listener: string;
  readonly connection: RawConnection;
  private readonly server: ServerProcess;

  private constructor(server: ServerProcess, connection: RawConnection, listener: string) {
    this.server = server;
    this.connection = connection;
    this.listener = listener;
  }

  /** The server must log at level debug. */
  static async connect(server: ServerProcess): Promise<ListenerClient> {
    const connection = await RawConnection.open(server.port);
    asked += 1;
    const path = `/files/who-answers-${asked}`;
    await connection.send(requestBytes('GET', path));
    assert.equal((await connection.finalResponse()).status, 404);
    const line = await server.event('request.received', 10_000, (candidate) => candidate['path'] === path);
    const [listener = ''] = String(line['request_id']).split('-');
    return new ListenerClient(server, connection, listener);
  }

  /** So many connections, in the order in which they were opened. */
  static async connectAll(server: ServerProcess, count: number): Promise<readonly ListenerClient[]> {
    const clients: ListenerClient[] = [];
    for (let index = 0; index < count; index += 1) clients.push(await ListenerClient.connect(server));
    return clients;
  }

  async get(key: string): Promise<RawResponse> {
    await this.connection.send(requestBytes('GET', `/files/${key}`));
    return this.connection.finalResponse();
  }

  async put(key: string, body: Uint8Array): Promise<number> {
    await this.connection.send(requestBytes('PUT', this.server.signedTarget(key, body.length), {}, body));
    return (await this.connection.finalResponse()).status;
  }

  /** Sends the head and the first bytes of an upload. */
  async beginUpload(key: string, body: Uint8Array, firstBytes: number): Promise<void> {
    const fields = { 'Content-Length': String(body.length) };
    const head = requestBytes('PUT', this.server.signedTarget(key, body.length), fields);
    await this.connection.send(Buffer.concat([head, body.subarray(0, firstBytes)]));
  }

  drop(): void {
    this.connection.drop();
  }
}

/** The listeners that serve these connections, each once. */
export function listenersOf(clients: readonly ListenerClient[]): readonly string[] {
  return [...new Set(clients.map(({ listener }) => listener))];
}
