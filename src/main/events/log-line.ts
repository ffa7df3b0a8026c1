/** Renders one record as one line: JSON for files and collectors, words for a terminal. */

import type { LogLevel } from '../config/config.ts';
import { jsonString, redact } from './log-text.ts';

export type LogValue = string | number | boolean | null | undefined | readonly string[];

/** Variable parts of a line. Names are written by us, values may come from anywhere; undefined ones are left out. */
export type LogFields = Readonly<Record<string, LogValue>>;

export interface LogRecord {
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly level: LogLevel;
  /** Constant per place in the code. */
  readonly msg: string;
  readonly fields: LogFields;
}

/** Longest list that is written out. */
const MAX_LIST_ITEMS = 16;
/** Longest chain of causes in a stack. */
const MAX_CAUSES = 4;

/** `time`, `level` and `msg` first, then the fields; ends in a line feed; printable ASCII otherwise. */
export function renderJson(record: LogRecord): string {
  let line = `{"time":"${new Date(record.timeMs).toISOString()}","level":"${record.level}","msg":${jsonString(record.msg)}`;
  for (const name in record.fields) {
    const value = record.fields[name];
    if (value !== undefined) line += `,${jsonString(name)}:${jsonValue(value)}`;
  }
  return `${line}}\n`;
}

/** `2026-01-31T12:00:00.000Z INFO    Server started listen=0.0.0.0:8080` */
export function renderReadable(record: LogRecord): string {
  let line = `${new Date(record.timeMs).toISOString()} ${record.level.toUpperCase().padEnd(7)} ${record.msg}`;
  for (const name in record.fields) {
    const value = record.fields[name];
    if (value !== undefined) line += ` ${name}=${readableValue(value)}`;
  }
  return `${line}\n`;
}

/** `error`, `code` and `stack` of anything that was thrown, causes included. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: redact(typeof error === 'string' ? error : typeof error) };
  return { error: redact(error.message), code: codeOf(error), stack: redact(stackOf(error)) };
}

function jsonValue(value: Exclude<LogValue, undefined>): string {
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value === 'boolean' || value === null) return String(value);
  return `[${value.slice(0, MAX_LIST_ITEMS).map(jsonString).join(',')}]`;
}

function readableValue(value: Exclude<LogValue, undefined>): string {
  if (typeof value !== 'string') return jsonValue(value);
  const quoted = jsonString(value);
  return value !== '' && quoted.length === value.length + 2 && !/[ =]/.test(value) ? value : quoted;
}

function codeOf(error: Error): string | undefined {
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

function stackOf(error: Error): string {
  let text = error.stack ?? `${error.name}: ${error.message}`;
  let cause = error.cause;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    text += `\ncaused by ${cause.stack ?? cause.message}`;
    cause = cause.cause;
  }
  return text;
}
