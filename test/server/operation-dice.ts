// Operations of any shape over a schema, and resolvers of any conduct, both drawn from a row of numbers: equal numbers,
// equal draws.
import {
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLNamedOutputType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isUnionType,
  responsePathAsArray,
} from 'graphql';

export class Dice {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  /** 0 ≤ n < sides; 0 once the numbers are used up. */
  roll(sides: number): number {
    return (this.#numbers[this.#at++] ?? 0) % sides;
  }

  of<Side>(sides: readonly Side[]): Side {
    const side = sides[this.roll(sides.length)];
    if (side === undefined) throw new Error('There is nothing to draw from.');
    return side;
  }
}

export interface DrawnOperation {
  readonly text: string;
  readonly variables: Record<string, unknown>;
}

/** A query over `schema`: aliases, fragments, directives, literals and variables. Most are valid. */
export function drawOperation(schema: GraphQLSchema, dice: Dice): DrawnOperation {
  return new Drawing(schema, dice).operation();
}

class Drawing {
  readonly #schema: GraphQLSchema;
  readonly #dice: Dice;
  readonly #declared: string[] = [];
  readonly #fragments: string[] = [];
  readonly #variables: Record<string, unknown> = {};
  #names = 0;

  constructor(schema: GraphQLSchema, dice: Dice) {
    this.#schema = schema;
    this.#dice = dice;
  }

