// Bytes on a connection that are one request, several, nearly one, or none: heads and bodies that contradict each other,
// are cut off, come in pieces, or come twice over.
import { connect } from 'node:net';
import fc from 'fast-check';
import { answersIn, type PlainAnswer } from './answer.js';
import { battered } from './texts.js';

/** Pieces in the order in which they are sent; `ends` when the sender then closes his side. */
export interface Sending {
  /** As latin-1. */
  readonly pieces: readonly string[];
  readonly ends: boolean;
}

const query = JSON.stringify({ query: '{ menu(key: "main") { title } }' });
const bodies = fc.constantFrom(
  query,
  query,
  '{}',
  '',
  '[',
  '{"query":"{ viewer { subject } }"}',
  'x'.repeat(3_000),
  '\0',
);
const chunkOf = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

/** Headers that say where the body ends, and the body; the later ones lie. */
const framed = fc.tuple(bodies, fc.nat({ max: 11 })).map(([body, kind]): [string[], string] => {
  const length = `content-length: ${body.length}`;
  const chunked = 'transfer-encoding: chunked';
  const forms: [string[], string][] = [
    [[length], body],
    [[length], body],
    [[chunked], `${body && chunkOf(body)}0\r\n\r\n`],
    [[`content-length: ${body.length + 7}`], body],
    [[`content-length: ${Math.max(0, body.length - 7)}`], body],
    [[length, chunked], `${body && chunkOf(body)}0\r\n\r\n`],
    [[length, 'content-length: 3'], body],
    [['transfer-encoding: identity, chunked'], `${chunkOf('x')}0\r\n\r\n`],
    [['transfer-encoding : chunked'], '0\r\n\r\n'],
    [[chunked], `fffffffffffffffff\r\n${body}`],
    [[chunked], `5;${'x'.repeat(40)}\r\nabcde\r\n0\r\ntrailer: x\r\n\r\n`],
    [['content-length: -1'], body],
  ];
  return forms[kind] ?? [[], body];
});

const target = fc.constantFrom(
  '/graphql',
  '/graphql',
  '/graphql',
  '/livez',
  '/',
  '*',
  'http://elsewhere.example/graphql',
  '//graphql',
  '/graphql/../graphql',
  '/%67raphql',
  '/graphql?query=%7Bviewer%7Bsubject%7D%7D',
  '/graphql?query=%',
  '/graphql%00',
  '/introspect',
  '/ofrep/v1/evaluate/flags/%E0%A4%A',
  '/inspect?view=menu&key=main',
);
const method = fc.constantFrom('POST', 'POST', 'POST', 'GET', 'OPTIONS', 'PUT', 'TRACE', 'M-SEARCH');
const header = fc.constantFrom(
  'host: other.example',
  'content-type: text/plain',
  'connection: close',
  'connection: upgrade\r\nupgrade: websocket',
  'connection: upgrade\r\nupgrade: h2c',
  'expect: 100-continue',
  'expect: a miracle',
  'accept: text/event-stream',
  'authorization: Bearer x',
  'authorization: Bearer x\r\nauthorization: Bearer y',
  'x-forwarded-for: 10.0.0.1',
  'origin: https://evil.example',
  'x-http-method-override: DELETE',
  ' folded: x',
  'no-colon',
  'x: \u0001',
  ': empty',
  'content-encoding: gzip',
);
const request = fc
  .tuple(
    method,
    target,
    fc.constantFrom('1.1', '1.1', '1.1', '1.0', '2.0', '0.9'),
    fc.array(header, { maxLength: 2 }),
    framed,
    fc.boolean(),
  )
  .map(([verb, path, version, others, [lengths, body], named]) => {
    const heads = [...(named ? ['host: x'] : []), 'content-type: application/json', ...others, ...lengths];
    return `${verb} ${path} HTTP/${version}\r\n${heads.join('\r\n')}\r\n\r\n${body}`;
  });

/** One to three requests in a row, in pieces. */
export const sendings: fc.Arbitrary<Sending> = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: request }, battered(request, '\r\n', '\n', '\0', 'HTTP/1.1', ':')), {
      minLength: 1,
      maxLength: 3,
    }),
    fc.array(fc.nat(), { maxLength: 3 }),
    fc.boolean(),
  )
  .map(([requests, cuts, ends]) => {
    const bytes = requests.join('').replace(/[^\0-\xff]/g, '?');
    const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
    return { pieces: places.slice(1).map((end, at) => bytes.slice(places[at], end)), ends };
  });

const patienceMs = 200;

/**
 * Sends the pieces one by one; resolves to what came back once the gateway closes, or has been silent for a while: then
 * our side is closed, and what still comes is taken too.
 */
export function exchange(
  port: number,
  { pieces, ends }: Sending,
): Promise<{ answers: readonly PlainAnswer[]; rest: string }> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.setTimeout(patienceMs, () => {
      if (socket.writableEnded) socket.destroy();
      else socket.end();
    });
    socket.on('data', (bytes) => received.push(bytes));
    socket.on('end', () => socket.end());
    socket.on('error', () => {}); // the gateway may close while we send
    socket.on('close', () => resolve(answersIn(Buffer.concat(received))));
    socket.on('connect', async () => {
      for (const piece of pieces) {
        if (socket.destroyed) return;
        socket.write(piece, 'latin1');
        await new Promise((next) => setImmediate(next));
      }
      if (ends) socket.end();
    });
  });
}
