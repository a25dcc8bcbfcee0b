// GraphQL documents by the grammar of a schema: most are valid, with arguments of their types; some take things that the
// schema does not have; and what `battered` makes of them fits no grammar.
import fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { battered, hostileText } from './texts.js';

/** Names that the demo data has. */
const KNOWN = [
  'main',
  'production',
  'staging',
  'en',
  'pt-BR',
  'password-policy',
  'blocked-domains',
  'partner-api-key',
  'menu',
];

const quoted = (text: string) => JSON.stringify(text);
const string = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...KNOWN).map(quoted) },
  hostileText.map(quoted),
  fc.constantFrom('"""block"""', '"\\ud800"', '"\\u{110000}"', '"a/b%00"', '""'),
);
const int = fc.oneof(fc.integer({ min: -1, max: 120 }), fc.integer()).map(String);
const json = fc.constantFrom(
  '{}',
  '[]',
  'null',
  '1e400',
  '{a: [{b: "x"}], constructor: 1}',
  '{__proto__: 1}',
  '"x"',
  '[[[[]]]]',
);

const SCALARS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  Int: int,
  Float: fc.double().map(String),
  Boolean: fc.constantFrom('true', 'false'),
  String: string,
  ID: fc.oneof(
    fc
      .constantFrom('Menu:main:en', 'Account:1', 'Token:x', 'Change:1', 'Nope:1', ':')
      .map((id) => quoted(Buffer.from(id).toString('base64url'))),
    string,
    int,
  ),
  Date: fc.constantFrom('"2026-01-01"', '"2026-02-30"', '"0000-00-00"', '"x"'),
  DateTime: fc.constantFrom('"2026-01-01T00:00:00Z"', '"9999-12-31T23:59:59.999999999Z"', '"2026-01-01"'),
  BigInt: fc.oneof(
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map((value) => quoted(String(value))),
    int,
  ),
  JSON: json,
};

const anything = fc.oneof(string, int, json, fc.constantFrom('A', '$a', '$b', 'null', '1.5', '[1, "x"]', '-', 'true'));

function literal(type: GraphQLInputType, levels: number): fc.Arbitrary<string> {
  if (isNonNullType(type)) return literal(type.ofType, levels);
  if (isListType(type)) {
    return fc
      .array(literal(type.ofType, levels - 1), { maxLength: levels > 0 ? 2 : 0 })
      .map((all) => `[${all.join(', ')}]`);
  }
  if (isEnumType(type)) return fc.constantFrom(...type.getValues().map(({ name }) => name));
  if (!isInputObjectType(type)) return SCALARS[type.name] ?? anything;
  if (levels <= 0) return fc.constant('{}');
  return given(Object.values(type.getFields()), levels - 1).map((fields) => `{${fields}}`);
}

/** Arguments, or fields of an input: those that must be there nearly always, others at times. */
function given(all: readonly (GraphQLArgument | GraphQLInputField)[], levels: number): fc.Arbitrary<string> {
  const each = all.map(({ name, type }) => {
    const value = fc.oneof({ weight: 12, arbitrary: literal(type, levels) }, { weight: 1, arbitrary: anything });
    const freq = isNonNullType(type) ? 40 : 1;
    return fc.option(
      value.map((text) => `${name}: ${text}`),
      { freq, nil: '' },
    );
  });
  return fc.tuple(...each).map((texts) => texts.filter((text) => text !== '').join(', '));
}

/** Documents that mostly fit `schema`, which has to be one without anything that runs. */
export function documentsOf(schema: GraphQLSchema): fc.Arbitrary<string> {
  const known = new Map<string, fc.Arbitrary<string>>();
  const decorated = (inner: fc.Arbitrary<string>) =>
    fc
      .tuple(
        fc.constantFrom('', '', '', '', 'a: ', 'b: '),
        inner,
        fc.constantFrom('', '', '', '', ' @skip(if: false)', ' @include(if: $c)', ' @nope'),
      )
      .map((parts) => parts);
  const fieldOf = ({ name, type, args }: GraphQLField<unknown, unknown>, levels: number): fc.Arbitrary<string> => {
    const inner = getNamedType(type);
    const below = isCompositeType(inner) ? selection(inner.name, levels - 1) : fc.constant('');
    return fc
      .tuple(decorated(given(args, 3)), below)
      .map(([[alias, values, directive], inside]) => `${alias}${name}${values && `(${values})`}${directive} ${inside}`);
  };
  const selection = (typeName: string, levels: number): fc.Arbitrary<string> => {
    const place = `${typeName} ${levels}`;
    const before = known.get(place);
    if (before) return before;
    const type = schema.getType(typeName);
    const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    const shown = levels <= 0 ? fields.filter((field) => !isCompositeType(getNamedType(field.type))) : fields;
    const ours = shown.map((field) => fieldOf(field, levels));
    const members = isUnionType(type) ? type.getTypes() : [];
    const inline = members.map(({ name }) => selection(name, levels - 1).map((inside) => `... on ${name} ${inside}`));
    const other = fc.constantFrom(
      '__typename',
      '...F',
      `... on ${typeName} { __typename }`,
      '__schema { types { name } }',
      'nope',
    );
    const one = fc.oneof(
      { weight: 1, arbitrary: other },
      {
        weight: 12,
        arbitrary: ours.length + inline.length > 0 ? fc.oneof(...ours, ...inline) : fc.constant('__typename'),
      },
    );
    const made = fc.array(one, { minLength: 1, maxLength: 3 }).map((all) => `{ ${all.join(' ')} }`);
    known.set(place, made);
    return made;
  };
  const query = schema.getQueryType();
  const roots = [query, query, query, query, query, schema.getMutationType(), schema.getSubscriptionType()];
  const operations = roots.flatMap((root) => {
    if (!root) return [];
    const keyword = root.name.toLowerCase();
    const head = fc.constantFrom('', '', '', 'A', 'A($a: Int, $b: String = "x", $c: Boolean = true)', '($a: Nope!)');
    return [
      fc.tuple(head, selection(root.name, 3), selection(root.name, 1)).map(([named, main, fragment]) => {
        const spread = main.includes('...F') ? ` fragment F on ${root.name} ${fragment}` : '';
        return `${keyword} ${named} ${main}${spread}`;
      }),
    ];
  });
  return fc.oneof(...operations);
}

/** The same, and what blows make of them. */
export const hurtDocumentsOf = (schema: GraphQLSchema): fc.Arbitrary<string> =>
  battered(
    documentsOf(schema),
    '{',
    '}',
    '(',
    ')',
    '[',
    '"',
    '"""',
    '...',
    '$a',
    '@skip',
    'fragment F on Query {...F}',
    '#',
    '\ufeff',
  );
