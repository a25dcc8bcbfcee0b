// What an answer may be, whatever was asked: never a fault of ours, and nothing in it of how the gateway is made. A refusal
// has a code and a sentence.
import assert from 'node:assert/strict';

export interface PlainAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Words that show only where something of the inside does. */
const INSIDE =
  /node_modules|\bat \S+ \(|\.(?:ts|js|mjs):\d|file:\/\/|\/(?:tmp|home|root|srv|work|usr|proc)\/|\bselect .+ from\b|\binsert into\b|\bupdate \w+ set\b|relation "|duplicate key value|syntax error at|127\.0\.0\.1:\d|postgres:|redis:|ioredis|drizzle|TypeError|RangeError|is not a function|Cannot read prop|of undefined/i;
const EXACTLY = /Did you mean |\bE(?:CONN[A-Z]+|PIPE|TIMEDOUT)\b|UND_ERR/;

/** Whether it says that the gateway or a store has too much to do, and when to try again. */
export const isBusy = ({ status, headers, body }: PlainAnswer): boolean =>
  status === 503 && headers.has('retry-after') && /try again|too much|more to do/i.test(body);

/** @throws {AssertionError} when this is no answer for a client. */
export function requireDecent({ status, headers, body }: PlainAnswer): void {
  assert(status < 500, `${status} ${body.slice(0, 500)}`);
  const inside = INSIDE.exec(body) ?? EXACTLY.exec(body);
  assert(
    !inside || headers.get('content-type')?.startsWith('text/html'),
    `tells of its inside, ${inside?.[0]}: ${body.slice(0, 1_000)}`,
  );
  if (status < 400) return;
  assert(body !== '', `${status} without a word`);
  const told: unknown = JSON.parse(body);
  const [sentence, code] = refusalIn(told);
  assert(
    /\S/.test(String(sentence)) && /\S/.test(String(code)),
    `${status} without a sentence or a code: ${body.slice(0, 500)}`,
  );
  assert.notEqual(code, 'INTERNAL');
}

/** Sentence and code of a refusal in the form of GraphQL, of OAuth or of OFREP. */
function refusalIn(told: unknown): readonly [unknown, unknown] {
  if (typeof told !== 'object' || told === null) return [undefined, undefined];
  const { errors, error, error_description, errorCode, errorDetails } = told as Record<string, unknown>;
  const [first] = Array.isArray(errors) ? errors : [];
  if (first) return [first.message, first.extensions?.code];
  return error ? [error_description, error] : [errorDetails ?? errorCode, errorCode];
}

/** @throws {AssertionError} when an error of the answer to a document has no code, or is a fault of ours. */
export function requireCoded({ body, headers }: PlainAnswer): void {
  if (!headers.get('content-type')?.includes('json')) return;
  const { errors = [] } = JSON.parse(body) as { errors?: { message: string; extensions?: { code?: string } }[] };
  for (const { message, extensions } of errors) {
    assert(extensions?.code && extensions.code !== 'INTERNAL', `${message} (${extensions?.code})`);
  }
}

/** The answers in what came over a connection, and what is left behind the last whole one. */
export function answersIn(received: Buffer): { readonly answers: readonly PlainAnswer[]; readonly rest: string } {
  const answers: PlainAnswer[] = [];
  let rest = received.toString('latin1');
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return { answers, rest };
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(first) ?? [];
    if (status === undefined) return { answers, rest };
    const headers = new Map(
      lines.map((line): [string, string] => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    const bodiless = /^(?:1..|204|304)$/.test(status);
    const found = bodiless ? { body: '', length: 0 } : bodyIn(rest.slice(end + 4), headers);
    if (!found) return { answers, rest };
    if (!status.startsWith('1'))
      answers.push({ status: Number(status), headers, body: Buffer.from(found.body, 'latin1').toString() });
    rest = rest.slice(end + 4 + found.length);
  }
}

/** Undefined while it is not whole. */
function bodyIn(text: string, headers: ReadonlyMap<string, string>): { body: string; length: number } | undefined {
  if (headers.get('transfer-encoding') !== 'chunked') {
    // Of HTTP/1.0 a body may last as long as the connection.
    const length = Number(headers.get('content-length') ?? text.length);
    return text.length < length ? undefined : { body: text.slice(0, length), length };
  }
  let body = '';
  for (let at = 0; ; ) {
    const [line, digits = ''] = /^([0-9a-f]+)\r\n/i.exec(text.slice(at)) ?? [];
    if (line === undefined) return undefined;
    const size = Number.parseInt(digits, 16);
    const begin = at + line.length;
    if (text.length < begin + size + 2) return undefined;
    body += text.slice(begin, begin + size);
    at = begin + size + 2;
    if (size === 0) return { body, length: at };
  }
}
