/** A crowd of slow clients as a process of its own (crowd.py), from its arrival to its end. */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../../support/project-root.ts';

export type SlowKind =
  | 'idle'
  | 'silent'
  | 'slow-head'
  | 'slow-body'
  | 'refused-body'
  | 'slow-reader'
  | 'stopping-reader';

/** What each client of a kind sends when it comes. */
export type Openings = Readonly<Record<SlowKind, readonly string[]>>;

interface CrowdMessage {
  readonly type: 'open' | 'stopped' | 'gone';
  readonly longestSeconds?: Readonly<Record<SlowKind, number>>;
}

const SCRIPT = join(projectRoot, 'test/attacks/support/crowd.py');

export class Crowd {
  private readonly child: ChildProcess;
  private readonly messages: Promise<CrowdMessage>[];

  /**
   * Sends its openings, and then moves a little every second for so long. It stands for other machines, so the server and
   * its normal clients go first where it shares their cores.
   */
  constructor(port: number, openings: Openings, activeSeconds: number) {
    this.child = spawn('nice', ['-n', '19', '/usr/bin/python3', SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.messages = (['open', 'stopped', 'gone'] as const).map((type) => this.message(type));
    // Whoever waits for a message hears of it.
    for (const message of this.messages) message.catch(() => {});
    this.child.stdin?.write(`${JSON.stringify({ port, openings, activeSeconds })}\n`);
  }

  /** Every client has come. */
  get arrival(): Promise<unknown> {
    return this.messages[0] ?? Promise.reject(new Error('no crowd'));
  }

  /** The last byte was moved. */
  get stop(): Promise<unknown> {
    return this.messages[1] ?? Promise.reject(new Error('no crowd'));
  }

  /** Every connection was closed by the server, but those of slow readers, who cannot know. Longest times by kind. */
  async end(): Promise<Readonly<Record<SlowKind, number>>> {
    const message = await this.messages[2];
    if (message?.longestSeconds === undefined) throw new Error('the crowd does not say how long it was there');
    return message.longestSeconds;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private message(type: CrowdMessage['type']): Promise<CrowdMessage> {
    const { child } = this;
    return new Promise((resolve, reject) => {
      if (child.stdout === null) return;
      createInterface(child.stdout).on('line', (line) => {
        const message = JSON.parse(line) as CrowdMessage;
        if (message.type === type) resolve(message);
      });
      child.once('error', reject);
      child.once('exit', (status, signal) => reject(new Error(`the crowd ended with ${status ?? signal}`)));
    });
  }
}
