// Parameters: JSON documents that satisfy the JSON Schema stored with them, if there is one.
import { type Present, rootOf, type TextView } from '../cache/index.js';
import { loadParameters, type Query, setParameter, type Tx } from '../db/index.js';
import type { Context } from './context.js';
import { NotFound } from './errors.js';
import type { Maybe } from './input.js';
import { requireSatisfied } from './json-schema.js';
import { NOT_OF_THIS_KIND, requireSecurityName, type SecurityValue, standingOrNew } from './security-record.js';
import { type WriteOptions, write } from './write.js';

export interface ParameterDocument {
  readonly parameter: unknown;
  /** Null where any JSON will do. */
  readonly schema: unknown;
}

export const parameterView: TextView<Query, ParameterDocument> = {
  name: 'parameter',
  format: 1,
  shape: 'text',
  mode: 'strict',
  ttlMs: 3_600_000,
  load: loadParameters,
  decode: (json) => JSON.parse(json) as ParameterDocument,
};

/** The parameter; null when there is none of this name. */
export async function readParameter(ctx: Context, name: string): Promise<SecurityValue | null> {
  const found = await ctx.cache.read(parameterView, name);
  return found.kind === 'present' ? recordOf(name, found) : null;
}

/**
 * Makes the parameter what `parameter` says. A schema that is given is stored with it; one that stands goes on to apply.
 * `{}` as a schema accepts everything again.
 */
export async function putParameter(
  ctx: Context,
  args: { readonly name: string; readonly parameter: unknown; readonly schema?: unknown },
  options?: Maybe<WriteOptions>,
) {
  const name = requireSecurityName(args.name);
  const given = args.schema ?? null;
  if (given !== null) requireSatisfied(given, args.parameter);
  const plan = {
    action: 'putParameter',
    domain: 'SECURITY_VALUE' as const,
    key: name,
    roots: [rootOf(parameterView, name)] as const,
    options,
  };
  const { receipt } = await write(ctx, plan, async (tx) => {
    const { before, schema } = await storeParameter(tx, name, args.parameter, given);
    return {
      result: undefined,
      before: before ? { parameter: before.parameter, schema: before.schema } : null,
      after: { parameter: args.parameter, schema },
    };
  });
  const securityValue = await readParameter(ctx, name);
  if (!securityValue) throw new NotFound(`Somebody has deleted the parameter ${name} meanwhile.`, { path: ['name'] });
  return { receipt, securityValue };
}

/**
 * Writes the parameter with the schema that is `given`, and is satisfied, or with the one that stands, which is checked
 * here. Says what stood before, which schema stands now, and whether anything is other than before.
 */
export async function storeParameter(tx: Tx, name: string, parameter: unknown, given: unknown) {
  const before = await standingOrNew(tx, { name, kind: 'PARAMETER', parameter, schema: given });
  if (!before) return { before, schema: given, changed: true };
  const schema = given ?? before.schema;
  if (given === null && schema !== null) requireSatisfied(schema, parameter);
  return { before, schema, changed: await setParameter(tx, name, parameter, schema) };
}

function recordOf(name: string, { value, version, asOf, stale }: Present<ParameterDocument>): SecurityValue {
  const { parameter, schema } = value;
  return { ...NOT_OF_THIS_KIND, name, kind: 'PARAMETER', parameter, schema, version, asOf, stale };
}
