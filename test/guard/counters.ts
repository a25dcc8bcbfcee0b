// What a gateway sends to its stores, counted on the way: scripts and bytes to Redis, statements to Postgres.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { scripts } from '../../src/cache/scripts.js';
import { endOf, isPush, wordsOf } from './resp.js';

export interface Counter<Seen> {
  readonly port: number;
  /** What went over since the counter was opened; grows. */
  readonly seen: readonly Seen[];
  readonly close: () => Promise<void>;
}

/** One command to Redis, once it is answered. */
export interface SeenCommand {
  /** The script's name, or the command's. */
  readonly name: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** One statement to Postgres. */
export interface SeenStatement {
  readonly text: string;
  /** Which of the sessions, and its application_name. */
  readonly connection: number;
  readonly session: string;
}

const NAMES = new Map(Object.entries(scripts).map(([name, { sha }]) => [sha, name]));

export function countRedis(port: number): Promise<Counter<SeenCommand>> {
  return openCounter<SeenCommand>(port, (seen) => {
    const waiting: { name: string; sentBytes: number }[] = [];
    const commands = splitter(endOf, (command) => {
      const [name, first] = wordsOf(command);
      waiting.push({ name: NAMES.get(first) ?? name, sentBytes: command.length });
    });
    const replies = splitter(endOf, (reply) => {
      if (isPush(reply)) return; // nobody has asked for it
      const command = waiting.shift();
      if (command) seen.push({ ...command, receivedBytes: reply.length });
    });
    return { commands, replies };
  });
}

export function countPostgres(port: number): Promise<Counter<SeenStatement>> {
  let connections = 0;
  return openCounter<SeenStatement>(port, (seen) => {
    const connection = connections++;
    const prepared = new Map<string, string>();
    let session: string | undefined;
    const commands = splitter(
      (text, at) => {
        const head = session === undefined ? 0 : 1; // the greeting has no letter
        if (text.length < at + head + 4) return undefined;
        const end = at + head + text.readInt32BE(at + head);
        return end <= text.length ? end : undefined;
      },
      (message) => {
        if (session === undefined) {
          session = /application_name\0([^\0]*)/.exec(message.toString('latin1'))?.[1] ?? '';
          return;
        }
        const [first = '', second = ''] = message.toString('utf8', 5).split('\0', 2);
        const letter = String.fromCharCode(message[0] ?? 0);
        if (letter === 'P') prepared.set(first, second);
        const text = letter === 'Q' ? first : letter === 'B' ? prepared.get(second) : undefined;
        if (text !== undefined) seen.push({ connection, session, text: text.replace(/\s+/g, ' ').trim() });
      },
    );
    return { commands, replies: () => {} };
  });
}

type Watch = (piece: Buffer) => void;

/** Calls `take` with each whole message of a stream. */
function splitter(end: (text: Buffer, at: number) => number | undefined, take: (message: Buffer) => void): Watch {
  let rest: Buffer = Buffer.alloc(0);
  return (piece) => {
    rest = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
    for (let stop = end(rest, 0); rest.length > 0 && stop !== undefined; stop = end(rest, 0)) {
      take(rest.subarray(0, stop));
      rest = rest.subarray(stop);
    }
  };
}

async function openCounter<Seen>(
  port: number,
  watch: (seen: Seen[]) => { readonly commands: Watch; readonly replies: Watch },
): Promise<Counter<Seen>> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port, noDelay: true });
    const { commands, replies } = watch(seen);
    const end = () => {
      for (const socket of [near, far]) socket.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    near.on('data', (piece) => {
      commands(piece);
      far.write(piece);
    });
    far.on('data', (piece) => {
      replies(piece);
      near.write(piece);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    seen,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
