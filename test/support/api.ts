// A whole gateway over a database of its own and the run's Redis, asked by GraphQL as a caller with given scopes.
import { type ExecutionResult, execute, parse, validate } from 'graphql';
import { inject, vi } from 'vitest';
import type { CacheEvent, CacheOptions } from '../../src/cache/index.js';
import { type Gateway, startGateway } from '../../src/gateway.js';
import { type Context, contextOfViewer, type Services, type Viewer } from '../../src/resolvers/index.js';
import { codedError, schema } from '../../src/schema/index.js';
import { createDatabase, type TestDatabase } from './database.js';
import { eventually } from './eventually.js';
import { looks } from './looks.js';

/** The gateway as it is, but its relay stops where a test says. */
vi.mock(import('../../src/cache/index.js'), async (original) => {
  const engine = await original();
  const { looks: gate } = await import('./looks.js');
  return {
    ...engine,
    Cache: class<Source> extends engine.Cache<Source> {
      constructor(options: CacheOptions<Source>) {
        const { changeLog } = options;
        super({ ...options, changeLog: { ...changeLog, changesSince: gate.around(changeLog.changesSince) } });
      }
    },
  };
});

export const PEPPER = 'a pepper for tests, with more than 32 characters';

export const MASTER_KEY = '0123456789abcdef'.repeat(4);

export interface Caller {
  readonly subject?: string;
  readonly scopes?: readonly string[];
  /** Unix milliseconds that the resolvers take for now. */
  readonly nowMs?: number;
  /** False plays a GET. */
  readonly posted?: boolean;
  /** In place of the gateway's own. */
  readonly services?: Partial<Services>;
}

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared whole with what a test expects.
  readonly data: any;
  readonly errors: readonly { readonly message: string; readonly code: unknown }[];
  readonly trace: Context['cache']['trace'];
}

export interface Api {
  readonly database: TestDatabase;
  readonly gateway: Gateway;
  readonly events: CacheEvent[];
  readonly ask: (document: string, caller?: Caller, variables?: Record<string, unknown>) => Promise<Answer>;
  readonly close: () => Promise<void>;
}

export interface ApiOptions {
  readonly database?: TestDatabase;
  /** Null means the in-process store. */
  readonly redisUrl?: string | null;
  readonly ttlMs?: ReadonlyMap<string, number>;
  readonly masterKey?: string;
  readonly oldMasterKey?: string;
}

/** Starts a gateway; it owns the database unless it is given one. */
export async function startApi({
  database,
  redisUrl,
  ttlMs = new Map(),
  masterKey = MASTER_KEY,
  oldMasterKey,
}: ApiOptions = {}): Promise<Api> {
  const own = database ?? (await createDatabase());
  const gateway = await startGateway({
    databaseUrl: own.url,
    redisUrl: redisUrl === null ? undefined : (redisUrl ?? inject('redisUrl')),
    pepper: PEPPER,
    masterKey,
    oldMasterKey,
    partitions: undefined,
    ttlMs,
    storeTimeoutMs: 10_000, // a loaded machine is no lost Redis
    logger: { info: () => {}, error: () => {} },
  });
  const { cache } = gateway.services;
  if (!gateway.storeName.includes('out of reach')) await eventually(() => cache.status().trusted);
  const events: CacheEvent[] = [];
  gateway.services.cache.events.on((event) => events.push(event));
  return {
    database: own,
    gateway,
    events,
    ask: (document, caller = {}, variables = {}) => ask(gateway, document, caller, variables),
    close: async () => {
      await gateway.close();
      if (!database) await own.close();
    },
  };
}

/**
 * Runs `act` while no gateway of this process carries anything over. A relay may look between a COMMIT and its publish,
 * and drops what is about to be replaced; then the write is visible, but its value has to be loaded again.
 */
export async function withoutRelays<Result>(act: () => Promise<Result>): Promise<Result> {
  await looks.hold();
  try {
    return await act();
  } finally {
    looks.release();
  }
}

async function ask(
  { services }: Gateway,
  document: string,
  { subject, scopes = [], nowMs, posted = true, services: others = {} }: Caller,
  variables: Record<string, unknown>,
): Promise<Answer> {
  const parsed = parse(document);
  const faults = validate(schema, parsed);
  if (faults.length > 0) throw new Error(faults.map(({ message }) => message).join('\n'));
  const viewer: Viewer = {
    subject: subject ?? (scopes.length > 0 ? 'tester' : null),
    scopes: new Set(scopes),
    tokenId: null,
  };
  const contextValue = contextOfViewer(
    { ...services, ...(nowMs !== undefined && { now: () => nowMs }), ...others },
    viewer,
    posted,
  );
  const { data, errors = [] } = (await execute({
    schema,
    document: parsed,
    contextValue,
    variableValues: variables,
  })) as ExecutionResult;
  return {
    data: data === undefined || data === null ? data : JSON.parse(JSON.stringify(data)),
    errors: errors.map((error) => {
      const coded = codedError(error);
      return { message: coded?.message ?? error.message, code: coded?.extensions.code };
    }),
    trace: contextValue.cache.trace,
  };
}
