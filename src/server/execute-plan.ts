// How an operation is carried out, found once: which fields each object type gives, how their values are completed, and
// what lies below them. Selections are planned when they are first met, and kept within bounds; nothing is generated.

import {
  type DocumentNode,
  defaultFieldResolver,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLAbstractType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNullableType,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  visit,
} from 'graphql';
import { collectFields, collectSubfields } from 'graphql/execution/collectFields.js';
import { serializerOf } from './execute-leaf.js';
import { argumentsOf } from './execute-values.js';

/** The fields of one object type in one place of an operation, in the order of the answer. */
export interface SelectionPlan {
  readonly fields: readonly FieldPlan[];
  /** Whether a field is called like the way to an object's prototype. */
  readonly bare: boolean;
}

export interface FieldPlan {
  /** Its name in the answer. */
  readonly key: string;
  readonly name: string;
  readonly nodes: readonly FieldNode[];
  readonly parentType: GraphQLObjectType;
  readonly definition: GraphQLField<unknown, unknown>;
  /** Undefined where the value is the property of the same name. */
  readonly resolve: GraphQLFieldResolver<unknown, unknown> | undefined;
  readonly value: ValuePlan;
  readonly argumentsOf: (variables: Variables) => Record<string, unknown>;
  /** Names the place where all that is selected follows from the field's value alone; undefined where it may not. */
  readonly lasting: number | undefined;
}

/** How a value is completed. */
export type ValuePlan = { readonly nullable: boolean } & (
  | { readonly kind: 'leaf'; readonly type: GraphQLLeafType; readonly serialize: (value: unknown) => unknown }
  | { readonly kind: 'list'; readonly item: ValuePlan }
  | { readonly kind: 'object'; readonly type: GraphQLObjectType; readonly below: Selections }
  | { readonly kind: 'abstract'; readonly type: GraphQLAbstractType; readonly below: Selections }
);

/** What is selected of an object, by its type. */
export interface Selections {
  readonly of: (type: GraphQLObjectType) => SelectionPlan;
}

type Variables = Readonly<Record<string, unknown>>;

/** Fields that are kept of one operation; whatever it has beyond is planned each time. */
const MAX_FIELDS = 2_000;
/** Variables that decide what is selected: each doubles the plans. */
const MAX_CONDITIONS = 3;

/** The plans of one valid query. */
export class QueryPlan {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Record<string, FragmentDefinitionNode> = Object.create(null);
  readonly #conditions: readonly string[];
  readonly #roots = new Map<string, SelectionPlan>();
  #fields = 0;

  constructor(schema: GraphQLSchema, tree: DocumentNode, operation: OperationDefinitionNode) {
    this.schema = schema;
    this.operation = operation;
    for (const definition of tree.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.fragments[definition.name.value] = definition;
    }
    this.#conditions = conditionsOf(tree, operation);
  }

  /** The fields at the root; undefined where `variables` decide in too many ways what is selected, or in none. */
  root(variables: Variables): SelectionPlan | undefined {
    const conditions = this.#conditions;
    let name = '';
    for (const condition of conditions) {
      const value = variables[condition];
      if (typeof value !== 'boolean') return undefined;
      name += value ? '1' : '0';
    }
    const known = this.#roots.get(name);
    if (known) return known;
    const type = this.schema.getQueryType();
    if (!type || conditions.length > MAX_CONDITIONS) return undefined;
    const decided = Object.fromEntries(conditions.map((condition) => [condition, variables[condition]]));
    const { selectionSet } = this.operation;
    const collected = collectFields(this.schema, this.fragments, decided, type, selectionSet);
    const plan = this.#selection(type, collected, decided);
    this.#roots.set(name, plan);
    return plan;
  }

