// The settings of the HTTP edge: how much may be asked and how often, by whose pages and through which proxies, and which
// documents run. What is not set keeps the default of the guard that it belongs to.

import { isIP } from 'node:net';

export interface EdgeConfig {
  readonly limits: Readonly<Partial<Record<LimitName, number>>>;
  /** Units a minute; 0 lifts the limit. */
  readonly rates: Readonly<Partial<Record<RateName, number>>>;
  /** After which Postgres gives up a statement of a request. */
  readonly statementMs: number;
  /** Whose pages may ask, such as `https://app.example.com`. */
  readonly origins: readonly string[];
  /** Addresses and networks whose X-Forwarded-For is believed. */
  readonly proxies: readonly string[];
  readonly graphiql: boolean;
  readonly introspection: boolean;
  /** Whether documents that are not in the manifest take the scope ad-hoc. */
  readonly trustedOnly: boolean;
  /** Path of the manifest of trusted documents. */
  readonly manifest: string | undefined;
  /** Bound of the ready answers that are kept to be given again; 0 keeps none. */
  readonly answersMb: number;
  /** For how long an answer that anybody may see is kept outside at most. */
  readonly maxAgeSeconds: number;
}

type Env = Readonly<Record<string, string | undefined>>;
type LimitName = (typeof limits)[keyof typeof limits][0];
type RateName = (typeof rates)[keyof typeof rates];

const limits = {
  ESPELHO_LIMIT_HEADERS: ['headers', 1_024, 65_536],
  ESPELHO_LIMIT_ACCEPT: ['accept', 64, 8_192],
  ESPELHO_LIMIT_AUTHORIZATION: ['authorization', 64, 8_192],
  ESPELHO_LIMIT_BODY: ['body', 1_000, 100_000_000],
  ESPELHO_LIMIT_WRITER_BODY: ['writerBody', 1_000, 100_000_000],
  ESPELHO_LIMIT_TOKENS: ['tokens', 10, 100_000],
  ESPELHO_LIMIT_DEPTH: ['depth', 1, 60],
  ESPELHO_LIMIT_ALIASES: ['aliases', 0, 10_000],
  ESPELHO_LIMIT_DIRECTIVES: ['directives', 0, 10_000],
  ESPELHO_LIMIT_ROOT_FIELDS: ['rootFields', 1, 1_000],
  ESPELHO_LIMIT_COST: ['cost', 1, 10_000_000],
  ESPELHO_LIMIT_STRING: ['string', 100, 10_000_000],
  ESPELHO_LIMIT_DEADLINE_MS: ['deadlineMs', 100, 600_000],
  ESPELHO_LIMIT_HEADERS_MS: ['headersMs', 1_000, 600_000],
  ESPELHO_LIMIT_REQUEST_MS: ['requestMs', 1_000, 600_000],
  ESPELHO_LIMIT_SUBSCRIPTIONS: ['subscriptions', 0, 100_000],
  ESPELHO_LIMIT_SUBSCRIPTIONS_PER_CALLER: ['subscriptionsPerCaller', 0, 100_000],
  ESPELHO_LIMIT_IN_FLIGHT: ['inFlight', 10, 100_000],
} as const;

const rates = {
  ESPELHO_RATE_TOKEN: 'token',
  ESPELHO_RATE_ADDRESS: 'address',
  ESPELHO_RATE_FAILURES: 'failures',
  ESPELHO_RATE_ISSUE: 'issue',
  ESPELHO_RATE_INTROSPECT: 'introspect',
  ESPELHO_RATE_REVEAL: 'reveal',
} as const;

const maxRate = 100_000_000;
const productionRates = { token: 60_000, address: 12_000 };

const others = [
  'ESPELHO_LIMIT_STATEMENT_MS',
  'ESPELHO_ORIGINS',
  'ESPELHO_PROXIES',
  'ESPELHO_GRAPHIQL',
  'ESPELHO_INTROSPECTION',
  'ESPELHO_DOCUMENTS',
  'ESPELHO_MANIFEST',
  'ESPELHO_MAX_AGE',
  'ESPELHO_ANSWERS_MB',
];

