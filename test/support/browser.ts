/**
 * A real Chromium without a window, spoken to over its debugging pipe (messages of the DevTools protocol, each ended by a zero byte).
 * Needs the Debian package `chromium`.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

type Fields = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly result?: Fields;
  readonly params?: Fields;
  readonly error?: { readonly message: string };
}

/** How a reader sees a page. */
export interface Viewer {
  readonly width: number;
  readonly height: number;
  readonly isPhone: boolean;
  readonly scheme: 'light' | 'dark';
}

export class Browser {
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #profile: string;
  readonly #replies = new Map<number, { resolve: (result: Fields) => void; reject: (error: Error) => void }>();
  readonly #events: Message[] = [];
  #wake: () => void = () => undefined;
  #lastId = 0;
  #session: string | null = null;

  private constructor(child: ChildProcess, profile: string) {
    const [, , , input, output] = child.stdio;
    this.#child = child;
    this.#profile = profile;
    this.#input = input as Writable;
    let unread = '';
    (output as Readable).setEncoding('utf8').on('data', (text: string) => {
      const messages = (unread + text).split('\0');
      unread = messages.pop() ?? '';
      for (const message of messages) this.#hear(JSON.parse(message) as Message);
    });
  }

  /** Starts Chromium. Throws, with what to install, when there is none. */
  static async start(): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'browser-'));
    const child = spawn(
      'chromium',
      ['--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', `--user-data-dir=${profile}`],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true },
    );
    try {
      await once(child, 'spawn');
    } catch (error) {
      rmSync(profile, { recursive: true });
      throw new Error('chromium is not installed (Debian: apt-get install chromium)', { cause: error });
    }
    const browser = new Browser(child, profile);
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = String(sessionId);
    await browser.send('Page.enable');
    await browser.send('Log.enable');
    await browser.send('Network.enable');
    return browser;
  }

  /** Sends a command of the protocol to the page. */
  send(method: string, params: Fields = {}): Promise<Fields> {
    this.#lastId += 1;
    const id = this.#lastId;
    const session = this.#session === null ? {} : { sessionId: this.#session };
    this.#input.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return new Promise((resolve, reject) => {
      this.#replies.set(id, { resolve, reject });
    });
  }

  /** Opens a page as this viewer sees it, and waits until it is complete. */
  async open(url: string, viewer: Viewer): Promise<void> {
    const { width, height, isPhone, scheme } = viewer;
    await this.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: isPhone,
    });
    await this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    this.#events.length = 0;
    await this.send('Page.navigate', { url });
    while (!this.#events.some(({ method }) => method === 'Page.loadEventFired')) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Parameters of all events of a kind since the page was opened. */
  events(method: string): Fields[] {
    return this.#events.flatMap((event) =>
      event.method === method && event.params !== undefined ? [event.params] : [],
    );
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, returnByValue: true });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as Fields)['value'];
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
    await exited;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #hear(message: Message): void {
    if (message.id === undefined) {
      this.#events.push(message);
      this.#wake();
      return;
    }
    const waiter = this.#replies.get(message.id);
    this.#replies.delete(message.id);
    if (message.error === undefined) waiter?.resolve(message.result ?? {});
    else waiter?.reject(new Error(message.error.message));
  }
}
