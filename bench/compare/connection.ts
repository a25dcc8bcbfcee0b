// A keep-alive connection that has one request on its way at a time, with as little work as possible: what the load costs
// is time that the other processes on its core do not have.
import { once } from 'node:events';
import { connect } from 'node:net';

/** Called with the status and body of an answer; the body is valid during the call only. */
export type Answered = (status: number, body: Buffer) => void;

export interface Connection {
  /** `answered` is called once; not after a failure, which `failed` of the connection is told. */
  readonly send: (bytes: Buffer, answered: Answered) => void;
  readonly close: () => void;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const CHUNKS_END = Buffer.from('\r\n0\r\n\r\n');

export async function openConnection(port: number, failed: (error: Error) => void): Promise<Connection> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  let answered: Answered | undefined;
  let received: Buffer[] = [];
  let bytes = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let head: Head | undefined;
  socket.on('data', (chunk: Buffer) => {
    received.push(chunk);
    bytes += chunk.length;
    if (!head) {
      if (received.length > 1) received = [Buffer.concat(received)];
      head = headOf(received[0] ?? chunk);
      if (!head) return;
      wanted = head.length === undefined ? Number.POSITIVE_INFINITY : head.bodyAt + head.length;
    }
    const isWhole = head.length === undefined ? endsWith(chunk, CHUNKS_END) : bytes >= wanted;
    if (!isWhole) return;
    const whole = received.length === 1 ? chunk : Buffer.concat(received);
    const { status, bodyAt } = head;
    const tell = answered;
    received = [];
    bytes = 0;
    head = undefined;
    answered = undefined;
    tell?.(status, whole.subarray(bodyAt));
  });
  let isClosed = false;
  const fail = (error: Error) => {
    if (!isClosed) failed(error);
    isClosed = true;
  };
  socket.on('error', fail).on('close', () => fail(new Error('The server closed a connection.')));
  return {
    send: (request, tell) => {
      answered = tell;
      socket.write(request);
    },
    close: () => {
      isClosed = true;
      socket.destroy();
    },
  };
}

interface Head {
  readonly status: number;
  readonly bodyAt: number;
  /** Undefined where the body comes in chunks. */
  readonly length: number | undefined;
}

function headOf(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const text = bytes.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(text);
  return {
    status: Number(text.slice(9, 12)),
    bodyAt: end + HEAD_END.length,
    length: length ? Number(length[1]) : undefined,
  };
}

function endsWith(bytes: Buffer, end: Buffer): boolean {
  return bytes.length >= end.length && bytes.compare(end, 0, end.length, bytes.length - end.length) === 0;
}
