/**
 * Opens the ports: the public one on TCP or a unix socket, and the operator's. A port that cannot be had ends the start
 * with its reason, and never ends up shared with another server.
 */

import { createServer } from 'node:net';
import type { Config, ListenAddress } from './config/config.ts';
import { formatHostPort } from './config/host-port.ts';
import { claimSocketPath, moveSocket, openSocket, removeSocket, type SocketFile } from './config/unix-socket.ts';
import { StartError } from './start-error.ts';

/** Where a server can be reached, as it turned out (port 0 is any free port). */
export interface Listening {
  readonly address: ListenAddress;
  /** For logs and people: `127.0.0.1:8080`, or a path. */
  readonly text: string;
  /** null: TCP, which leaves nothing behind. */
  readonly socketFile: SocketFile | null;
}

/** What can listen. */
export interface Port {
  /** Resolves to the port; null: the address cannot be had. A shared port is had with others that share it. */
  listen(host: string, port: number, isShared: boolean): Promise<number | null>;
  /** Nothing may lie at the path. */
  listenUnix(path: string): Promise<boolean>;
}

type PublicAddress = Pick<Config, 'listen' | 'socketMode' | 'isPortShared'>;

/** `isTakenOver`: the server that has the address hands it over; clients never find nobody there. */
export async function listenPublic(server: Port, config: PublicAddress, isTakenOver: boolean): Promise<Listening> {
  const { listen, socketMode, isPortShared } = config;
  if (listen.kind === 'tcp') return listenTcp(server, listen, { key: 'ListenPort', isShared: isPortShared });
  return isTakenOver ? replaceUnix(server, listen.path, socketMode) : listenUnix(server, listen.path, socketMode);
}

export function listenOperator(server: Port, { metrics, isPortShared }: OperatorAddress): Promise<Listening> {
  return listenTcp(server, metrics, { key: 'MetricsPort', isShared: isPortShared });
}

interface OperatorAddress extends Pick<Config, 'isPortShared'> {
  readonly metrics: NonNullable<Config['metrics']>;
}

/** Removes the file of a unix socket. */
export function forgetAddress({ socketFile }: Listening): void {
  if (socketFile !== null) removeSocket(socketFile);
}

interface TcpOptions {
  /** The setting that an error names. */
  readonly key: string;
  readonly isShared: boolean;
}

async function listenTcp(server: Port, { host, port }: TcpAddress, { key, isShared }: TcpOptions): Promise<Listening> {
  const bound = await server.listen(host, port, isShared);
  const wanted = formatHostPort({ host, port });
  if (bound === null) throw new StartError(`${key} ${wanted}: ${await whyNot(host, port)}`);
  const text = formatHostPort({ host, port: bound });
  return { address: { kind: 'tcp', host, port: bound }, text, socketFile: null };
}

type TcpAddress = Pick<Extract<ListenAddress, { kind: 'tcp' }>, 'host' | 'port'>;

async function listenUnix(server: Port, path: string, mode: number): Promise<Listening> {
  const refusal = await claimSocketPath(path);
  if (refusal !== null) throw new StartError(`ListenPort: ${refusal}`);
  if (!(await server.listenUnix(path))) throw new StartError(`ListenPort ${path}: the socket cannot be made there`);
  return { address: { kind: 'unix', path }, text: path, socketFile: openSocket(path, mode) };
}

/** Another socket is made beside the one that is in use, and takes its name in one step. */
async function replaceUnix(server: Port, path: string, mode: number): Promise<Listening> {
  const draft = `${path}.${process.pid}`;
  const { socketFile } = await listenUnix(server, draft, mode);
  if (socketFile === null) throw new Error('a unix socket has a file');
  return { address: { kind: 'unix', path }, text: path, socketFile: moveSocket(socketFile, path) };
}

/** The transport only says no; trying the same once more by other means names the reason. */
function whyNot(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(explain(error)));
    probe.listen({ host, port, exclusive: true }, () => {
      probe.close();
      resolve('the address cannot be listened on');
    });
  });
}

function explain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the port is taken by another process';
    case 'EACCES':
      return 'ports below 1024 need a privilege (CAP_NET_BIND_SERVICE)';
    case 'EADDRNOTAVAIL':
      return 'the address does not belong to this host';
    case 'ENOTFOUND':
      return 'the host name does not resolve';
    default:
      return error.message;
  }
}
