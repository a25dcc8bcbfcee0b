// Which root fields an operation names, and how often.

import { type DocumentNode, Kind, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';

const known = new WeakMap<OperationDefinitionNode, ReadonlyMap<string, number>>();

/** How often `operation` names each root field. Its size must have been looked at: it holds each one that a spread holds. */
export function rootFieldsOf(tree: DocumentNode, operation: OperationDefinitionNode): ReadonlyMap<string, number> {
  const before = known.get(operation);
  if (before) return before;
  const fields = new Map<string, number>();
  const count = ({ selections }: SelectionSetNode) => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        fields.set(selection.name.value, (fields.get(selection.name.value) ?? 0) + 1);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        count(selection.selectionSet);
      } else {
        const name = selection.name.value;
        for (const definition of tree.definitions) {
          if (definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === name)
            count(definition.selectionSet);
        }
      }
    }
  };
  count(operation.selectionSet);
  known.set(operation, fields);
  return fields;
}
