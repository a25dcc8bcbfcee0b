// A gateway that OpenFeature clients ask: its edge with the evaluations behind it, and the SDK's own provider as a client.
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { type Client, OpenFeature } from '@openfeature/server-sdk';
import { traceOf } from '../../src/caller.js';
import { contextOfViewer, issueToken, remoteFlags, SCOPES } from '../../src/resolvers/index.js';
import { codedError, schema } from '../../src/schema/index.js';
import { makeLogger, type RunningServer, startServer } from '../../src/server/index.js';
import type { Api } from '../support/api.js';

type Flags = typeof remoteFlags;

/** Serves the API over HTTP as a gateway does; `write` takes its log. */
export const serveFlags = (
  { gateway }: Api,
  write: (line: string) => void = () => {},
  flags: Flags = remoteFlags,
): Promise<RunningServer> =>
  startServer({
    host: '127.0.0.1',
    port: 0,
    portIsExplicit: true,
    schema,
    contextOf: gateway.contextOf,
    codedError,
    traceOf,
    readiness: gateway.readiness,
    flags,
    logger: makeLogger({ level: 'debug', write }),
    production: true,
  });

/** The secret of a new token with these scopes. */
export async function tokenOf({ gateway }: Api, scopes: readonly string[]): Promise<string> {
  const admin = contextOfViewer(gateway.services, { subject: 'admin', scopes: new Set(SCOPES), tokenId: null });
  const { secret } = await issueToken(admin, { name: 'test', subject: 'app', scopes: [...scopes] });
  if (secret === null) throw new Error('No secret was shown.');
  return secret;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared whole with what a test expects.
  readonly json: any;
}

/** Posts `body` as JSON, or as it is where it is text. */
export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
}

/** OpenFeature's client over its OFREP provider; each has a domain of its own. */
export async function openFeatureClient(baseUrl: string, headers: readonly [string, string][] = []): Promise<Client> {
  domains += 1;
  const domain = `domain-${domains}`;
  await OpenFeature.setProviderAndWait(domain, new OFREPProvider({ baseUrl, headers: [...headers] }));
  return OpenFeature.getClient(domain);
}

let domains = 0;
