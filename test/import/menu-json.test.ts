// How nested JSON becomes a menu: what is an item, which key it gets, and what is refused.
import { describe, expect, it } from 'vitest';
import { menuFromJson } from '../../src/resolvers/import/menu-json.js';
import { labelsOf } from '../../src/resolvers/import/menu-labels.js';

/** Items as `parent/key@position label <url>`. */
const printed = (json: unknown, options = {}) =>
  menuFromJson(json, options).items.map(
    ({ parentKey, key, position, label, url }) =>
      `${parentKey ?? ''}/${key}@${position} ${label}${url === null ? '' : ` <${url}>`}`,
  );
const reasons = (json: unknown, options = {}) =>
  menuFromJson(json, options).refused.map(({ place, reason, records }) => `${records} ${place} ${reason}`);

describe('items', () => {
  it.each([
    ['a list', [{ label: 'A' }, { label: 'B' }]],
    ['a list in an object', { items: [{ label: 'A' }, { label: 'B' }] }],
    ['a list in an object with a title', { title: 'T', routes: [{ title: 'A' }, { title: 'B' }] }],
    [
      'a list beside facts about it',
      { version: 3, $schema: 'https://x.test/s', pages: [{ name: 'A' }, { name: 'B' }] },
    ],
  ])('stand in %s', (_, json) => {
    expect(printed(json)).toEqual(['/a@0 A', '/b@1 B']);
  });

  it('stand under names, which are then their keys and those of what lies below', () => {
    const json = {
      header: { home: { label: 'Home', link: '/' }, more: { label: 'More', items: { faq: '/faq' } } },
      footer: [],
    };
    expect(printed(json)).toEqual([
      '/header@0 header',
      'header/header.home@0 Home </>',
      'header/header.more@1 More',
      'header.more/header.more.faq@0 faq </faq>',
      '/footer@1 footer',
    ]);
  });

  it.each([
    'children',
    'items',
    'routes',
    'pages',
    'links',
    'submenu',
    'entries',
  ])('have what is below them in %s', (name) => {
    expect(printed([{ title: 'A', [name]: [{ title: 'B', href: '/b' }] }])).toEqual(['/a@0 A', 'a/b@0 B </b>']);
  });

  it('are what a menu definition says of them, so that one can be read back', () => {
    const json = {
      title: 'T',
      items: [
        {
          key: 'k',
          label: 'L',
          url: null,
          visibleFrom: '2030-01-01T00:00:00.000Z',
          visibleUntil: '2030-01-02T00:00:00+01:00',
          requiredScope: 'menus:read',
          children: [],
        },
      ],
    };
    const { title, items } = menuFromJson(json);
    expect(title).toBe('T');
    expect(items).toEqual([
      {
        key: 'k',
        parentKey: null,
        position: 0,
        label: 'L',
        url: null,
        visibleFrom: new Date('2030-01-01T00:00:00Z'),
        visibleUntil: new Date('2030-01-01T23:00:00Z'),
        requiredScope: 'menus:read',
      },
    ]);
  });

  it('may be headings without an address, and have labels of any sign', () => {
    expect(
      printed([{ hasSectionHeader: true, sectionHeader: 'react@{{version}}' }, { title: '<Fragment> (<>)' }]),
    ).toEqual(['/react-version@0 react@{{version}}', '/fragment@1 <Fragment> (<>)']);
  });
});