  operation(): DrawnOperation {
    const root = this.#schema.getQueryType();
    if (!root) throw new Error('The schema has no queries.');
    const selection = this.#selection(root, 4);
    const declared = this.#declared.length > 0 ? `(${this.#declared.join(', ')})` : '';
    const text = [`query Drawn${declared} ${selection}`, ...this.#fragments].join('\n');
    return { text, variables: this.#variables };
  }

  #selection(type: GraphQLNamedOutputType, depth: number): string {
    const parts: string[] = [];
    for (let left = 1 + this.#dice.roll(4); left > 0; left--) {
      const kind = this.#dice.roll(12);
      if (kind === 0) parts.push(`__typename${this.#directive()}`);
      else if (kind <= 2 && depth > 0) parts.push(this.#fragment(type, depth - 1));
      else parts.push(this.#field(type, depth));
    }
    return `{ ${parts.join(' ')} }`;
  }

  #fragment(around: GraphQLNamedOutputType, depth: number): string {
    const type = isAbstractType(around) ? this.#dice.of(this.#schema.getPossibleTypes(around)) : around;
    const selection = this.#selection(type, depth);
    if (this.#dice.roll(2) === 0) return `... on ${type.name}${this.#directive()} ${selection}`;
    const name = `F${this.#names++}`;
    this.#fragments.push(`fragment ${name} on ${type.name} ${selection}`);
    return `...${name}${this.#directive()} ...${name}`;
  }

  #field(type: GraphQLNamedOutputType, depth: number): string {
    if (isUnionType(type) || !(isObjectType(type) || isInterfaceType(type))) return '__typename';
    const fields = Object.values(type.getFields()).filter((field) => depth > 0 || isLeafType(getNamedType(field.type)));
    if (fields.length === 0) return '__typename';
    const field = this.#dice.of(fields);
    const alias = this.#dice.roll(3) > 0 ? `${this.#dice.roll(20) === 0 ? '__proto__' : `a${this.#names++}`}: ` : '';
    const named = getNamedType(field.type);
    const below = isLeafType(named) ? '' : ` ${this.#selection(named, depth - 1)}`;
    return `${alias}${field.name}${this.#arguments(field.args)}${this.#directive()}${below}`;
  }

  #arguments(args: readonly GraphQLArgument[]): string {
    const given = args.flatMap((argument) => {
      if (!isRequiredArgument(argument) && this.#dice.roll(2) === 0) return [];
      return `${argument.name}: ${this.#given(argument.type)}`;
    });
    return given.length > 0 ? `(${given.join(', ')})` : '';
  }

  #directive(): string {
    const kind = this.#dice.roll(10);
    if (kind > 3) return '';
    const condition = kind < 2 ? this.#condition() : this.#dice.of(['true', 'false']);
    return ` @${this.#dice.of(['skip', 'include'])}(if: ${condition})`;
  }

  #condition(): string {
    const name = `c${this.#dice.roll(5)}`;
    if (!this.#declared.some((each) => each.startsWith(`$${name}:`))) {
      this.#declared.push(`$${name}: Boolean! = true`);
      if (this.#dice.roll(2) === 0) this.#variables[name] = this.#dice.roll(2) === 0;
    }
    return `$${name}`;
  }

  #given(type: GraphQLInputType): string {
    if (this.#dice.roll(2) === 0) return literal(this.#value(type), getNullableType(type));
    const name = `v${this.#names++}`;
    const fallback = !isNonNullType(type) && this.#dice.roll(3) === 0;
    this.#declared.push(`$${name}: ${type}${fallback ? ` = ${literal(this.#value(type), type)}` : ''}`);
    const kind = this.#dice.roll(10);
    if (kind > 1) this.#variables[name] = this.#value(type);
    if (kind === 1) this.#variables[name] = this.#dice.of([null, 'a word', 7, ['x'], { nobody: 1 }]);
    return `$${name}`;
  }

  #value(type: GraphQLInputType): unknown {
    if (!isNonNullType(type) && this.#dice.roll(5) === 0) return null;
    const inner = getNullableType(type);
    if (isListType(inner)) return Array.from({ length: this.#dice.roll(3) }, () => this.#value(inner.ofType));
    if (isInputObjectType(inner)) {
      const fields = Object.values(inner.getFields()).filter(
        (field) => isRequiredInputField(field) || this.#dice.roll(3) === 0,
      );
      return Object.fromEntries(fields.map((field) => [field.name, this.#value(field.type)]));
    }
    if (isEnumType(inner)) return this.#dice.of(inner.getValues()).name;
    return this.#dice.of(inputs.get(inner.name) ?? ['text']);
  }
}

const inputs = new Map<string, readonly unknown[]>([
  ['Int', [0, 1, -5, 20]],
  ['Float', [0.5, 3]],
  ['Boolean', [true, false]],
  ['ID', ['id-1', 'id"2\\']],
  ['String', ['', 'x', 'two\nlines "quoted" \\', 'é 😀']],
  ['Date', ['2026-03-31']],
  ['DateTime', ['2026-03-31T12:00:00Z']],
  ['BigInt', ['42', '-7']],
  ['JSON', [{ a: [1, 'b', null] }, 'text', 3, true]],
]);

function literal(value: unknown, type: GraphQLInputType): string {
  const inner = getNullableType(type);
  if (value === null || value === undefined) return 'null';
  if (isEnumType(inner)) return String(value);
  if (Array.isArray(value)) return `[${value.map((each) => literal(each, isListType(inner) ? inner.ofType : inner))}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const fieldOf = (name: string) => (isInputObjectType(inner) ? (inner.getFields()[name]?.type ?? inner) : inner);
  return `{ ${Object.entries(value)
    .map(([name, each]) => `${name}: ${literal(each, fieldOf(name))}`)
    .join(', ')} }`;
}

/**
 * What a resolver does in one place: gives a value, at once or later; and unless all are calm, also what does not fit,
 * nothing, or an error. Items of a list that may fail all come later: of others, graphql-js leaves failures unheard.
 */
export function conduct(schema: GraphQLSchema, seed: number, info: GraphQLResolveInfo): unknown {
  const place = responsePathAsArray(info.path).join('.');
  const dice = new Dice(rolls(`${seed} ${place}`));
  const calm = seed % 3 === 0;
  const kind = calm ? 40 : dice.roll(40);
  const act = () => {
    if (kind === 0) throw new Error(`thrown at ${place}`);
    if (kind === 1) return new Error(`returned at ${place}`);
    if (kind === 2) return { toString: () => 'a misfit' };
    return fitting(schema, info.returnType, dice, calm);
  };
  if (dice.roll(3) > 0) return act();
  const turns = dice.roll(3);
  return (async () => {
    for (let turn = 0; turn < turns; turn++) await undefined;
    return act();
  })();
}

function fitting(schema: GraphQLSchema, type: GraphQLOutputType, dice: Dice, calm: boolean): unknown {
  const mayBeNull = !(calm && isNonNullType(type));
  if (mayBeNull && dice.roll(isNonNullType(type) ? 25 : 6) === 0) return null;
  const inner = getNullableType(type);
  if (!isListType(inner)) return named(schema, inner, dice, calm);
  return Array.from({ length: dice.roll(4) }, () => {
    const item = fitting(schema, inner.ofType, dice, calm);
    if (!calm && dice.roll(20) === 0) return Promise.reject(new Error('rejected item'));
    return calm && dice.roll(3) > 0 ? item : Promise.resolve(item);
  });
}

function named(schema: GraphQLSchema, type: GraphQLNamedType, dice: Dice, calm: boolean): unknown {
  if (isAbstractType(type)) {
    const names = [...schema.getPossibleTypes(type).map(({ name }) => name), 'Query', 'Nobody', undefined, 7];
    return { __typename: !calm && dice.roll(10) === 0 ? dice.of(names.slice(-4)) : names[dice.roll(names.length - 4)] };
  }
  if (isEnumType(type)) return dice.of(type.getValues()).value;
  if (isObjectType(type)) return {};
  const values = outputs.get(type.name) ?? ['text'];
  return calm ? values[0] : dice.of(values);
}

const outputs = new Map<string, readonly unknown[]>([
  ['Int', [0, -1, 2 ** 31, '7', 1.5, true]],
  ['Float', [0.5, '2', Number.NaN]],
  ['Boolean', [true, false, 1, 'no']],
  ['ID', ['a', 7, 'ü']],
  ['String', ['', 'text', 7, true, 'é "😀"']],
  ['Date', ['2026-03-31']],
  ['DateTime', [new Date(0), 'no date']],
  ['BigInt', [1n, '2', 3]],
  ['JSON', [{ a: [1] }, 'text', 0, undefined]],
]);

/** A row of numbers from a text: FNV-1a, then xorshift. */
function rolls(text: string): number[] {
  let state = 2_166_136_261;
  for (const char of text) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 16_777_619);
  return Array.from({ length: 40 }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  });
}
