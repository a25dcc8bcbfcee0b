// Operations on menus to begin with, beside those that anybody may run.
import { type Example, tokenOf } from './example.js';

export const menuExamples: readonly Example[] = [
  {
    title: 'One level of a menu, and what lies below one item: a menu of ten thousand items is browsed like this.',
    document: `query OneLevel($item: String!) {
  menu(key: "main") {
    itemCount
    items { key label childCount }
    below: items(parent: $item) { key label depth childCount }
    flat: flatItems(depth: 2) { key parentKey depth }
  }
}`,
    variables: JSON.stringify({ item: 'cards' }, null, 2),
  },
  {
    title: 'Move an item to the front. What would make a cycle, or go too deep, is refused by name.',
    document: `${tokenOf('back-office')}mutation MoveMenuItem {
  moveMenuItem(key: "main", item: "cards", position: 0, options: { reason: "trying it out" }) {
    ... on MoveMenuItemPayload { receipt { version visible } menu { items { key position } } }
    ... on ConflictError { currentVersion }
    ... on UserError { code message path }
  }
}`,
  },
];
