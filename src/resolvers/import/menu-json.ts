// Reads a menu from nested JSON as sites write it: items in lists or under names, labels and addresses under the usual
// words. Every item is either placed under its parent, or refused with everything below it and the place where it stands.
import type { NewMenuItem } from '../../db/index.js';
import { Invalid } from '../errors.js';
import { MAX_MENU_DEPTH, menuItemRow, requireLabel } from '../menu-item.js';
import { type DraftItem, descendantsOf, draftsOf, type Fault, partOf, titleOf } from './menu-draft.js';
import { derivedKey, KeysTaken } from './menu-key.js';
import { type FindLabel, isLabelKey, type Label, labelAmong, literally } from './menu-labels.js';

export interface JsonMenu {
  /** Undefined where the file has none. */
  readonly title: string | undefined;
  /** Parents before their children, siblings by position. */
  readonly items: readonly NewMenuItem[];
  readonly refused: readonly Fault[];
  /** What is to be known of items that were taken. */
  readonly notes: readonly Fault[];
}

export interface MenuJsonOptions {
  /** Names, between dots, that lead to the part of the file to read. */
  readonly part?: string | undefined;
  readonly labels?: FindLabel | undefined;
  /** Of labels that stand in the file by locale; `en` unless given. */
  readonly locale?: string | undefined;
}

/** The menu that a JSON document holds. */
export function menuFromJson(
  json: unknown,
  { part, labels = literally, locale = 'en' }: MenuJsonOptions = {},
): JsonMenu {
  const root = partOf(json, part);
  if (root.kind === 'fault') return { title: undefined, items: [], refused: [root.fault], notes: [] };
  const { drafts, refused, notes } = draftsOf(root.value, root.place);
  const reader = new ItemReader({ labels, locale }, drafts, refused, notes);
  reader.read(drafts, null, 1);
  return { title: reader.titleFrom(titleOf(root.value)), items: reader.items, refused, notes };
}

class ItemReader {
  readonly items: NewMenuItem[] = [];
  readonly #labels: FindLabel;
  readonly #locale: string;
  readonly #taken: KeysTaken;
  readonly #refused: Fault[];
  readonly #notes: Fault[];
  #warnedOfKeys = false;

  constructor(
    { labels, locale }: { labels: FindLabel; locale: string },
    drafts: readonly DraftItem[],
    refused: Fault[],
    notes: Fault[],
  ) {
    this.#labels = labels;
    this.#locale = locale;
    this.#taken = new KeysTaken(drafts);
    this.#refused = refused;
    this.#notes = notes;
  }

  read(
    drafts: readonly DraftItem[],
    parent: { readonly key: string; readonly named: boolean } | null,
    depth: number,
  ): void {
    let position = 0;
    for (const draft of drafts) {
      try {
        if (depth > MAX_MENU_DEPTH) {
          throw new Invalid(`Item ${JSON.stringify(draft.text)} lies deeper than ${MAX_MENU_DEPTH} levels.`);
        }
        const label = this.#labelOf(draft);
        const key = this.#taken.take(draft.key, derivedKey(draft, parent));
        const { url, visibleFrom, visibleUntil, requiredScope } = draft;
        const item = { key, label, url, visibleFrom, visibleUntil, requiredScope };
        this.items.push(menuItemRow(item, parent?.key ?? null, position, []));
        position += 1;
        this.read(draft.children, { key, named: draft.name !== undefined && draft.key === undefined }, depth + 1);
      } catch (error) {
        if (!(error instanceof Invalid)) throw error;
        this.#refused.push({ place: draft.place, reason: error.message, records: 1 + descendantsOf(draft) });
      }
    }
  }

  /** The title in this locale; one that is no title is told and left out. */
  titleFrom(title: Pick<DraftItem, 'text' | 'texts'> | undefined): string | undefined {
    if (title === undefined) return undefined;
    const label = this.#find(title);
    try {
      return requireLabel((label.kind === 'missing' ? title.text : label.text).trim(), []);
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      this.#notes.push({ place: '', reason: `The title is left out: ${error.message}`, records: 0 });
      return undefined;
    }
  }

  #find({ text, texts }: Pick<DraftItem, 'text' | 'texts'>): Label {
    return texts ? labelAmong(texts, this.#locale) : this.#labels(text);
  }

  #labelOf(draft: DraftItem): string {
    const { text, place } = draft;
    const label = this.#find(draft);
    if (label.kind === 'missing') {
      throw new Invalid(`Neither this locale nor one that it falls back to has a text for ${JSON.stringify(text)}.`);
    }
    if (label.kind === 'found' && label.isFallback) {
      const reason = `${JSON.stringify(text)} has no text in this locale; that of ${label.locale} stands in.`;
      this.#notes.push({ place, reason, records: 0 });
    }
    if (label.kind === 'literal' && this.#labels === literally && isLabelKey(text) && !this.#warnedOfKeys) {
      this.#warnedOfKeys = true;
      const reason = `${JSON.stringify(text)} looks like the key of a label; name the files that have them by --labels.`;
      this.#notes.push({ place, reason, records: 0 });
    }
    return label.text.trim();
  }
}
