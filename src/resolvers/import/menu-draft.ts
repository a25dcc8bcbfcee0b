// What in a JSON document is an item of a menu, and what only holds items: told by the words that sites use for labels,
// addresses and children. Nothing is checked here that a menu demands.

/** An item as it stands in the file. */
export interface DraftItem {
  /** The way to it, as a JSON pointer. */
  readonly place: string;
  /** The property that it stands under, where that is a name. */
  readonly name: string | undefined;
  readonly key: string | undefined;
  /** Its label, or the key of its label; of labels by locale the English one, or the first. */
  readonly text: string;
  /** Its labels by locale, where the file has them in place. */
  readonly texts: ReadonlyMap<string, string> | undefined;
  readonly url: string | null;
  readonly visibleFrom: Date | null;
  readonly visibleUntil: Date | null;
  readonly requiredScope: string | null;
  readonly children: readonly DraftItem[];
}

/** Something at a place of the document, and how many items it costs. */
export interface Fault {
  readonly place: string;
  readonly reason: string;
  readonly records: number;
}

export interface Drafts {
  readonly drafts: readonly DraftItem[];
  readonly refused: Fault[];
  readonly notes: Fault[];
}

type JsonObject = Readonly<Record<string, unknown>>;

const LABELS = ['label', 'title', 'text', 'name', 'sectionHeader', 'header', 'caption', 'alt'];
const URLS = ['url', 'path', 'link', 'href', 'to'];
const KEYS = ['key', 'id', 'identifier'];
const CHILDREN = ['children', 'items', 'routes', 'pages', 'links', 'submenu', 'entries'];
const PARENTS = ['parent', 'parentKey', 'parentId', 'parent_id', 'menu_item_parent'];
/** Deeper than any menu, and than this the file is not looked into. */
const MAX_LEVELS = 64;

/** The items at the top of a menu, with all below them. */
export function draftsOf(root: unknown, place: string): Drafts {
  const reader = new DraftReader();
  const held = isObject(root) ? heldBy(root, place) : { value: root, place };
  return { drafts: reader.itemsIn(held.value, held.place, 1), refused: reader.refused, notes: reader.notes };
}

/** The part of a document that names between dots lead to. */
export function partOf(
  json: unknown,
  part: string | undefined,
):
  | { readonly kind: 'part'; readonly value: unknown; readonly place: string }
  | { readonly kind: 'fault'; readonly fault: Fault } {
  let value = json;
  let place = '';
  for (const step of part?.split('.') ?? []) {
    place = `${place}/${escaped(step)}`;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) {
      return { kind: 'fault', fault: { place, reason: 'The file has no such part.', records: 0 } };
    }
    value = new Map<string, unknown>(Object.entries(value)).get(step);
  }
  return { kind: 'part', value, place };
}

/** What stands above a menu. */
export const titleOf = (root: unknown): Pick<DraftItem, 'text' | 'texts'> | undefined =>
  isObject(root) && childrenName(root) !== undefined ? labelIn(root) : undefined;

/** How many items lie below one. */
export const descendantsOf = ({ children }: DraftItem): number =>
  children.reduce((sum, child) => sum + 1 + descendantsOf(child), 0);

class DraftReader {
  readonly refused: Fault[] = [];
  readonly notes: Fault[] = [];

