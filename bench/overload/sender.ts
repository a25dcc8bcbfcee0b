// The process that sends the load: requests leave at their time, whether or not those before them were answered, and each is
// timed from when it should have left.
import { connect, type Socket } from 'node:net';
import { HOT, nameOf, seeded } from '../freshness/keys.js';
import type { Order, Tally } from './sender-process.js';

const QUERY =
  'query Menus($a: String!, $b: String!, $c: String!) { a: menu(key: $a) { title items { key label url } } b: menu(key: $b) { title items { key label url } } c: menu(key: $c) { title items { key label url } } }';
/** What comes later than this is of no use to whoever waits. */
const USEFUL_MS = 1_000;
const MOST_CONNECTIONS = 4_000;
const random = seeded(4);
const anyMenu = () => nameOf(Math.floor(random() * HOT));

interface Line {
  readonly socket: Socket;
  ask: (request: string) => Promise<string>;
}

/** One after the other on each connection; `ask` resolves to an answer, and to nothing when the connection ends. */
function openLine(port: number): Line {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  let received = '';
  let settle: ((answer: string) => void) | undefined;
  socket.setEncoding('latin1').on('error', () => {});
  socket.on('close', () => settle?.(''));
  socket.on('data', (chunk: string) => {
    received += chunk;
    if (!isWhole(received)) return;
    const answer = received;
    received = '';
    settle?.(answer);
  });
  return {
    socket,
    ask: (request) =>
      new Promise((resolve) => {
        settle = resolve;
        socket.write(request);
      }),
  };
}

function isWhole(received: string): boolean {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, end));
  return length ? received.length >= end + 4 + Number(length[1]) : received.endsWith('\r\n0\r\n\r\n');
}

const idle: Line[] = [];
let opened = 0;

async function run({ port, perSecond, ms, askers, token }: Order): Promise<Tally> {
  const head = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\n`;
  const request = () => {
    const body = JSON.stringify({ query: QUERY, variables: { a: anyMenu(), b: anyMenu(), c: anyMenu() } });
    return `${head}content-length: ${body.length}\r\n\r\n${body}`;
  };
  const tally = {
    sent: 0,
    good: 0,
    late: 0,
    refused: 0,
    failed: 0,
    unsent: 0,
    latenciesMs: [] as number[],
    ms: 0,
    firstFailure: '',
  };
  const one = async (dueMs: number) => {
    let line = idle.pop();
    while (line?.socket.destroyed) line = idle.pop();
    if (!line && opened >= MOST_CONNECTIONS) {
      tally.unsent += 1;
      return;
    }
    if (!line) {
      line = openLine(port);
      opened += 1;
      line.socket.once('close', () => {
        opened -= 1;
      });
    }
    tally.sent += 1;
    const answer = await line.ask(request());
    const tookMs = performance.now() - dueMs;
    if (!line.socket.destroyed) idle.push(line);
    if (answer.startsWith('HTTP/1.1 200') && !answer.includes('"errors"')) {
      if (tookMs > USEFUL_MS) tally.late += 1;
      else {
        tally.good += 1;
        tally.latenciesMs.push(tookMs);
      }
    } else if (/^HTTP\/1\.1 (503|429)/.test(answer)) tally.refused += 1;
    else {
      tally.failed += 1;
      tally.firstFailure ||= answer.slice(0, 300) || 'the connection was closed';
    }
  };
  const startedMs = performance.now();
  const endMs = startedMs + ms;
  const running: Promise<void>[] = [];
  if (askers > 0) {
    const loop = async () => {
      while (performance.now() < endMs) await one(performance.now());
    };
    running.push(...Array.from({ length: askers }, loop));
  } else {
    let due = startedMs;
    while (due < endMs) {
      for (const nowMs = performance.now(); due <= nowMs; due += 1_000 / perSecond) running.push(one(due));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  await Promise.all(running);
  return { ...tally, ms };
}

process.on('message', (order: Order) => {
  void run(order).then((tally) => process.send?.(tally));
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
