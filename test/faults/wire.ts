// What goes over the links, as far as faults must know it: the scripts of a write on the way to Redis, COMMIT on the way
// to Postgres, and the addresses that nodes of a cluster give.
import { pathToFileURL } from 'node:url';
import type { LinkConnection, Side } from './link.js';

/** The steps of a write that a fault can wait for. */
export type Step = 'fence' | 'commit' | 'publish';

/** The digests of the engine's scripts, by name, as the compiled gateway below `root` has them. */
export async function scriptDigests(root: string): Promise<ReadonlyMap<string, string>> {
  const loaded: unknown = await import(pathToFileURL(`${root}/dist/cache/scripts.js`).href);
  if (!isRecord(loaded) || !isRecord(loaded.scripts)) throw new Error(`${root}/dist has no scripts.`);
  return new Map(
    Object.entries(loaded.scripts).map(([name, script]) => [name, isRecord(script) ? String(script.sha) : '']),
  );
}

/** The scripts of the steps that a write takes in Redis. */
const SCRIPTS = { fence: ['fence'], publish: ['publish', 'patch'] } as const;

/** Whether a piece on its way to Redis has a script of this step. */
export function runsStep(piece: Buffer, step: keyof typeof SCRIPTS, digests: ReadonlyMap<string, string>): boolean {
  return SCRIPTS[step].some((name) => {
    const digest = digests.get(name);
    return digest !== undefined && piece.includes(digest);
  });
}

const FIRST_WORD = /^\s*(\w+)/;
const BACKEND_KEY = Buffer.from('4b0000000c', 'hex');

/** What a link to Postgres must see of every piece, so that the functions below can tell of the connection. */
export function followSession(side: Side, piece: Buffer, connection: LinkConnection): undefined {
  const session = sessionOf(connection);
  if (side === 'replies') {
    const at = session.backend === undefined ? piece.indexOf(BACKEND_KEY) : -1;
    if (at >= 0 && piece.length >= at + 9) session.backend = piece.readInt32BE(at + 5);
    return;
  }
  session.words = [];
  let rest = session.rest.length > 0 ? Buffer.concat([session.rest, piece]) : piece;
  for (;;) {
    const head = session.greeted ? 1 : 0;
    if (rest.length < head + 4) break;
    const length = head + rest.readInt32BE(head);
    if (rest.length < length) break;
    if (session.greeted) session.words.push(...statementIn(session, rest.subarray(0, length)));
    else session.follows = rest.subarray(0, length).includes('espelho relay');
    session.greeted = true;
    rest = rest.subarray(length);
  }
  session.rest = Buffer.from(rest);
  session.writes ||= session.words.includes('begin');
}

/** Whether the piece seen last has a COMMIT. */
export const commits = (connection: LinkConnection): boolean => sessionOf(connection).words.includes('commit');

/** Whether the connection loads what readers miss: it neither has transactions nor follows the change log. */
export function loads(connection: LinkConnection): boolean {
  const { writes, follows } = sessionOf(connection);
  return !writes && !follows;
}

/** The process id of the connection's backend. */
export const backendOf = (connection: LinkConnection): number | undefined => sessionOf(connection).backend;

interface Session {
  greeted: boolean;
  backend: number | undefined;
  /** First words of the statements in the last piece. */
  words: string[];
  writes: boolean;
  follows: boolean;
  rest: Buffer;
  /** First words by the name under which a statement was prepared. */
  readonly prepared: Map<string, string>;
}

function sessionOf({ memory }: LinkConnection): Session {
  const known = memory.get('session');
  if (isSession(known)) return known;
  const session: Session = {
    greeted: false,
    backend: undefined,
    words: [],
    writes: false,
    follows: false,
    rest: Buffer.alloc(0),
    prepared: new Map(),
  };
  memory.set('session', session);
  return session;
}

function isSession(value: unknown): value is Session {
  return isRecord(value) && value.prepared instanceof Map;
}

function statementIn({ prepared }: Session, message: Buffer): string[] {
  const [first = '', second = ''] = message.toString('latin1', 5).split('\0', 2);
  const wordOf = (sql: string) => (FIRST_WORD.exec(sql)?.[1] ?? '').toLowerCase();
  switch (String.fromCharCode(message[0] ?? 0)) {
    case 'Q':
      return [wordOf(first)];
    case 'P':
      prepared.set(first, wordOf(second));
      return [];
    case 'B':
      return [prepared.get(second) ?? ''];
    default:
      return [];
  }
}

/**
 * Replaces the ports that nodes announce: in CLUSTER SLOTS and SHARDS, whose ports are RESP integers, in answers of a
 * Sentinel, whose ports are strings, and in redirections.
 * Undefined while an address at the end may be incomplete.
 */
export function rewritePorts(ports: ReadonlyMap<number, number>): (reply: Buffer) => Buffer | undefined {
  const mapped = (port: string) => String(ports.get(Number(port)) ?? port);
  return (reply) => {
    if (!reply.includes('127.0.0.1')) return reply;
    if (!reply.subarray(-2).equals(Buffer.from('\r\n'))) return undefined;
    const text = reply
      .toString('latin1')
      .replace(/(\$9\r\n127\.0\.0\.1\r\n:)(\d+)(?=\r\n)/g, (_, before, port) => before + mapped(port))
      .replace(/(\$4\r\nport\r\n:)(\d+)(?=\r\n)/g, (_, before, port) => before + mapped(port))
      .replace(/(\$9\r\n127\.0\.0\.1\r\n|\$4\r\nport\r\n)\$\d+\r\n(\d+)(?=\r\n)/g, (_, before, port) => {
        return `${before}$${mapped(port).length}\r\n${mapped(port)}`;
      })
      .replace(/((?:MOVED|ASK) \d+ 127\.0\.0\.1:)(\d+)(?=\r\n)/g, (_, before, port) => before + mapped(port));
    return Buffer.from(text, 'latin1');
  };
}

/** The node that a piece of the cluster's own protocol comes from; undefined where the piece is not the first one. */
export function senderOf(piece: Buffer): string | undefined {
  if (piece.length < 80 || piece.toString('latin1', 0, 4) !== 'RCmb') return undefined;
  return piece.toString('latin1', 40, 80);
}

/** Marks connections by which a replica follows. */
export function noteReplicas(side: Side, piece: Buffer, { memory }: LinkConnection): undefined {
  if (side === 'requests' && !memory.has('replicates') && piece.includes('PSYNC')) memory.set('replicates', true);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
