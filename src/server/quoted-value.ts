// GraphQL's own errors quote the value that they complain of. A value may be a secret in the wrong place, and errors end
// in logs: what is shown names the place and what was wanted, and quotes nothing.
import type { GraphQLError } from 'graphql';

/** The message of `error` without the value that it quotes. */
export function withoutValue(error: GraphQLError): string {
  const { message, originalError } = error;
  const [, variable] = /^(Variable "\$\w+") got invalid value /.exec(message) ?? [];
  if (variable === undefined) return reasonWithoutValue(message);
  const reason = originalError?.message;
  const head = reason !== undefined && message.endsWith(`; ${reason}`) ? message.slice(0, -reason.length - 2) : '';
  const [place = ''] = / at "[\w$.[\]]*"$/.exec(head) ?? [];
  const rest = head === '' ? '' : ` ${reasonWithoutValue(reason ?? '')}`;
  return `${variable} got an invalid value${place}${rest ? `;${rest}` : '.'}`;
}

/** What GraphQL says of a value before, or behind, quoting it. */
const QUOTING: readonly (readonly [RegExp, string])[] = [
  [/^((?:Int|Float|String|Boolean|ID|Enum "\w+") cannot represent [\w -]*value): [\s\S]*$/, '$1.'],
  [/^Value "[\s\S]*" does not exist in ("\w+" enum\.)/, 'This value does not exist in $1'],
  [/^(Expected value of type "[\w[\]!]+"), found [\s\S]*$/, '$1.'],
  [/^(Expected type "[\w[\]!]+"\.) [\s\S]*$/, '$1'],
  [/^[\s\S]* is not ((?:a moment|a date|an integer|a string)[^"]*\.)$/, 'This is not $1'],
  [/^(Syntax Error: [^"]*(?:"[^"]{1,3}"[^"]*)*found (?:String|BlockString|Int|Float)) "[\s\S]*$/, '$1.'],
];

function reasonWithoutValue(message: string): string {
  const quoting = QUOTING.find(([pattern]) => pattern.test(message));
  return quoting ? message.replace(quoting[0], quoting[1]) : message;
}
