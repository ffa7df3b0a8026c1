/**
 * Reads a TOML text into entries with positions, and goes on after a syntax error, so that one run names them all. The
 * only importer of the TOML library. Error texts never quote the file: a secret may stand in it.
 */

import TOML from '@iarna/toml';
import { type GivenValue, toGivenValue } from './given-value.ts';
import { nextStatement, type Position, positionsIn, type TomlStatement } from './toml-statements.ts';
import { explainSyntaxError } from './toml-syntax-message.ts';

export interface TomlEntry {
  /** The table it stands in, then its own (dotted) key: `server.listenport` is two elements. */
  readonly path: readonly string[];
  readonly value: GivenValue;
  readonly keyAt: Position;
  readonly valueAt: Position;
}

export interface TomlTable {
  readonly path: readonly string[];
  readonly at: Position;
}

export interface TomlSyntaxError {
  readonly at: Position;
  readonly message: string;
}

export interface TomlDocument {
  readonly entries: readonly TomlEntry[];
  readonly tables: readonly TomlTable[];
  readonly errors: readonly TomlSyntaxError[];
}

/** What the library throws: both numbers count from 0, except that columns of its first line count from 1. */
interface LibraryError extends Error {
  readonly line: number;
  readonly col: number;
}

type Parsed =
  | { readonly ok: true; readonly root: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly offset: number; readonly reason: string };

function isLibraryError(error: unknown): error is LibraryError {
  return error instanceof Error && 'line' in error && 'col' in error;
}

function parseStatement(text: string): Parsed {
  try {
    // The line break in front makes every column of the library count from 0.
    return { ok: true, root: TOML.parse(`\n${text}`) };
  } catch (error) {
    if (!isLibraryError(error)) throw error;
    const lines = text.split('\n').slice(0, error.line - 1);
    const offset = lines.reduce((sum, line) => sum + line.length + 1, 0) + error.col;
    const [reason = ''] = error.message.split(/ at row \d+, col \d+/);
    return { ok: false, offset: Math.min(offset, text.length), reason };
  }
}

/** The names on the way to the only leaf of a parsed statement. */
function pathOf(root: unknown): readonly string[] {
  const path: string[] = [];
  let node = Array.isArray(root) ? root[0] : root;
  while (typeof node === 'object' && node !== null) {
    const [first] = Object.entries(node);
    if (first === undefined) break;
    path.push(first[0]);
    node = Array.isArray(first[1]) ? first[1][0] : first[1];
  }
  return path;
}

function valueAtPath(root: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let node: unknown = root;
  for (const name of path) {
    if (typeof node !== 'object' || node === null) return undefined;
    node = Object.getOwnPropertyDescriptor(node, name)?.value;
  }
  return node;
}

/** Drops what follows a value on its line. Only used for values that are no strings and no arrays. */
function withoutComment(text: string): string {
  const [value = ''] = text.split('#');
  return value.trim();
}

/** Where reading goes on after a statement that did not parse. */
function resumeAfter(text: string, statement: TomlStatement, errorOffset: number): number {
  if (statement.isClosed) return statement.start + statement.text.length;
  // An open bracket takes in the rest of the file: the library noticed where the next statement began.
  const errorLine = text.lastIndexOf('\n', statement.start + errorOffset - 1) + 1;
  if (errorLine > statement.start && errorOffset < statement.text.length) return errorLine;
  const nextLine = text.indexOf('\n', statement.start);
  return errorOffset >= statement.text.length || nextLine === -1 ? text.length : nextLine + 1;
}

/** Splits what was read into entries, tables and errors. Expects `\n` as line end and no byte order mark. */
export function readTomlEntries(text: string): TomlDocument {
  const entries: TomlEntry[] = [];
  const tables: TomlTable[] = [];
  const errors: TomlSyntaxError[] = [];
  const positionAt = positionsIn(text);
  let table: readonly string[] = [];
  let offset = 0;
  for (;;) {
    const statement = nextStatement(text, offset);
    if (statement === null) return { entries, tables, errors };
    offset = statement.start + statement.text.length;
    const parsed = parseStatement(statement.text);
    const at = positionAt(statement.start);
    if (!parsed.ok) {
      const fault = explainSyntaxError(statement, parsed.offset, parsed.reason);
      errors.push({ at: positionAt(statement.start + fault.offset), message: fault.message });
      offset = resumeAfter(text, statement, parsed.offset);
    } else if (statement.kind === 'table') {
      table = pathOf(parsed.root);
      tables.push({ path: table, at });
    } else {
      entries.push(toEntry(statement, parsed.root, table, positionAt));
    }
  }
}

function toEntry(
  statement: TomlStatement,
  root: Readonly<Record<string, unknown>>,
  table: readonly string[],
  positionAt: (offset: number) => Position,
): TomlEntry {
  // The value may be a table itself, so the key alone tells how long the path is.
  const key = parseStatement(`${statement.text.slice(0, statement.equalsOffset ?? 0)}= 0`);
  const path = key.ok ? pathOf(key.root) : [];
  const valueOffset = statement.valueOffset ?? 0;
  return {
    path: [...table, ...path],
    value: toGivenValue(valueAtPath(root, path), withoutComment(statement.text.slice(valueOffset))),
    keyAt: positionAt(statement.start),
    valueAt: positionAt(statement.start + valueOffset),
  };
}