describe('a key', () => {
  it.each([
    ['that the item has', { key: 'my.key', title: 'A', path: '/a' }, 'my.key'],
    ['from an id, a number too', { id: 7, title: 'A', path: '/a' }, '7'],
    ['from the address', { title: 'A', path: '/learn/first-steps' }, 'learn/first-steps'],
    ['from an address elsewhere', { title: 'A', href: 'https://example.com/a?b=c#d' }, 'example.com/a-b-c-d'],
    ['from the label where the address has nothing', { title: 'Começo', path: '/' }, 'começo'],
    ['from the last word of a label that is a key', { text: 'nav.links.aboutUs' }, 'aboutUs'],
    ['from nothing at all', { title: '???' }, 'item'],
  ])('is made %s', (_, item, key) => {
    expect(menuFromJson([item]).items[0]?.key).toBe(key);
  });

  it('is numbered where it was made up and another item has it, and never where the file gives it', () => {
    expect(
      printed([
        { title: 'A', path: '/x' },
        { title: 'B', path: '/x' },
        { title: 'C', key: 'x' },
      ]),
    ).toEqual(['/x-2@0 A </x>', '/x-3@1 B </x>', '/x@2 C']);
    expect(
      reasons([
        { title: 'A', key: 'x' },
        { title: 'B', key: 'x', items: [{ title: 'C' }] },
      ]),
    ).toEqual([expect.stringMatching(/^2 \/1 Item "x" is there twice/)]);
  });

  it('is the same whatever the language of the labels', () => {
    const json = {
      nav: { about: { label: 'nav.about' } },
      foot: [{ text: 'foot.terms', link: '/t' }, { text: 'foot.more' }],
    };
    const labels = labelsOf(
      new Map([
        ['pt', { nav: { about: 'Sobre' }, foot: { terms: 'Termos', more: 'Mais' } }],
        ['en', { 'nav.about': 'About', foot: { terms: 'Terms', more: 'More' } }],
      ]),
      'pt',
    );
    const keys = (options: object) => menuFromJson(json, options).items.map(({ key }) => key);
    expect(keys({ labels })).toEqual(keys({}));
    expect(printed(json, { labels })).toContain('nav/nav.about@0 Sobre');
  });
});

describe('labels by locale', () => {
  const files = new Map<string, unknown>([
    ['es', { nav: { about: 'Acerca de' } }],
    ['en', { nav: { about: 'About', docs: 'Docs' } }],
  ]);
  const json = { items: [{ label: 'nav.about' }, { label: 'nav.docs' }, { label: 'GitHub' }, { label: 'nav.gone' }] };

  it('are taken from the locale, else from those it falls back to with a note, and never made up', () => {
    const options = { labels: labelsOf(files, 'es') };
    expect(printed(json, options)).toEqual(['/about@0 Acerca de', '/docs@1 Docs', '/github@2 GitHub']);
    expect(menuFromJson(json, options).notes).toEqual([
      { place: '/items/1', reason: '"nav.docs" has no text in this locale; that of en stands in.', records: 0 },
    ]);
    expect(reasons(json, options)).toEqual([expect.stringMatching(/^1 \/items\/3 Neither this locale .* "nav.gone"/)]);
  });

  it('may stand in the file itself, each under its language tag', () => {
    const inPlace = {
      title: { en: 'Shop', pt_br: 'Loja' },
      items: [
        { label: { en: 'Home', 'pt-BR': 'Início' }, url: '/' },
        { label: { pt: 'Ajuda' }, children: [{ title: { en: 'Contact' } }] },
        { label: { de: 'Hilfe' } },
      ],
    };
    expect(printed(inPlace, { locale: 'pt-BR' })).toEqual([
      '/home@0 Início </>',
      '/ajuda@1 Ajuda',
      'ajuda/contact@0 Contact',
    ]);
    const { title, notes, refused } = menuFromJson(inPlace, { locale: 'pt-BR' });
    expect([title, notes.map(({ place }) => place), refused.map(({ place }) => place)]).toEqual([
      'Loja',
      ['/items/1', '/items/1/children/0'],
      ['/items/2'],
    ]);
    expect(printed(inPlace, { locale: 'en' })).toEqual(['/home@0 Home </>']);
  });

  it('are missed, once, where there is no file of them', () => {
    expect(menuFromJson(json).notes).toEqual([
      { place: '/items/0', reason: expect.stringContaining('--labels'), records: 0 },
    ]);
  });

  it('do not come from what objects inherit', () => {
    const labels = labelsOf(new Map([['en', {}]]), 'en');
    expect(printed([{ label: 'constructor' }, { label: '__proto__' }], { labels })).toEqual([
      '/constructor@0 constructor',
      '/proto@1 __proto__',
    ]);
    expect(reasons([{ label: 'constructor.name' }], { labels })).toHaveLength(1);
  });
});

