// Carries out a query by its plan, to the same answer as graphql-js: the same values, errors in the same order and
// places, and nulls that rise as far. What a resolver is told of its field is made only where it asks.
// Source: GraphQL, October 2021, §6, in the form that graphql 16 gives it.

import { type ExecutionResult, GraphQLError, type GraphQLObjectType, locatedError, responsePathAsArray } from 'graphql';
import { inspect } from 'graphql/jsutils/inspect.js';
import { CollectedErrors } from './execute-errors.js';
import { FieldInfo, fieldPathOf, type Path, pathOf } from './execute-info.js';
import type { FieldPlan, QueryPlan, SelectionPlan, Selections, ValuePlan } from './execute-plan.js';
import { requireType, runtimeTypeOf } from './execute-type.js';
import { type Results, whole, wholeWith } from './execute-whole.js';
import type { KeptTexts } from './kept-text.js';

/** What one run of a query is given. */
export interface Asked {
  readonly context: unknown;
  /** Coerced as the operation declares them. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Where given, the result may have texts in it, and `met` says so. */
  readonly kept?: { readonly texts: KeptTexts; met: boolean };
}

/** The answer to the query of `plan`, of which these variables select `root`. Neither throws nor rejects. */
export function carryOut(
  plan: QueryPlan,
  root: SelectionPlan,
  asked: Asked,
): ExecutionResult | Promise<ExecutionResult> {
  const run = new Run(plan, asked);
  try {
    const data = run.fields(root, undefined, undefined);
    return isPromise(data)
      ? data.then(
          (each) => run.result(each),
          (error) => run.failure(error),
        )
      : run.result(data);
  } catch (error) {
    return run.failure(error);
  }
}

class Run {
  readonly #plan: QueryPlan;
  readonly #asked: Asked;
  readonly #errors = new CollectedErrors();

  constructor(plan: QueryPlan, asked: Asked) {
    this.#plan = plan;
    this.#asked = asked;
  }

  result(data: Results | null): ExecutionResult {
    const { errors } = this.#errors;
    return errors.length === 0 ? { data } : { errors, data };
  }

  failure(error: unknown): ExecutionResult {
    this.#errors.add(error instanceof GraphQLError ? error : locatedError(error, undefined), undefined);
    return this.result(null);
  }

  /** What `selection` gives of `source`, whose place is `path`. */
  fields(selection: SelectionPlan, source: unknown, path: Path | undefined): Results | Promise<Results> {
    const results: Results = selection.bare ? Object.create(null) : {};
    let promised = 0;
    let last = '';
    try {
      for (const field of selection.fields) {
        const value = this.#field(field, source, path);
        if (isPromise(value)) {
          promised += 1;
          last = field.key;
        }
        results[field.key] = value;
      }
    } catch (error) {
      if (promised === 0) throw error;
      // The others may reject as well, and are waited for.
      return whole(results).finally(() => {
        throw error;
      });
    }
    if (promised === 0) return results;
    return promised === 1 ? wholeWith(results, last) : whole(results);
  }

  #field(field: FieldPlan, source: unknown, path: Path | undefined): unknown {
    const { value: plan } = field;
    let place: Path | undefined;
    try {
      const value = field.resolve
        ? field.resolve(source, this.#arguments(field), this.#asked.context, this.#info(field, path))
        : this.#property(field, source, path);
      if (plan.kind === 'leaf' && !isPromise(value)) return this.#leaf(plan, field, value);
      const at = pathOf(path, field);
      place = at;
      const completed = isPromise(value)
        ? value.then((each) => this.#whole(plan, field, at, each))
        : this.#whole(plan, field, at, value);
      if (!isPromise(completed)) return completed;
      return completed.then(undefined, (error) => this.#failed(error, field, at, plan));
    } catch (error) {
      return this.#failed(error, field, place ?? pathOf(path, field), plan);
    }
  }

  /** A property of `source`; a method is called as one. */
  #property(field: FieldPlan, source: unknown, path: Path | undefined): unknown {
    if (!hasProperties(source)) return undefined;
    const property = source[field.name];
    if (typeof property !== 'function') return property;
    return property.call(source, this.#arguments(field), this.#asked.context, this.#info(field, path));
  }

  #arguments(field: FieldPlan): Record<string, unknown> {
    return field.argumentsOf(this.#asked.variables);
  }

  #info(field: FieldPlan, path: Path | undefined): FieldInfo {
    return new FieldInfo(this.#plan, field, path, this.#asked.variables);
  }

  /** The same for a value inside of the field's own. */
  #infoOf(field: FieldPlan, path: Path): FieldInfo {
    return this.#info(field, fieldPathOf(path).prev);
  }

  #leaf(plan: ValuePlan & { readonly kind: 'leaf' }, field: FieldPlan, value: unknown): unknown {
    if (value !== null && value !== undefined) {
      if (typeof value === 'object' && value instanceof Error) throw value;
      return plan.serialize(value);
    }
    if (plan.nullable) return null;
    throw nothing(field);
  }

