// The process that sends the load: requests leave at their time, whether or not those before them were answered, and each is
// timed from when it should have left.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { HOT, nameOf, seeded } from '../freshness/keys.js';
import type { Order, Tally } from './sender-process.js';

const QUERY =
  'query Menus($a: String!, $b: String!, $c: String!) { a: menu(key: $a) { title items { key label url } } b: menu(key: $b) { title items { key label url } } c: menu(key: $c) { title items { key label url } } }';
/** What comes later than this is of no use to whoever waits. */
const USEFUL_MS = 1_000;
/** Connections that stand before the load begins, as those of load balancers do; nobody has to knock meanwhile. */
const CONNECTIONS = 1_000;
/** Of what it is behind, the sender makes up for so much at a time: a burst of its own making is no part of the load. */
const CATCH_UP_MS = 5;
const random = seeded(4);
const anyMenu = () => nameOf(Math.floor(random() * HOT));

interface Line {
  readonly socket: Socket;
  /** One after the other; `settle` is given the answer, or why the connection ended. */
  readonly ask: (request: Buffer, settle: (answer: string) => void) => void;
}

let opened = 0;

function openLine(port: number): Line {
  opened += 1;
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  let received = '';
  let settle: ((answer: string) => void) | undefined;
  let failure = 'the connection was closed';
  socket.setEncoding('latin1').on('error', ({ message }) => {
    failure = message;
  });
  const answered = (answer: string) => {
    const told = settle;
    settle = undefined;
    told?.(answer);
  };
  socket.on('close', () => {
    opened -= 1;
    answered(failure);
  });
  socket.on('data', (chunk: string) => {
    received = received === '' ? chunk : received + chunk;
    if (!isWhole(received)) return;
    const answer = received;
    received = '';
    answered(answer);
  });
  return {
    socket,
    ask: (request, whenAnswered) => {
      settle = whenAnswered;
      socket.write(request);
    },
  };
}

const LENGTH = /\r\ncontent-length: (\d+)/i;

function isWhole(received: string): boolean {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = LENGTH.exec(received);
  if (!length || length.index > end) return received.endsWith('\r\n0\r\n\r\n');
  return received.length >= end + 4 + Number(length[1]);
}

const idle: Line[] = [];

async function openAll(port: number): Promise<void> {
  while (opened < CONNECTIONS) {
    const fresh = openLine(port);
    await once(fresh.socket, 'connect');
    idle.push(fresh);
  }
}

/** One that waits for nothing, or a new one; undefined where there are as many as may be. */
function lineTo(port: number): Line | undefined {
  let line = idle.shift();
  while (line?.socket.destroyed) line = idle.shift();
  return line ?? (opened < CONNECTIONS ? openLine(port) : undefined);
}

async function run({ port, perSecond, ms, askers, token }: Order): Promise<Tally> {
  const head = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\n`;
  // Made beforehand: what the sender takes of its core, Redis and Postgres lack.
  const requests = Array.from({ length: 5_000 }, () => {
    const body = JSON.stringify({ query: QUERY, variables: { a: anyMenu(), b: anyMenu(), c: anyMenu() } });
    return Buffer.from(`${head}content-length: ${body.length}\r\n\r\n${body}`, 'latin1');
  });
  const request = () => requests[Math.floor(random() * requests.length)] ?? Buffer.alloc(0);
  const tally = {
    sent: 0,
    good: 0,
    late: 0,
    refused: 0,
    failed: 0,
    unsent: 0,
    behindMs: 0,
    latenciesMs: [] as number[],
    ms: 0,
    firstFailure: '',
  };
  const count = (answer: string, tookMs: number) => {
    if (answer.startsWith('HTTP/1.1 200') && !answer.includes('"errors"')) {
      if (tookMs > USEFUL_MS) tally.late += 1;
      else {
        tally.good += 1;
        tally.latenciesMs.push(tookMs);
      }
    } else if (/^HTTP\/1\.1 (503|429)/.test(answer)) tally.refused += 1;
    else {
      tally.failed += 1;
      tally.firstFailure ||= answer.slice(0, 300);
    }
  };
  let open = 0;
  let whenNone: (() => void) | undefined;
  const one = (dueMs: number, answered: () => void) => {
    const line = lineTo(port);
    if (!line) {
      tally.unsent += 1;
      return;
    }
    tally.sent += 1;
    open += 1;
    line.ask(request(), (answer) => {
      count(answer, performance.now() - dueMs);
      if (!line.socket.destroyed) idle.push(line);
      open -= 1;
      answered();
      if (open === 0) whenNone?.();
    });
  };
  if (askers === 0) await openAll(port);
  const startedMs = performance.now();
  const endMs = startedMs + ms;
  if (askers > 0) {
    const again = () => {
      const nowMs = performance.now();
      if (nowMs < endMs) one(nowMs, again);
    };
    for (let asker = 0; asker < askers; asker++) again();
  } else {
    let due = startedMs;
    while (due < endMs) {
      const nowMs = performance.now();
      tally.behindMs = Math.max(tally.behindMs, nowMs - due);
      const mostMs = Math.min(nowMs, due + CATCH_UP_MS);
      for (; due <= mostMs; due += 1_000 / perSecond) one(due, () => {});
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  if (open > 0) {
    await new Promise<void>((resolve) => {
      whenNone = resolve;
    });
  }
  return { ...tally, ms };
}

process.on('message', (order: Order) => {
  void run(order).then((tally) => process.send?.(tally));
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
