// What an operation may cost: the objects that it can answer with, by the sizes that it asks for itself. A page of 50 with
// pages of 20 inside is 50 times 20 of the inner ones. Lists without a size are parts of an entry that is read anyway and
// count once; at the root, where nothing bounds them, ten times.
// Source: GitHub's node limit, and Hartig and Pérez, "Semantics and complexity of GraphQL", WWW 2018, on why to bound it.

import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** `perItem` counts for each element that a size on the field around asks for. */
interface Cost {
  readonly fixed: number;
  readonly perItem: number;
}

export interface Costly {
  readonly schema: GraphQLSchema;
  readonly tree: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

const unsizedAtRoot = 10;
const maxSize = 2 ** 31; // of an Int
const mutationField = 10; // a transaction, and its confirmation by the cache

const constants = new WeakMap<OperationDefinitionNode, number>();

/** The cost of a valid operation; linear in the length of its document. */
export function costOf(costly: Costly): number {
  const { operation, schema } = costly;
  const constant = constants.get(operation);
  if (constant !== undefined) return constant;
  const reader = new CostReader(costly);
  const root = schema.getRootType(operation.operation) ?? undefined;
  const { fixed, perItem } = reader.selections(operation.selectionSet, root);
  const writes = operation.operation === 'mutation' ? operation.selectionSet.selections.length * mutationField : 0;
  const cost = fixed + perItem * unsizedAtRoot + writes;
  if (!reader.askedVariables) constants.set(operation, cost);
  return cost;
}

class CostReader {
  /** Whether another request for the same operation may cost something else. */
  askedVariables = false;
  readonly #costly: Costly;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  readonly #known = new Map<string, Cost>();

  constructor(costly: Costly) {
    this.#costly = costly;
    for (const definition of costly.tree.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(definition.name.value, definition);
    }
  }

  selections({ selections }: SelectionSetNode, type: GraphQLNamedType | undefined): Cost {
    let fixed = 0;
    let perItem = 0;
    for (const selection of selections) {
      const cost =
        selection.kind === Kind.FIELD
          ? this.#field(selection, type)
          : selection.kind === Kind.FRAGMENT_SPREAD
            ? this.#fragment(selection.name.value)
            : this.selections(selection.selectionSet, this.#typeOf(selection.typeCondition?.name.value) ?? type);
      fixed += cost.fixed;
      perItem += cost.perItem;
    }
    return { fixed, perItem };
  }

  #fragment(name: string): Cost {
    const found = this.#known.get(name);
    const fragment = this.#fragments.get(name);
    if (found || !fragment) return found ?? free;
    this.#known.set(name, free);
    const cost = this.selections(fragment.selectionSet, this.#typeOf(fragment.typeCondition.name.value));
    this.#known.set(name, cost);
    return cost;
  }

  #field(node: FieldNode, parent: GraphQLNamedType | undefined): Cost {
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
    if (!field || !node.selectionSet) return free;
    const type = getNamedType(field.type);
    if (!isCompositeType(type)) return free;
    const isList = isListType(getNullableType(field.type));
    const inside = this.selections(node.selectionSet, type);
    const size = this.#sizeOf(node, field, isList);
    if (!isList) return { fixed: 1 + inside.fixed + (size ?? 1) * inside.perItem, perItem: 0 };
    const each = 1 + inside.fixed + inside.perItem;
    return size === undefined ? { fixed: 0, perItem: each } : { fixed: size * each, perItem: 0 };
  }

  /** How many elements the field is asked for; undefined where its arguments do not say. */
  #sizeOf(node: FieldNode, field: GraphQLField<unknown, unknown>, isList: boolean): number | undefined {
    const sizes = field.args.flatMap((argument) => {
      if (pageArguments.has(argument.name)) {
        const given = this.#valueOf(node, argument);
        return typeof given === 'number' ? Math.min(Math.max(0, given), maxSize) : [];
      }
      return isList && isListType(getNullableType(argument.type))
        ? (lengthOf(this.#valueOf(node, argument)) ?? [])
        : [];
    });
    return sizes.length === 0 ? undefined : Math.max(...sizes);
  }

  /** A number, or a list whose elements do not matter; undefined for anything else. */
  #valueOf({ arguments: given = [] }: FieldNode, { name, defaultValue }: GraphQLArgument): unknown {
    const value = given.find((argument) => argument.name.value === name)?.value;
    const told = value?.kind === Kind.VARIABLE ? this.#variable(value.name.value) : value && literal(value);
    return told ?? defaultValue;
  }

  #variable(name: string): unknown {
    this.askedVariables = true;
    const { operation, variables } = this.#costly;
    const told = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (told !== undefined) return told;
    const fallback = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name)?.defaultValue;
    return fallback && literal(fallback);
  }

  #typeOf(name: string | undefined): GraphQLNamedType | undefined {
    return name === undefined ? undefined : this.#costly.schema.getType(name);
  }
}

const free: Cost = { fixed: 0, perItem: 0 };
const pageArguments: ReadonlySet<string> = new Set(['first', 'last', 'limit']);

function literal(value: ArgumentNode['value']): unknown {
  if (value.kind === Kind.INT) return Number(value.value);
  if (value.kind === Kind.LIST) return value.values;
  return value.kind === Kind.NULL ? undefined : value;
}

/** A single value stands for a list of one. */
function lengthOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) ? value.length : 1;
}