  #selection(
    type: GraphQLObjectType,
    collected: ReadonlyMap<string, readonly FieldNode[]>,
    decided: Variables,
  ): SelectionPlan {
    const fields: FieldPlan[] = [];
    for (const [key, nodes] of collected) {
      const name = nodes[0]?.name.value ?? '';
      const definition = this.#definitionOf(type, name);
      if (!definition) continue;
      const value = this.#value(definition.type, nodes, decided);
      const lasting = isLasting(definition, value) ? ++places : undefined;
      fields.push({
        key,
        name,
        nodes,
        parentType: type,
        definition,
        resolve: ownResolver(definition),
        value,
        argumentsOf: argumentsOf(definition, nodes[0]),
        lasting,
      });
    }
    this.#fields += fields.length;
    return { fields, bare: collected.has('__proto__') };
  }

  #value(type: GraphQLOutputType, nodes: readonly FieldNode[], decided: Variables): ValuePlan {
    const nullable = !isNonNullType(type);
    const inner = getNullableType(type);
    if (isListType(inner)) return { kind: 'list', nullable, item: this.#value(inner.ofType, nodes, decided) };
    if (isLeafType(inner)) return { kind: 'leaf', nullable, type: inner, serialize: serializerOf(inner) };
    const below = this.#below(nodes, decided);
    return isAbstractType(inner)
      ? { kind: 'abstract', nullable, type: inner, below }
      : { kind: 'object', nullable, type: inner, below };
  }

  #below(nodes: readonly FieldNode[], decided: Variables): Selections {
    const plans = new Map<GraphQLObjectType, SelectionPlan>();
    let last: { readonly type: GraphQLObjectType; readonly plan: SelectionPlan } | undefined;
    return {
      of: (type) => {
        if (last?.type === type) return last.plan;
        const known = plans.get(type);
        const plan =
          known ?? this.#selection(type, collectSubfields(this.schema, this.fragments, decided, type, nodes), decided);
        if (!known && this.#fields > MAX_FIELDS) return plan;
        plans.set(type, plan);
        last = { type, plan };
        return plan;
      },
    };
  }

  #definitionOf(type: GraphQLObjectType, name: string): GraphQLField<unknown, unknown> | undefined {
    if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
    if (type === this.schema.getQueryType()) {
      if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
      if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
    }
    return type.getFields()[name];
  }
}

/** Variables of `operation` that decide what is selected. */
function conditionsOf(tree: DocumentNode, operation: OperationDefinitionNode): readonly string[] {
  const own = new Set(operation.variableDefinitions?.map(({ variable }) => variable.name.value));
  if (own.size === 0) return [];
  const conditions = new Set<string>();
  visit(tree, {
    Directive: ({ name, arguments: given = [] }) => {
      if (name.value !== 'skip' && name.value !== 'include') return;
      for (const { value } of given) {
        if (value.kind === Kind.VARIABLE && own.has(value.name.value)) conditions.add(value.name.value);
      }
    },
  });
  return [...conditions];
}

let places = 0;

/**
 * Whether a field that says of itself that it gives the same object again (`lasting`) is asked only for fields of types
 * that say that theirs follow from the object alone (`follows`). One that needs a right does where the field needs it too.
 */
function isLasting({ extensions }: GraphQLField<unknown, unknown>, value: ValuePlan): boolean {
  return extensions.lasting === true && value.kind !== 'leaf' && follows(value, extensions.access);
}

function follows(value: ValuePlan, access: unknown): boolean {
  if (value.kind === 'leaf') return true;
  if (value.kind === 'list') return follows(value.item, access);
  if (value.kind === 'abstract' || value.type.isTypeOf || value.type.extensions.follows !== true) return false;
  return value.below.of(value.type).fields.every(({ definition, value: inner }) => {
    const own = definition.extensions.access;
    return definition.args.length === 0 && (own === undefined || own === access) && follows(inner, access);
  });
}

function ownResolver({ resolve }: GraphQLField<unknown, unknown>): FieldPlan['resolve'] {
  return resolve === undefined || resolve === defaultFieldResolver ? undefined : resolve;
}