  /** The field's value, completed; or its text where that is known. */
  #whole(plan: ValuePlan, field: FieldPlan, path: Path, value: unknown): unknown {
    const { kept } = this.#asked;
    const name = kept && field.lasting && isObject(value) ? kept.texts.nameOf(field.lasting, value) : undefined;
    if (!kept || name === undefined) return this.#complete(plan, field, path, value);
    let text = kept.texts.get(name);
    if (!text) {
      const before = this.#errors.errors.length;
      const completed = this.#complete(plan, field, path, value);
      if (!isObject(completed) || isPromise(completed) || this.#errors.errors.length > before) return completed;
      text = kept.texts.keep(name, completed);
    }
    kept.met = true;
    return text;
  }

  #complete(plan: ValuePlan, field: FieldPlan, path: Path, value: unknown): unknown {
    if (plan.kind === 'leaf') return this.#leaf(plan, field, value);
    if (value instanceof Error) throw value;
    if (value === null || value === undefined) {
      if (plan.nullable) return null;
      throw nothing(field);
    }
    if (plan.kind === 'list') return this.#list(plan.item, field, path, value);
    if (plan.kind === 'object') return this.#object(plan, plan.type, field, path, value);
    const named = runtimeTypeOf(plan.type, value, this.#asked.context, this.#infoOf(field, path));
    const completed = (name: unknown) =>
      this.#object(plan, requireType(name, plan.type, field, value, this.#plan.schema), field, path, value);
    return isPromise(named) ? named.then(completed) : completed(named);
  }

  #list(item: ValuePlan, field: FieldPlan, path: Path, list: unknown): unknown {
    if (typeof list !== 'object' || !isIterable(list)) {
      const { parentType, name } = field;
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${parentType.name}.${name}".`);
    }
    const completed: unknown[] = [];
    let promised = false;
    try {
      for (const value of list) {
        const place = { prev: path, key: completed.length, typename: undefined };
        const one = this.#item(item, field, place, value);
        if (isPromise(one)) promised = true;
        completed.push(one);
      }
    } catch (error) {
      // Nobody waits for the others any more; unheard, their failures would end the process.
      if (promised) Promise.all(completed).catch(() => {});
      throw error;
    }
    return promised ? Promise.all(completed) : completed;
  }

  #item(plan: ValuePlan, field: FieldPlan, path: Path, value: unknown): unknown {
    try {
      const completed = isPromise(value)
        ? value.then((each) => this.#complete(plan, field, path, each))
        : this.#complete(plan, field, path, value);
      if (!isPromise(completed)) return completed;
      return completed.then(undefined, (error) => this.#failed(error, field, path, plan));
    } catch (error) {
      return this.#failed(error, field, path, plan);
    }
  }

  #object(
    { below }: { readonly below: Selections },
    type: GraphQLObjectType,
    field: FieldPlan,
    path: Path,
    value: unknown,
  ): unknown {
    const selection = below.of(type);
    if (!type.isTypeOf) return this.fields(selection, value, path);
    const completed = (fits: boolean) => {
      if (fits) return this.fields(selection, value, path);
      const sentence = `Expected value of type "${type.name}" but got: ${inspect(value)}.`;
      throw new GraphQLError(sentence, { nodes: field.nodes });
    };
    const fits = type.isTypeOf(value, this.#asked.context, this.#infoOf(field, path));
    return isPromise(fits) ? fits.then(completed) : completed(fits);
  }

  /** Null where the field may be null; otherwise what is around it fails. */
  #failed(raw: unknown, { nodes }: FieldPlan, path: Path, { nullable }: ValuePlan): null {
    const error = locatedError(raw, nodes, responsePathAsArray(path));
    if (!nullable) throw error;
    this.#errors.add(error, path);
    return null;
  }
}

const nothing = ({ parentType, name }: FieldPlan) =>
  new Error(`Cannot return null for non-nullable field ${parentType.name}.${name}.`);

const isPromise = (value: unknown): value is Promise<unknown> =>
  hasProperties(value) && typeof value.then === 'function';

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const hasProperties = (value: unknown): value is Record<string, unknown> =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

const isIterable = (value: object | null): value is Iterable<unknown> =>
  value !== null && Symbol.iterator in value && typeof value[Symbol.iterator] === 'function';
