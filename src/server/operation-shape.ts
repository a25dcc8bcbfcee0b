// How large the operations of a document are once their fragments are put in their places. Each fragment is measured once,
// however often it is spread, so that a document is measured in time linear in its length.

import {
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { Limits } from './limits.js';
import { Refusal } from './refusal.js';

interface Shape {
  readonly depth: number;
  /** Depth inside `__schema` and `__type`, which lists of lists of types make deep. */
  readonly metaDepth: number;
  readonly aliases: number;
  readonly directives: number;
  /** Fields right here, not those inside them. */
  readonly fields: number;
}

const maxMetaDepth = 20; // the introspection query of GraphiQL has 15
const empty: Shape = { depth: 0, metaDepth: 0, aliases: 0, directives: 0, fields: 0 };

/**
 * Looks at each operation of `tree`; whether one of them asks about the schema.
 * @throws {Refusal} when one is larger than `limits`.
 */
export function checkShape(tree: DocumentNode, limits: Limits): { readonly introspects: boolean } {
  const shapeOf = shapes(tree);
  let introspects = false;
  for (const definition of tree.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const inside = shapeOf(definition.selectionSet);
    const own = [definition, ...(definition.variableDefinitions ?? [])].map(directivesOf).reduce(sum, 0);
    requireWithin({ ...inside, directives: inside.directives + own }, limits);
    introspects ||= inside.metaDepth > 0;
  }
  return { introspects };
}

function requireWithin({ depth, metaDepth, aliases, directives, fields }: Shape, limits: Limits): void {
  const faults: readonly (readonly [boolean, string])[] = [
    [depth > limits.depth, `nests fields deeper than ${limits.depth} levels; ask for the rest by another operation`],
    [metaDepth > maxMetaDepth, `asks about the schema deeper than ${maxMetaDepth} levels; ask for less`],
    [
      aliases > limits.aliases,
      `has more than ${limits.aliases} aliases, fragments included; ask for several by a list`,
    ],
    [directives > limits.directives, `has more than ${limits.directives} directives, fragments included; use fewer`],
    [fields > limits.rootFields, `has more than ${limits.rootFields} root fields, fragments included; split it`],
  ];
  const fault = faults.find(([exceeded]) => exceeded);
  if (fault) throw new Refusal('LIMIT_EXCEEDED', `The operation ${fault[1]}.`, { status: 400 });
}

/** Measures selections; what a fragment holds is remembered by its name. */
function shapes({ definitions }: DocumentNode): (selections: SelectionSetNode) => Shape {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const known = new Map<string, Shape>();
  const fragmentShape = (name: string): Shape => {
    const found = known.get(name);
    const fragment = fragments.get(name);
    if (found || !fragment) return found ?? empty;
    known.set(name, empty); // one that spreads itself ends here; validation refuses it
    const inside = shapeOf(fragment.selectionSet);
    const shape = { ...inside, directives: inside.directives + directivesOf(fragment) };
    known.set(name, shape);
    return shape;
  };
  const shapeOf = ({ selections }: SelectionSetNode): Shape => {
    let { depth, metaDepth, aliases, directives, fields } = empty;
    for (const selection of selections) {
      directives += directivesOf(selection);
      if (selection.kind === Kind.FIELD) {
        const inside = selection.selectionSet ? shapeOf(selection.selectionSet) : empty;
        const isMeta = meta.has(selection.name.value);
        depth = Math.max(depth, isMeta ? 1 : 1 + inside.depth);
        metaDepth = Math.max(metaDepth, isMeta ? 1 + inside.depth : inside.metaDepth);
        aliases += inside.aliases + (selection.alias ? 1 : 0);
        directives += inside.directives;
        fields += 1;
      } else {
        const inside =
          selection.kind === Kind.INLINE_FRAGMENT
            ? shapeOf(selection.selectionSet)
            : fragmentShape(selection.name.value);
        depth = Math.max(depth, inside.depth);
        metaDepth = Math.max(metaDepth, inside.metaDepth);
        aliases += inside.aliases;
        directives += inside.directives;
        fields += inside.fields;
      }
    }
    return { depth, metaDepth, aliases, directives, fields };
  };
  return shapeOf;
}

const meta: ReadonlySet<string> = new Set(['__schema', '__type']);
const directivesOf = ({ directives }: { readonly directives?: readonly DirectiveNode[] }) => directives?.length ?? 0;
const sum = (a: number, b: number) => a + b;
