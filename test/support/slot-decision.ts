/**
 * What the server must answer to a slot request when nothing but the request itself matters: the pure functions in the
 * order of the request pipeline, with the HMAC computed on the spot.
 */

import { authorizeUpload, type UploadRules } from '../../src/main/auth/grant.ts';
import { fullPath, parseRequestTarget } from '../../src/main/auth/request-target.ts';
import { parseSlotQuery, type SlotParameters } from '../../src/main/auth/slot-parameters.ts';
import { readDeleteSignature } from '../../src/main/auth/slot-signature.ts';
import type { FieldLine } from '../../src/main/http/field-line.ts';
import { firstValue, soleValue } from '../../src/main/http/fields.ts';
import { readFraming } from '../../src/main/http/framing.ts';
import {
  framingProblems,
  methodNotAllowed,
  mismatchProblem,
  type Problem,
  problems,
} from '../../src/main/http/problem.ts';
import type { SignatureResult } from '../../src/shared/events.ts';
import type { FileKey } from '../../src/shared/files.ts';
import type { SignatureCheck, SignedTerms } from '../../src/shared/signature.ts';
import { verifyCheck } from './sign.ts';

export interface SlotServer extends UploadRules {
  readonly secrets: readonly string[];
  readonly deleteSecret: string | null;
  readonly nowSeconds: number;
}

export interface SlotMessage {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly FieldLine[];
}

export interface SlotDecision {
  readonly status: number;
  /** Body text without its line feed; null on success. */
  readonly title: string | null;
  readonly closesConnection: boolean;
  readonly key: FileKey | null;
  /** The check that was made; null when it did not come to one. */
  readonly check: SignatureCheck | null;
  readonly result: SignatureResult | null;
  /** Type to store; null: the extension's. */
  readonly storedType: string | null;
  /** What else the signature says; null when there is none that is right. */
  readonly terms: SignedTerms | null;
}

const defaults: SlotServer = {
  basePath: '/files/',
  secrets: ['your-very-secure-secret-key'],
  deleteSecret: null,
  signedPath: 'relative',
  typeByExtension: true,
  acceptV3: true,
  allowedExtensions: null,
  maxUploadBytes: null,
  nowSeconds: 1_800_000_000,
  servedType: () => 'type/by-extension',
};

/** A server with default settings and some others. */
export function slotServer(settings: Partial<SlotServer> = {}): SlotServer {
  return { ...defaults, ...settings };
}

/** Field lines of a request; null values are left out. */
export function fieldLines(values: Readonly<Record<string, string | null>>): readonly FieldLine[] {
  return Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [{ name, value }]));
}

/** A PUT of `size` bytes. */
export function put(target: string, size: number | string | null, type: string | null = null): SlotMessage {
  const length = size === null ? null : String(size);
  return { method: 'PUT', target, fields: fieldLines({ 'content-length': length, 'content-type': type }) };
}

const nothing = { key: null, check: null, result: null, storedType: null, terms: null };

function refused(problem: Problem, partial: Partial<SlotDecision> = {}): SlotDecision {
  const { status, title, closesConnection } = problem;
  return { status, title, closesConnection, ...nothing, ...partial };
}

/** Decides a request as far as pure code can: the status is final when no file is in the way. */
export function decide(request: SlotMessage, server: SlotServer): SlotDecision {
  const question = request.target.indexOf('?');
  const path = question === -1 ? request.target : request.target.slice(0, question);
  const target = parseRequestTarget(path, server.basePath);
  if (target.kind === 'outside') return refused(problems.notFound);
  if (target.kind === 'refused') return refused(problems.badRequest, { result: 'path' });
  if (target.kind === 'upload-resource') return refused(methodNotAllowed(['HEAD', 'PATCH', 'DELETE']));
  const query = parseSlotQuery(question === -1 ? null : request.target.slice(question + 1));
  if (query.kind === 'repeated') return refused(problems.badRequest, { result: 'repeated' });
  if (request.method === 'PUT') return decidePut(request.fields, target.key, query.parameters, server);
  if (request.method === 'DELETE') return decideDelete(target.key, query.parameters, server);
  return refused(methodNotAllowed(['PUT']));
}

function decidePut(
  fields: readonly FieldLine[],
  key: FileKey,
  parameters: SlotParameters,
  server: SlotServer,
): SlotDecision {
  const { body } = readFraming(fields);
  if (body.kind === 'doubtful') return refused(framingProblems[body.reason]);
  const sizeBytes = body.kind === 'length' ? body.length : null;
  const contentType = firstValue(fields, 'content-type');
  const authorization = soleValue(fields, 'authorization');
  const { nowSeconds } = server;
  const slot = { key, parameters, contentType, authorization, sizeBytes, nowSeconds };
  const outcome = authorizeUpload({ ...slot, protocol: 'put' }, server);
  if (outcome.kind === 'refused') return refused(outcome.problem, { result: outcome.signature?.result ?? null });
  const { signature, terms } = outcome.grant;
  return { ...verified(201, key, signature, server), terms };
}

function decideDelete(key: FileKey, parameters: SlotParameters, server: SlotServer): SlotDecision {
  if (server.deleteSecret === null) return refused(methodNotAllowed(['GET', 'HEAD', 'PUT']));
  const signature = readDeleteSignature({ key, parameters }, server, server.deleteSecret);
  if (signature.kind === 'refused') return refused(signature.problem, { result: signature.result });
  return verified(204, key, signature.check, server);
}

function verified(status: number, key: FileKey, check: SignatureCheck, server: SlotServer): SlotDecision {
  const match = verifyCheck(check, server.secrets);
  if (match === null) return refused(mismatchProblem(check.scheme), { key, check, result: 'mismatch' });
  const { storedType } = match.message;
  return { status, title: null, closesConnection: false, key, check, result: 'ok', storedType, terms: null };
}

/** The whole decoded path of a key, with its leading slash. */
export function wholePath(key: string, server: SlotServer): string {
  return `/${fullPath(key as FileKey, server.basePath)}`;
}