/** The names of all settings here. */
export const edgeSettings: readonly string[] = [...Object.keys(limits), ...Object.keys(rates), ...others];

/** What `env` says of the edge, and a sentence for each fault. */
export function readEdge(env: Env): { readonly edge: EdgeConfig; readonly faults: readonly string[] } {
  const faults: string[] = [];
  const production = env.NODE_ENV === 'production';
  const number = (name: string, min: number, max: number): number | undefined => {
    const text = env[name];
    if (text === undefined) return undefined;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    faults.push(`${name} must be a whole number from ${min} to ${max}; leave it unset for the default.`);
    return undefined;
  };
  const choice = <Word extends string>(name: string, words: readonly [Word, string][], otherwise: Word): Word => {
    const found = words.find(([word]) => word === env[name]);
    const told = words.map(([word, meaning]) => `${word} (${meaning})`).join(' or ');
    if (env[name] !== undefined && !found) faults.push(`${name} must be ${told}.`);
    return found?.[0] ?? otherwise;
  };
  const list = (name: string, fits: (item: string) => boolean, wanted: string): readonly string[] => {
    const items = (env[name] ?? '').split(',').flatMap((item) => item.trim() || []);
    if (!items.every(fits)) faults.push(`${name} must be ${wanted}, with commas between them.`);
    return items;
  };
  const edge = {
    limits: numbersOf(
      limits,
      ([, min, max], name) => number(name, min, max),
      ([field]) => field,
    ),
    rates: {
      ...(production && productionRates),
      ...numbersOf(
        rates,
        (_, name) => number(name, 0, maxRate),
        (field) => field,
      ),
    },
    statementMs: number('ESPELHO_LIMIT_STATEMENT_MS', 100, 600_000) ?? 2_000,
    origins: list('ESPELHO_ORIGINS', isOrigin, 'origins of pages, such as https://app.example.com'),
    proxies: list('ESPELHO_PROXIES', isNetwork, 'addresses or networks, such as 10.0.0.0/8'),
    graphiql: choice('ESPELHO_GRAPHIQL', onOff, production ? '0' : '1') === '1',
    introspection: choice('ESPELHO_INTROSPECTION', onOff, production ? '0' : '1') === '1',
    trustedOnly: choice('ESPELHO_DOCUMENTS', documents, production ? 'trusted' : 'any') === 'trusted',
    manifest: env.ESPELHO_MANIFEST,
    maxAgeSeconds: number('ESPELHO_MAX_AGE', 0, 86_400) ?? 10,
    answersMb: number('ESPELHO_ANSWERS_MB', 0, 65_536) ?? 128,
  };
  return { edge, faults };
}

const onOff: readonly ['0' | '1', string][] = [
  ['1', 'on'],
  ['0', 'off'],
];
const documents: readonly ['any' | 'trusted', string][] = [
  ['trusted', 'those in ESPELHO_MANIFEST'],
  ['any', 'all'],
];

/** Those of the settings in `table` that are set, by their fields. */
function numbersOf<Entry, Field extends string>(
  table: Readonly<Record<string, Entry>>,
  read: (entry: Entry, name: string) => number | undefined,
  fieldOf: (entry: Entry) => Field,
): Partial<Record<Field, number>> {
  const numbers: Partial<Record<Field, number>> = {};
  for (const [name, entry] of Object.entries(table)) {
    const value = read(entry, name);
    if (value !== undefined) numbers[fieldOf(entry)] = value;
  }
  return numbers;
}

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function isNetwork(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const family = isIP(address);
  const most = family === 6 ? 128 : 32;
  return (
    family !== 0 &&
    rest.length === 0 &&
    (bits === '' ? !text.includes('/') : /^\d{1,3}$/.test(bits) && Number(bits) <= most)
  );
}