describe('a part of a file', () => {
  const json = { top: { a: { label: 'A' } }, side: { about: { label: 'About', items: [{ label: 'B' }] } } };
  it('is a menu of its own', () => {
    expect(printed(json, { part: 'top' })).toEqual(['/a@0 A']);
    const { title, items } = menuFromJson(json, { part: 'side.about' });
    expect([title, items.map(({ key }) => key)]).toEqual(['About', ['b']]);
  });
  it('that is not there has no items', () => {
    for (const part of ['bottom', 'top.a.label.x', 'constructor', '']) {
      expect(menuFromJson(json, { part })).toMatchObject({ items: [], refused: [expect.anything()] });
    }
  });
});

describe('refuses, with the place and all that lies below,', () => {
  const nested = (levels: number): object => ({ label: `L${levels}`, items: levels > 1 ? [nested(levels - 1)] : [] });
  it.each([
    ['an unsafe address', [{ label: 'A', url: 'javascript:alert(1)', items: [{ label: 'B' }] }], '2 /0', 'unsafe URL'],
    ['an address that inherits the scheme', { x: { label: 'A', link: '//evil.test' } }, '1 /x', 'unsafe URL'],
    ['an address under a name', { x: 'data:text/html,x' }, '1 /x', 'unsafe URL'],
    ['a level below the twelfth', [nested(15)], '3 /0', 'deeper than 12'],
    ['a key that is none', [{ label: 'A', key: 'a b' }], '1 /0', 'is no key'],
    ['a label with a line break', [{ label: 'A\nB' }], '1 /0', 'label of item'],
    ['a label too long', [{ label: 'x'.repeat(501) }], '1 /0', 'label of item'],
    ['an item without a label', [{ url: '/a', items: [{ label: 'B' }] }], '1 /0', 'no label'],
    ['text in a list', ['A'], '1 /0', 'object with a label'],
    ['null, numbers and lists in a list', [null, 7, [{ label: 'A' }]], '1 /0', 'object with a label'],
    ['a number under a name', { a: 7, b: { label: 'B' } }, '1 /a', 'object with a label'],
    ['names that lose their order', { 10: { label: 'A' }, 9: { label: 'B' } }, '2 ', 'whole numbers'],
    ['a moment that is none', [{ label: 'A', visibleFrom: 'soon' }], '1 /0', 'moments such as'],
    [
      'a window that ends before it begins',
      [{ label: 'A', visibleFrom: '2030-01-02T00:00:00Z', visibleUntil: '2030-01-01T00:00:00Z' }],
      '1 /0',
      'end before it begins',
    ],
    ['a scope that does not exist', [{ label: 'A', requiredScope: 'root' }], '1 /0', 'no scope'],
    ['a document that is no menu', 'menu', '1 ', 'list of items'],
  ])('%s', (_, json, beginning, reason) => {
    const [first] = reasons(json);
    expect(first).toContain(reason);
    expect(first?.startsWith(beginning)).toBe(true);
  });

  it('a file nested without end, without falling over it', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`);
    expect(menuFromJson(deep).items.length).toBe(12);
    expect(reasons(deep).join()).toContain('nested deeper');
  });

  it('an item and goes on with the next, positions without gaps', () => {
    expect(printed([{ label: 'A' }, { label: 'B', url: 'javascript:x' }, { label: 'C' }])).toEqual([
      '/a@0 A',
      '/c@1 C',
    ]);
  });
});

it('says which items name a parent, because only nesting makes one', () => {
  const { notes } = menuFromJson([
    { id: 'a', title: 'A', parent: 0 },
    { id: 'b', title: 'B', parent: 'a' },
  ]);
  expect(notes).toEqual([{ place: '/1', reason: expect.stringContaining('"a" as its parent'), records: 0 }]);
});

it('says which lists of objects it did not read', () => {
  const { items, notes } = menuFromJson([{ label: 'A', columns: [{ label: 'B' }], tags: ['x'] }]);
  expect(items).toHaveLength(1);
  expect(notes).toEqual([{ place: '/0', reason: expect.stringContaining('"columns"'), records: 0 }]);
});
