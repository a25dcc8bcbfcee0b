// Redis's protocol as a counter must know it: where a command and a reply end, and what a command is called.

/** Where the value that begins at `at` ends; undefined while not all of it is there. */
export function endOf(text: Buffer, at: number): number | undefined {
  const lineEnd = text.indexOf('\r\n', at);
  if (lineEnd < 0) return undefined;
  const after = lineEnd + 2;
  const count = Number(text.toString('latin1', at + 1, lineEnd));
  switch (String.fromCharCode(text[at] ?? 0)) {
    case '$':
    case '=':
    case '!': {
      const end = count < 0 ? after : after + count + 2;
      return end <= text.length ? end : undefined;
    }
    case '*':
    case '~':
    case '>':
      return endOfAll(text, after, count);
    case '%':
      return endOfAll(text, after, 2 * count);
    default:
      return after;
  }
}

function endOfAll(text: Buffer, at: number, count: number): number | undefined {
  let end: number | undefined = at;
  for (let index = 0; index < count && end !== undefined; index++) end = endOf(text, end);
  return end;
}

export const isPush = (message: Buffer): boolean => message.toString('latin1', 0, 1) === '>';

/** The first two words of a command. */
export function wordsOf(command: Buffer): readonly [string, string] {
  const [, , name = '', , first = ''] = command.toString('latin1').split('\r\n', 5);
  return [name.toLowerCase(), first];
}
