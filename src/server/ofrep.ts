// /ofrep/v1/evaluate/flags, the OpenFeature Remote Evaluation Protocol: any OpenFeature SDK is a client through its OFREP
// provider. One flag or all of an environment for one context, under the caller's rights; whatever goes wrong is told in
// the protocol's form.

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Arrival } from './arrival.js';
import type { AtWork } from './at-work.js';
import { checkApiKey } from './authorization.js';
import { jsonIn, readBytes, requireJson } from './body.js';
import { type Exchange, onlyMethods, sendJson } from './exchange.js';
import { type OfrepAddress, ofrepAddressOf } from './ofrep-address.js';
import { Refusal, refusalOf } from './refusal.js';

/** What a flag is for one context, in OpenFeature's words. */
export interface RemoteEvaluation {
  readonly key: string;
  /** Null leaves the value to the application's own default. */
  readonly value: unknown;
  readonly variant: string | null;
  readonly reason: string;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly metadata: object;
}

export interface RemoteFailure {
  readonly errorCode: string;
  readonly errorDetails: string;
}

/** The evaluations behind the protocol. @throws what has a code of the contract where neither store answers. */
export interface RemoteFlags<Caller> {
  readonly evaluate: (caller: Caller, environment: string, key: string, context: unknown) => Promise<RemoteEvaluation>;
  /** All flags of the environment that the caller may evaluate, in a stable order; a failure where there is no such environment. */
  readonly evaluateAll: (
    caller: Caller,
    environment: string,
    context: unknown,
  ) => Promise<readonly RemoteEvaluation[] | RemoteFailure>;
}

export interface OfrepOptions<Caller> {
  readonly flags: RemoteFlags<Caller>;
  readonly contextOf: (arrival: Arrival) => Promise<Caller>;
  readonly atWork: AtWork;
  /** Bytes of the header x-api-key. */
  readonly maxKeyBytes: number;
  /** The coded form of an error that a client can act on. */
  readonly codedError?: ((error: unknown) => Error | undefined) | undefined;
}

/** Above the 64 KiB that a context may have. */
const maxBytes = 131_072;

/** How what has nothing to do with the flag or the context is told. */
export const generalFailure = (errorDetails: string): RemoteFailure => ({ errorCode: 'GENERAL', errorDetails });

/** Whether the path is one of the protocol's. */
export const isOfrep = (path: string): boolean => /^(\/environments\/[^/]+)?\/ofrep\//.test(path);

/** Answers one evaluation, or all. @throws {Refusal} for a path that the protocol does not have. */
export async function serveOfrep<Caller>(exchange: Exchange, options: OfrepOptions<Caller>): Promise<void> {
  const address = ofrepAddressOf(exchange.path, exchange.request.headers);
  if (!address) {
    throw new Refusal('NOT_FOUND', 'There is nothing here; flags are at /ofrep/v1/evaluate/flags and …/flags/{key}.');
  }
  try {
    onlyMethods(exchange, 'POST');
    await answer(exchange, address, options);
  } catch (error) {
    const refusal = refusalOf(options.codedError?.(error) ?? error);
    if (!refusal) throw error;
    for (const [name, value] of Object.entries(refusal.headers)) exchange.response.setHeader(name, value);
    const general = generalFailure(refusal.message);
    const failure = refusal instanceof BadBody ? { ...general, errorCode: refusal.errorCode } : general;
    sendFailure(exchange, refusal.status, address, failure);
  }
}

async function answer<Caller>(
  exchange: Exchange,
  address: OfrepAddress,
  { flags, contextOf, atWork, maxKeyBytes }: OfrepOptions<Caller>,
): Promise<void> {
  const { request } = exchange;
  const { environment, key } = address;
  const authorization = authorizationOf(request, maxKeyBytes);
  const body = await bodyOf(request);
  const asked = async () => {
    const caller = await contextOf({ authorization, posted: true });
    return { caller, context: contextIn(body) };
  };
  if (key !== undefined) {
    const evaluation = await atWork(exchange, async () => {
      const { caller, context } = await asked();
      return flags.evaluate(caller, environment, key, context);
    });
    return sendJson(exchange, statusOf(evaluation.errorCode), shown(evaluation));
  }
  const all = await atWork(exchange, async () => {
    const { caller, context } = await asked();
    return flags.evaluateAll(caller, environment, context);
  });
  if ('errorCode' in all) return sendFailure(exchange, statusOf(all.errorCode), address, all);
  sendTagged(exchange, { flags: all.map(shown) });
}

/** A bearer token, or the same token as the protocol's API key; one of the two. */
function authorizationOf(request: IncomingMessage, maxKeyBytes: number): string | undefined {
  checkApiKey(request, maxKeyBytes);
  const { authorization, 'x-api-key': apiKey } = request.headers;
  return typeof apiKey === 'string' ? `Bearer ${apiKey}` : authorization;
}

/** The body is no request of the protocol. */
class BadBody extends Refusal {
  readonly errorCode: string;
  constructor(errorCode: string, message: string) {
    super('BAD_REQUEST', message);
    this.errorCode = errorCode;
  }
}

/** The body as it came; undefined where there is none. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && (length ?? '0') === '0') return undefined;
  requireJson(request, maxBytes);
  return readBytes(request, maxBytes);
}

/** The context in the body; a request may have none. */
function contextIn(bytes: Buffer | undefined): unknown {
  if (bytes === undefined) return undefined;
  const body = valueIn(bytes);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new BadBody('PARSE_ERROR', `The body must be an object; send ${EXAMPLE}.`);
  }
  return 'context' in body ? body.context : undefined;
}

function valueIn(bytes: Buffer): unknown {
  try {
    return jsonIn(bytes).value;
  } catch {
    throw new BadBody('PARSE_ERROR', `The body is not JSON in UTF-8; send ${EXAMPLE}.`);
  }
}

const EXAMPLE = '{"context": {"targetingKey": "…"}}';

const statusOf = (errorCode: string | null): number =>
  errorCode === null ? 200 : errorCode === 'FLAG_NOT_FOUND' ? 404 : 400;

/** An answer without a value says that the application's default applies. */
function shown({ key, value, variant, reason, errorCode, errorMessage, metadata }: RemoteEvaluation): object {
  if (errorCode !== null)
    return { key, errorCode, ...(errorMessage !== null && { errorDetails: errorMessage }), metadata };
  return { key, ...(value !== null && { value }), reason, ...(variant !== null && { variant }), metadata };
}

function sendFailure(exchange: Exchange, status: number, { key }: OfrepAddress, failure: RemoteFailure): void {
  const { errorCode, errorDetails } = failure;
  sendJson(exchange, status, { ...(key !== undefined && { key }), errorCode, errorDetails });
}

/** Answers with an entity tag, or with 304 to whoever has the same answer already. */
function sendTagged({ request, response }: Exchange, body: object): void {
  const text = JSON.stringify(body);
  const tag = `"${createHash('sha256').update(text).digest('base64url')}"`;
  response.setHeader('etag', tag);
  if (isKnown(request.headers['if-none-match'], tag)) {
    response.writeHead(304).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(text);
}

/** Tags are compared weakly (RFC 9110, §13.1.2): proxies that compress make them weak. */
function isKnown(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const known = ifNoneMatch.split(',').map((each) => each.trim().replace(/^W\//, ''));
  return known.includes(tag) || known.includes('*');
}
