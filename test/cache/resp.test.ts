// What a server writes is read the same in whatever pieces it comes.
import { expect, it } from 'vitest';
import { BrokenStream, Refused, type Reply, RespReader } from '../../src/cache/resp.js';

/** What is heard when `pieces` come. */
function heard(pieces: readonly Buffer[]) {
  const replies: Reply[] = [];
  const pushes: (readonly Reply[])[] = [];
  const reader = new RespReader({ reply: (reply) => replies.push(reply), push: (words) => pushes.push(words) });
  for (const piece of pieces) reader.read(piece);
  return { replies, pushes };
}

const written: readonly (readonly [written: string, reply: Reply])[] = [
  ['+PONG\r\n', 'PONG'],
  ['-ERR no such thing\r\n', new Refused('ERR no such thing')],
  [':-42\r\n', -42],
  ['$6\r\na\r\nçb\r\n', 'a\r\nçb'],
  ['$0\r\n\r\n', ''],
  ['$-1\r\n', null],
  ['_\r\n', null],
  ['=8\r\ntxt:role\r\n', 'role'],
  ['!6\r\nBAD no\r\n', new Refused('BAD no')],
  ['#t\r\n', 't'],
  [',1.5\r\n', '1.5'],
  ['(12345678901234567890\r\n', '12345678901234567890'],
  ['*-1\r\n', null],
  ['*0\r\n', []],
  ['*3\r\n$1\r\na\r\n*2\r\n:1\r\n_\r\n~1\r\n+b\r\n', ['a', [1, null], ['b']]],
  ['%1\r\n+key\r\n%1\r\n+a\r\n:1\r\n', ['key', ['a', 1]]],
];

it.each(written)('%j', (text, reply) => {
  expect(heard([Buffer.from(text)])).toEqual({ replies: [reply], pushes: [] });
});

it('reads everything in order, wherever it is cut', () => {
  const push = '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n';
  const all = Buffer.from(written.map(([text]) => text + push).join(''));
  const replies = written.map(([, reply]) => reply);
  const pushes = written.map(() => ['invalidate', ['k']]);
  for (let at = 0; at <= all.length; at++)
    expect(heard([all.subarray(0, at), all.subarray(at)])).toEqual({ replies, pushes });
  expect(heard([...all].map((byte) => Buffer.of(byte)))).toEqual({ replies, pushes });
});

it('tells a push from a reply, also one of all keys', () => {
  expect(heard([Buffer.from('>2\r\n$10\r\ninvalidate\r\n_\r\n*1\r\n+a\r\n')])).toEqual({
    replies: [['a']],
    pushes: [['invalidate', null]],
  });
});

it('refuses what is not RESP', () => {
  expect(() => heard([Buffer.from('HTTP/1.1 400 Bad Request\r\n')])).toThrow(BrokenStream);
});
