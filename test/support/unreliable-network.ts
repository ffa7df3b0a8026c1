/**
 * The network between a client and the server: a TCP proxy that cuts connections after a number of bytes, or lets them
 * fall silent without telling anybody, as mobile networks do. Bytes are counted as the client sends them.
 */

import { connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to the connection that brings the last of so many bytes. */
interface Fault {
  readonly kind: 'cut' | 'freeze';
  readonly afterBytes: number;
  readonly happened: () => void;
}

export class UnreliableNetwork {
  /** Bytes that clients have sent, heads included, and that were passed on. */
  sentBytes = 0;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly faults: Fault[] = [];
  private passedSinceFault = 0;
  private readonly bytesPerMs: number;
  private targetPort: number;

  private constructor(server: Server, targetPort: number, bytesPerMs: number) {
    this.server = server;
    this.targetPort = targetPort;
    this.bytesPerMs = bytesPerMs;
  }

  /** `bytesPerMs`: how fast it is for each client; without it, as fast as the machine. */
  static start(target: { readonly port: number }, bytesPerMs = Number.POSITIVE_INFINITY): Promise<UnreliableNetwork> {
    const server = createServer({ allowHalfOpen: true });
    const network = new UnreliableNetwork(server, target.port, bytesPerMs);
    server.on('connection', (socket) => network.join(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve(network));
    });
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** New connections lead there: the server was started again. */
  leadTo(target: { readonly port: number }): void {
    this.targetPort = target.port;
  }

  /** Cuts the connection that brings the last of so many further bytes. Faults happen one after the other. */
  cutAfter(afterBytes: number): Promise<void> {
    return this.fault('cut', afterBytes);
  }

  /** The same with silence: the connection stays, and nothing passes any more. */
  freezeAfter(afterBytes: number): Promise<void> {
    return this.fault('freeze', afterBytes);
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private fault(kind: Fault['kind'], afterBytes: number): Promise<void> {
    if (this.faults.length === 0) this.passedSinceFault = 0;
    return new Promise((happened) => this.faults.push({ kind, afterBytes, happened }));
  }

  private join(client: Socket): void {
    const upstream = connect({ host: '127.0.0.1', port: this.targetPort, allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.once('close', () => this.sockets.delete(socket));
    }
    bind(client, upstream);
    client.on('data', (chunk) => this.pass(chunk, client, upstream));
    upstream.on('data', (chunk) => {
      client.write(chunk);
    });
  }

  private forward(passed: Uint8Array, client: Socket, upstream: Socket): void {
    const tookMs = passed.length / this.bytesPerMs;
    if (upstream.write(passed) && tookMs < 1) return;
    client.pause();
    const goOn = (): void => {
      setTimeout(() => client.resume(), tookMs);
    };
    if (upstream.writableNeedDrain) upstream.once('drain', goOn);
    else goOn();
  }

  private pass(chunk: Buffer, client: Socket, upstream: Socket): void {
    const [fault] = this.faults;
    const room = fault === undefined ? chunk.length : fault.afterBytes - this.passedSinceFault;
    const passed = chunk.subarray(0, room);
    this.sentBytes += passed.length;
    this.passedSinceFault += passed.length;
    if (fault === undefined || chunk.length < room) {
      this.forward(passed, client, upstream);
      return;
    }
    this.faults.shift();
    this.passedSinceFault = 0;
    // What was passed arrives, as far as the server is concerned; the client knows nothing of it.
    upstream.write(passed, () => {
      if (fault.kind === 'cut') client.resetAndDestroy();
      fault.happened();
    });
    client.removeAllListeners('data').pause();
    if (fault.kind === 'freeze') client.removeAllListeners('close');
    else upstream.end();
  }
}

/** The end of one side is that of the other. */
function bind(client: Socket, upstream: Socket): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.on('end', () => to.end());
    // A reset is told by `close`.
    from.on('error', () => {});
    from.on('close', () => to.destroy());
  }
}
