// Turns the text of a GraphQL document into its tree, once per text, within bounds: graphql's parser and validator call
// themselves for each level and compare fields pairwise, so a document is measured before they see it, and its operations
// before they are validated. What it holds can be stored.

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
import type { Limits } from './limits.js';
import { checkShape } from './operation-shape.js';
import { Refusal } from './refusal.js';
import { type Unstorable, unstorableIn, unstorableWithin } from './storable.js';

export interface DocumentOptions {
  readonly limits: Limits;
  /** Whether the schema may be asked about. */
  readonly introspection: boolean;
}

const maxLevels = 64; // the introspection query of GraphiQL has 15
const maxCachedChars = 8_000_000; // a tree takes some ten times its text

/**
 * The tree of `text`.
 * @throws {GraphQLError} where it is not GraphQL.
 * @throws {Refusal} when it is too long, too large or nested too deep, holds what cannot be stored, or asks what it may not.
 */
export function parseDocument(text: string | Source, { limits, introspection }: DocumentOptions): DocumentNode {
  const source = typeof text === 'string' ? new Source(text) : text;
  checkText(source);
  measure(source, limits);
  const tree = parse(source);
  if (source.body.includes('\\u')) checkValues(source, tree);
  if (source.body.length > limits.string) checkLengths(source, tree, limits);
  const { introspects } = checkShape(tree, limits);
  if (introspects && !introspection) {
    const sentence = 'The schema is not told here; read docs/schema.graphql, or set ESPELHO_INTROSPECTION=1.';
    throw new Refusal('FORBIDDEN', sentence);
  }
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

function measure(source: Source, { tokens: maxTokens }: Limits): void {
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

function checkLengths(source: Source, tree: DocumentNode, { string: maxChars }: Limits): void {
  visit(tree, {
    StringValue: ({ value, loc }) => {
      if (value.length <= maxChars) return;
      const { line, column } = getLocation(source, loc?.start ?? 0);
      const sentence = `Line ${line}, column ${column}: this string is longer than ${maxChars} characters; shorten it.`;
      throw new Refusal('LIMIT_EXCEEDED', sentence, { status: 400 });
    },
  });
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
