/**
 * The log: winston with our lines and our transport. Lines go to standard output and, if there is one, to a file as well;
 * a level that is off costs a comparison.
 */

import winston, { type Logform } from 'winston';
import type { LogLevel } from '../config/config.ts';
import { BatchWriter, type LogTarget } from './batch-writer.ts';
import { createBatchingTransport, FINISHED_LINE } from './batching-transport.ts';
import { type LogFields, type LogRecord, renderJson, renderReadable } from './log-line.ts';
import { openLogFile, openStandardOutput } from './log-target.ts';

/** What the rest of the server needs of a log. */
export interface Logger {
  /** Guards the cost of building fields. */
  isEnabled(level: LogLevel): boolean;
  readonly isDebugEnabled: boolean;
  /** `msg` is constant per place in the code; variable parts are fields. Never throws. `timeMs`: now, unless given. */
  log(level: LogLevel, msg: string, fields?: LogFields, timeMs?: number): void;
}

/** The log as the composition root holds it. */
export interface ServerLogger extends Logger {
  setLevel(level: LogLevel): void;
  /** Returns a function that ends it. */
  onLevelChange(listener: () => void): () => void;
  /** Opens the log file anew; rejects with the system's error and goes on with the old one when that fails. */
  reopen(): Promise<void>;
  /** Settles when all lines are written or cannot be, at the latest after `timeoutMs`. Never rejects. */
  flush(timeoutMs?: number): Promise<void>;
  /** Writes what waits, on the spot: for the process's `exit` event. */
  flushSync(): void;
  /** Lines lost since the start, on all targets. */
  droppedLines(): number;
  close(): Promise<void>;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** null: standard output only. */
  readonly file: string | null;
  /** Form of the lines on standard output; null: none there. */
  readonly standardOutput: 'json' | 'readable' | null;
  /** Bytes that may wait per target. */
  readonly maxBytes?: number;
}

type TargetName = 'file' | 'standard output';

/** Lower is graver. */
const SEVERITY = {
  panic: 0,
  fatal: 1,
  error: 2,
  warning: 3,
  info: 4,
  debug: 5,
  trace: 6,
} as const satisfies Record<LogLevel, number>;

const DEFAULT_FLUSH_TIMEOUT_MS = 1000;

/** Opens the targets. Rejects with the system's error when the log file cannot be opened. */
export async function openLogger(options: LoggerOptions): Promise<ServerLogger> {
  const { file } = options;
  const logger = new WinstonLogger(options);
  if (file !== null) await logger.addTarget('file', () => openLogFile(file), null);
  if (options.standardOutput !== null) {
    const format = options.standardOutput === 'readable' ? lineFormat(renderReadable) : null;
    await logger.addTarget('standard output', openStandardOutput, format);
  }
  return logger;
}

class WinstonLogger implements ServerLogger {
  private readonly winston: winston.Logger;
  private readonly maxBytes: number | undefined;
  private readonly writers = new Map<TargetName, BatchWriter>();
  private readonly levelListeners = new Set<() => void>();
  private lowestSeverity: number;
  private isClosed = false;

  constructor(options: LoggerOptions) {
    this.maxBytes = options.maxBytes;
    this.lowestSeverity = SEVERITY[options.level];
    this.winston = winston.createLogger({ levels: SEVERITY, level: options.level, format: lineFormat(renderJson) });
  }

  async addTarget(name: TargetName, open: () => Promise<LogTarget>, format: Logform.Format | null): Promise<void> {
    const writer = new BatchWriter({
      target: await open(),
      open,
      ...(this.maxBytes === undefined ? {} : { maxBytes: this.maxBytes }),
      onGap: (lines) => this.log('warning', 'Log lines were dropped', { target: name, lines }),
    });
    this.writers.set(name, writer);
    this.winston.add(createBatchingTransport(writer, format));
  }

  isEnabled(level: LogLevel): boolean {
    return SEVERITY[level] <= this.lowestSeverity;
  }

  get isDebugEnabled(): boolean {
    return this.lowestSeverity >= SEVERITY.debug;
  }

  log(level: LogLevel, msg: string, fields?: LogFields, timeMs?: number): void {
    // Without a target winston complains on standard error.
    if (!this.isEnabled(level) || this.isClosed || this.writers.size === 0) return;
    const record: LogRecord = { timeMs: timeMs ?? Date.now(), level, msg, fields: fields ?? {} };
    this.winston.log({ level, message: msg, record });
  }

  setLevel(level: LogLevel): void {
    this.lowestSeverity = SEVERITY[level];
    this.winston.level = level;
    for (const listener of this.levelListeners) listener();
  }

  onLevelChange(listener: () => void): () => void {
    this.levelListeners.add(listener);
    return () => this.levelListeners.delete(listener);
  }

  async reopen(): Promise<void> {
    await this.writers.get('file')?.reopen();
  }

  async flush(timeoutMs = DEFAULT_FLUSH_TIMEOUT_MS): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([Promise.all(this.all().map((writer) => writer.flush())), timeout]);
    clearTimeout(timer);
  }

  flushSync(): void {
    for (const writer of this.all()) writer.flushSync();
  }

  droppedLines(): number {
    return this.all().reduce((sum, writer) => sum + writer.droppedLines, 0);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.all().map((writer) => writer.close()));
    this.winston.close();
  }

  private all(): readonly BatchWriter[] {
    return [...this.writers.values()];
  }
}

function lineFormat(render: (record: LogRecord) => string): Logform.Format {
  return winston.format((info) => {
    info[FINISHED_LINE] = render(info['record'] as LogRecord);
    return info;
  })();
}
