// Turns the text of a GraphQL document into its tree, once per text, within bounds: graphql's parser and validator call
// themselves for each level and compare fields pairwise, so a document is measured before they see it. What it holds can
// be stored.

import {
  type DocumentNode,
  getLocation,
  Lexer,
  parse,
  Source,
  TokenKind,
  type ValueNode,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { Refusal } from './refusal.js';
import { type Unstorable, unstorableIn, unstorableWithin } from './storable.js';

const maxTokens = 5_000; // validation of 2,500 equal fields takes about a tenth of a second
const maxLevels = 64; // the introspection query of GraphiQL has 15
const maxCachedChars = 8_000_000; // a tree takes some ten times its text

/**
 * The tree of `text`.
 * @throws {GraphQLError} where it is not GraphQL.
 * @throws {Refusal} when it is too long, nested too deep, or holds a character that cannot be stored.
 */
export function parseDocument(text: string | Source): DocumentNode {
  const source = typeof text === 'string' ? new Source(text) : text;
  checkText(source);
  measure(source);
  const tree = parse(source);
  if (source.body.includes('\\u')) checkValues(source, tree);
  return tree;
}

/** Trees kept by their text, bounded by size as well as by number: a client may send a megabyte of spaces. */
export function documentCache() {
  const bounded = <Kept extends object>() =>
    new LRUCache<string, Kept>({
      max: 1_000,
      maxSize: maxCachedChars,
      sizeCalculation: (_, text) => text.length + 1,
    });
  return { documentCache: bounded<DocumentNode>(), errorCache: bounded<Error>() };
}

function measure(source: Source): void {
  const lexer = new Lexer(source);
  let tokens = 0;
  let level = 0;
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
    tokens += 1;
    if (tokens > maxTokens) {
      throw new Refusal('LIMIT_EXCEEDED', `The document has more than ${maxTokens} words and signs; split it.`, {
        status: 400,
      });
    }
    if (opening.has(token.kind)) level += 1;
    if (closing.has(token.kind)) level -= 1;
    if (level > maxLevels) {
      throw new Refusal('BAD_REQUEST', `The document must not be nested deeper than ${maxLevels} levels.`);
    }
  }
}

const opening: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const closing: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

function checkText(source: Source): void {
  const fault = unstorableIn(source.body, 'query');
  if (fault) throw unstorable(source, fault.at, fault);
}

/** Finds what is written with an escape: in arguments and in the defaults of variables. */
function checkValues(source: Source, tree: DocumentNode): void {
  const check = (value: ValueNode | undefined, place: string) => {
    const fault = value && unstorableWithin(valueFromASTUntyped(value), place);
    if (fault) throw unstorable(source, value.loc?.start ?? 0, fault);
  };
  visit(tree, {
    Argument: ({ value, name }) => check(value, name.value),
    VariableDefinition: ({ defaultValue, variable }) => check(defaultValue, `$${variable.name.value}`),
  });
}

function unstorable(source: Source, offset: number, { sentence }: Unstorable): Refusal {
  const { line, column } = getLocation(source, offset);
  return new Refusal('BAD_REQUEST', `Line ${line}, column ${column}: ${sentence}`);
}
