// What of a menu a caller sees, and that what is kept of it keeps nothing of who asked first.
import { expect, it, vi } from 'vitest';
import { menuDocument } from '../../src/resolvers/menu-tree.js';

const menu = (key: string) =>
  menuDocument(
    JSON.stringify({
      key,
      locale: 'en',
      title: 'Main',
      items: [
        ['public', null, 'Public', null, null, null, null],
        ['staff', 'public', 'Staff', null, null, null, 'menu:staff'],
        ['below', 'staff', 'Below', null, null, null, 'menu:staff'],
      ],
    }),
  );

it('gives the same view to all who may see the same, and does not ask the first of them later', () => {
  const { visible } = menu('kept');
  const first = vi.fn((scope: string) => scope === 'menu:staff');
  const view = visible(first, 0);
  first.mockReturnValue(false);
  const asked = first.mock.calls.length;
  expect(visible(() => true, 0)).toBe(view);
  const [shown] = view;
  expect(shown?.children.map(({ key }) => key)).toEqual(['staff']);
  expect(shown?.children[0]?.children.map(({ key }) => key)).toEqual(['below']);
  expect(first).toHaveBeenCalledTimes(asked);
});

it('gives another view to who may see less', () => {
  const { visible } = menu('less');
  const all = visible(() => true, 0);
  const less = visible(() => false, 0);
  expect(less).not.toBe(all);
  expect(less[0]?.children).toEqual([]);
});
