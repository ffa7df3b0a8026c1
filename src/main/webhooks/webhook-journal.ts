/**
 * Messages that wait, on disk: a file of lines, one for each message that came and one for each that is done with. It
 * outlives the process, however that ends. Every process has a file of its own, and takes over those of dead ones.
 *
 * `node:fs` on the main thread is allowed here as for the log: every access is asynchronous, and nobody waits for it.
 */

import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { WebhookMessage } from './webhook-message.ts';

/** A journal that has grown beyond this is begun anew with what still waits. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface WebhookJournalOptions {
  /** Made when it is missing, mode 0700. */
  readonly folder: string;
  /** Told when lines cannot be written: the messages are still sent, but would not outlive the process. */
  readonly onError: (error: unknown) => void;
}

type Line = { readonly add: WebhookMessage } | { readonly done: string };

export class WebhookJournal {
  private readonly options: WebhookJournalOptions;
  private readonly waiting = new Map<string, WebhookMessage>();
  private handle: FileHandle | null = null;
  private path = '';
  private lines: string[] = [];
  private bytes = 0;
  private writing: Promise<void> = Promise.resolve();
  private isWriting = false;
  private isFailing = false;

  constructor(options: WebhookJournalOptions) {
    this.options = options;
  }

  /** Begins a file. Rejects with the system's error. */
  async open(): Promise<void> {
    await mkdir(this.options.folder, { recursive: true, mode: 0o700 });
    await this.begin();
  }

  add(message: WebhookMessage): void {
    this.waiting.set(message.id, message);
    this.append({ add: message });
  }

  done(id: string): void {
    if (this.waiting.delete(id)) this.append({ done: id });
  }

  /** Takes over what dead processes left. Their files are removed when their messages stand in ours. */
  async adopt(): Promise<readonly WebhookMessage[]> {
    const { folder } = this.options;
    const names = await readdir(folder);
    const orphans = names.map((name) => join(folder, name)).filter((path) => path !== this.path && isOrphan(path));
    const adopted: WebhookMessage[] = [];
    for (const path of orphans) adopted.push(...pendingIn(await readFile(path, 'utf8')));
    for (const message of adopted) this.add(message);
    await this.flush();
    for (const path of orphans) await rm(path, { force: true });
    return adopted;
  }

  /** Settles when everything so far is written, or cannot be. */
  async flush(): Promise<void> {
    if (!this.isWriting && this.lines.length > 0) this.writing = this.write();
    await this.writing;
  }

  /** What waits stays; a journal without anything waiting leaves no file. */
  async close(): Promise<void> {
    await this.flush();
    await this.handle?.close();
    this.handle = null;
    if (this.waiting.size === 0) await rm(this.path, { force: true });
  }

  private append(line: Line): void {
    this.lines.push(`${JSON.stringify(line)}\n`);
    if (!this.isWriting) this.writing = this.write();
  }

  private async write(): Promise<void> {
    this.isWriting = true;
    try {
      while (this.lines.length > 0) {
        const text = this.lines.splice(0).join('');
        await this.handle?.appendFile(text);
        this.bytes += text.length;
        if (this.bytes > MAX_BYTES) await this.beginAnew();
        this.isFailing = false;
      }
    } catch (error) {
      // Told once, not for every message on a full disk.
      if (!this.isFailing) this.options.onError(error);
      this.isFailing = true;
    } finally {
      this.isWriting = false;
    }
  }

  private async begin(): Promise<void> {
    const path = join(this.options.folder, `${process.pid}-${randomUUID()}.jsonl`);
    // Also when it cannot be had: the old one goes on, and it is tried again after as many bytes.
    this.bytes = 0;
    this.handle = await open(path, 'ax', 0o600);
    this.path = path;
  }

  /** The old file is removed only when the new one holds all that waits. */
  private async beginAnew(): Promise<void> {
    const [oldPath, oldHandle] = [this.path, this.handle];
    const text = [...this.waiting.values()].map((message) => `${JSON.stringify({ add: message })}\n`).join('');
    await this.begin();
    await this.handle?.appendFile(text);
    await oldHandle?.close();
    await rm(oldPath, { force: true });
  }
}

/** A file whose process is gone. One with our own id is left from an earlier life: in containers it is always 1. */
function isOrphan(path: string): boolean {
  const [, pid] = /(\d+)-[\w-]+\.jsonl$/.exec(path) ?? [];
  if (pid === undefined) return false;
  if (Number(pid) === process.pid) return true;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

/** Messages that came and are not done with. The last line may be torn: its process died while it was written. */
function pendingIn(text: string): readonly WebhookMessage[] {
  const pending = new Map<string, WebhookMessage>();
  for (const line of text.split('\n')) {
    const parsed = parseLine(line);
    if (parsed === null) continue;
    if ('add' in parsed) pending.set(parsed.add.id, parsed.add);
    else pending.delete(parsed.done);
  }
  return [...pending.values()];
}

function parseLine(line: string): Line | null {
  try {
    return line === '' ? null : (JSON.parse(line) as Line);
  } catch {
    // Torn.
    return null;
  }
}