  /** The items that a list holds, or an object by names. */
  itemsIn(value: unknown, place: string, level: number): DraftItem[] {
    if (level > MAX_LEVELS) {
      this.#refuse(place, `The file is nested deeper than ${MAX_LEVELS} levels; nothing below here is read.`);
      return [];
    }
    if (Array.isArray(value)) {
      return value.flatMap((each: unknown, at) => this.#item(each, undefined, `${place}/${at}`, level) ?? []);
    }
    if (!isObject(value)) {
      this.#refuse(place, 'Here a list of items should stand, or an object of them.');
      return [];
    }
    const names = Object.keys(value).filter((name) => !name.startsWith('$')); // such as $schema
    if (names.length > 1 && names.some((name) => /^(0|[1-9]\d*)$/.test(name))) {
      this.#refuse(place, 'Items under whole numbers lose their order in JSON; put them into a list.', names.length);
      return [];
    }
    return names.flatMap((name) => this.#item(value[name], name, `${place}/${escaped(name)}`, level) ?? []);
  }

  #item(value: unknown, name: string | undefined, place: string, level: number): DraftItem | undefined {
    if (typeof value === 'string' && name !== undefined) {
      const leads = /^([a-z]+:|[/#?])/i.test(value);
      return { ...blank, place, name, text: leads ? name : value, url: leads ? value : null };
    }
    if (Array.isArray(value) && name !== undefined) {
      return { ...blank, place, name, text: name, children: this.itemsIn(value, place, level + 1) };
    }
    if (!isObject(value)) return this.#refuse(place, 'An item is an object with a label, or stands under its name.');
    const label = labelIn(value);
    const url = textIn(value, URLS);
    if (label === undefined && url === undefined && name !== undefined) {
      const held = heldBy(value, place);
      return { ...blank, place, name, text: name, children: this.itemsIn(held.value, held.place, level + 1) };
    }
    if (label === undefined && name === undefined) {
      return this.#refuse(place, `The item has no label; give it one as ${LABELS.slice(0, 3).join(', ')} or the like.`);
    }
    const from = momentIn(value, 'visibleFrom');
    const until = momentIn(value, 'visibleUntil');
    if (from === 'fault' || until === 'fault') {
      return this.#refuse(place, 'visibleFrom and visibleUntil are moments such as 2030-01-31T00:00:00Z.');
    }
    const listed = childrenName(value);
    this.#noteUnread(value, listed, place);
    return {
      place,
      name,
      key: textIn(value, KEYS),
      text: label?.text ?? name ?? '',
      texts: label?.texts,
      url: url ?? null,
      visibleFrom: from,
      visibleUntil: until,
      requiredScope: textIn(value, ['requiredScope']) ?? null,
      children: listed === undefined ? [] : this.itemsIn(value[listed], `${place}/${listed}`, level + 1),
    };
  }

  #noteUnread(value: JsonObject, listed: string | undefined, place: string): void {
    const parent = textIn(value, PARENTS);
    if (parent !== undefined) {
      const reason = `It names ${JSON.stringify(parent)} as its parent, which is not read; put it among the children of that.`;
      this.notes.push({ place, reason, records: 0 });
    }
    for (const [name, held] of Object.entries(value)) {
      if (name === listed || !Array.isArray(held) || !held.some(isObject)) continue;
      const reason = `The objects under ${JSON.stringify(name)} are not read; items stand under ${CHILDREN.join(', ')}.`;
      this.notes.push({ place, reason, records: 0 });
    }
  }

  #refuse(place: string, reason: string, records = 1): undefined {
    this.refused.push({ place, reason, records });
  }
}

const blank = {
  key: undefined,
  texts: undefined,
  url: null,
  visibleFrom: null,
  visibleUntil: null,
  requiredScope: null,
  children: [],
};

/** What an object holds: the list under one of the usual names, or else itself, which then names its items. */
function heldBy(value: JsonObject, place: string): { readonly value: unknown; readonly place: string } {
  const listed = childrenName(value);
  const alone = Object.entries(value).every(([name, each]) => name === listed || typeof each !== 'object');
  const holds = listed !== undefined && (alone || labelIn(value) !== undefined);
  return holds ? { value: value[listed], place: `${place}/${listed}` } : { value, place };
}

const childrenName = (value: JsonObject): string | undefined =>
  CHILDREN.find((name) => Object.hasOwn(value, name) && typeof value[name] === 'object' && value[name] !== null);

/** A label: a text, or texts under language tags. */
function labelIn(value: JsonObject): Pick<DraftItem, 'text' | 'texts'> | undefined {
  const text = textIn(value, LABELS);
  if (text !== undefined) return { text, texts: undefined };
  for (const name of LABELS) {
    const texts = textsByLocale(Object.hasOwn(value, name) ? value[name] : undefined);
    const [first] = texts?.values() ?? [];
    if (texts && first !== undefined) return { text: texts.get('en') ?? first, texts };
  }
  return undefined;
}

function textsByLocale(value: unknown): ReadonlyMap<string, string> | undefined {
  if (!isObject(value)) return undefined;
  const texts = new Map<string, string>();
  for (const [tag, text] of Object.entries(value)) {
    if (typeof text !== 'string' || !LANGUAGE_TAG.test(tag)) return undefined;
    texts.set(Intl.getCanonicalLocales(tag.replaceAll('_', '-'))[0] ?? tag, text);
  }
  return texts;
}

const LANGUAGE_TAG = /^[a-z]{2,3}([-_][a-z]{4})?([-_]([a-z]{2}|\d{3}))?$/i;

/** The first text under one of `names` that is not blank. A number is one, as ids may be. */
function textIn(value: JsonObject, names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = Object.hasOwn(value, name) ? value[name] : undefined;
    if (typeof text === 'string' && text.trim() !== '') return text;
    if (typeof text === 'number' && names === KEYS) return String(text);
  }
  return undefined;
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i;

function momentIn(value: JsonObject, name: string): Date | null | 'fault' {
  const text = Object.hasOwn(value, name) ? value[name] : null;
  if (text === null) return null;
  if (typeof text !== 'string' || !RFC_3339.test(text)) return 'fault';
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? 'fault' : moment;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 6901. */
const escaped = (step: string): string => step.replaceAll('~', '~0').replaceAll('/', '~1');
