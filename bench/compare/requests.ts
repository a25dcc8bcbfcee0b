// What is asked: the operations, and the requests of each kind as bytes that are ready to be sent.
import { introspected, scope, service } from './secrets.js';
import { ENTRIES_PER_BATCH, LINES_PER_STATEMENT, type Size } from './size.js';

export const DOCUMENTS = {
  Menu: 'query Menu($key: String!) { menu(key: $key) { title items { key label url children { key label url } } } }',
  Flags:
    'query Flags($environment: String!) { flags(environment: $environment) { edges { node { key enabled defaultVariant } } } }',
  Statement: `query Statement($account: String!) { statement(account: $account) { date status opening { minor currency decimal } closing { minor currency decimal } lines(first: ${LINES_PER_STATEMENT}) { edges { node { externalId bookedOn amount { minor currency decimal } description kind } } pageInfo { hasNextPage } } } }`,
  Introspect: 'query Introspect($token: String!) { introspectToken(token: $token) { active scope sub exp iat jti } }',
  Batch: 'query Batch($keys: [String!]!) { menus(keys: $keys) { title items { key label } } }',
  LargeMenu: `query LargeMenu($key: String!) { menu(key: $key) { title items ${nested(8)} } }`,
  Rename:
    'mutation Rename($key: String!, $item: String!, $label: String!) { renameMenuItem(key: $key, item: $item, label: $label) { __typename ... on RenameMenuItemPayload { menu { id } } } }',
} as const;

export type Operation = keyof typeof DOCUMENTS;

/** The menu of real data, where there is one. */
export const LARGE_MENU = 'taxonomy';

/** One request; those of a pool are made once and sent many times. */
export interface Request {
  readonly body: string;
  readonly authorization: string | undefined;
  readonly bytes: Buffer;
  /** The menu whose label an answer tells, for the count of stale ones. */
  readonly menu: string | undefined;
}

/** The requests of one kind by number, each made when it is first asked for. */
export interface Pool {
  readonly size: number;
  readonly at: (index: number) => Request;
}

export interface Pools {
  readonly menu: Pool;
  readonly flags: Pool;
  readonly statement: Pool;
  readonly introspect: Pool;
  readonly batch: Pool;
  readonly large: Pool;
  /** Each asked for by another caller. */
  readonly scope: Pool;
  /** The same statements, asked for by one caller. */
  readonly cold: Pool;
}

export function poolsOf(size: Size): Pools {
  const bearer = `Bearer ${service()}`;
  const statementOf = (account: string, authorization: string) => requestOf('Statement', { account }, authorization);
  return {
    menu: pool(size.menus, (at) => ({ ...requestOf('Menu', { key: menuOf(at) }), menu: menuOf(at) })),
    flags: pool(size.environments, (at) => requestOf('Flags', { environment: `environment-${at}` }, bearer)),
    statement: pool(size.accounts, (at) => statementOf(`account-${at}`, bearer)),
    introspect: pool(size.tokens, (at) => requestOf('Introspect', { token: introspected(at) }, bearer)),
    batch: pool(size.batches, (at) => requestOf('Batch', { keys: batchOf(at, size) })),
    large: pool(1, () => requestOf('LargeMenu', { key: LARGE_MENU })),
    scope: pool(size.scopes, (at) => statementOf(`scope-${at}`, `Bearer ${scope(at)}`)),
    cold: pool(size.scopes, (at) => statementOf(`scope-${at}`, bearer)),
  };
}

/** Gives the first item of a menu the label that tells how many writes came before. */
export function renameOf(menu: string, count: number): Request {
  return requestOf('Rename', { key: menu, item: 'i0', label: `W${count}` }, `Bearer ${service()}`);
}

/** The count in the label of a menu's first item; 0 before the first write. */
export function countIn(answer: Buffer): number {
  const at = answer.indexOf('"label":"W');
  return at < 0 ? 0 : Number.parseInt(answer.toString('latin1', at + 10, at + 24), 10);
}

export const menuOf = (at: number): string => `menu-${at}`;

/** Twenty menus side by side; each set overlaps with others. */
function batchOf(at: number, { menus }: Size): string[] {
  return Array.from({ length: ENTRIES_PER_BATCH }, (_, step) => menuOf((at * 7 + step * 3) % menus));
}

function requestOf(operationName: Operation, variables: object, authorization?: string): Request {
  const body = JSON.stringify({ operationName, query: DOCUMENTS[operationName], variables });
  const identity = authorization === undefined ? '' : `authorization: ${authorization}\r\n`;
  const head = `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\naccept: application/json\r\n${identity}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return { body, authorization, bytes: Buffer.from(head + body), menu: undefined };
}

function pool(size: number, make: (at: number) => Request): Pool {
  const made = new Array<Request | undefined>(size);
  return {
    size,
    at: (index) => {
      made[index] ??= make(index);
      return made[index];
    },
  };
}

function nested(levels: number): string {
  return levels === 1 ? '{ key label }' : `{ key label children ${nested(levels - 1)} }`;
}
