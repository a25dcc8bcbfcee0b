// The listing of security values: all kinds by name, with what each kind shows of itself, in one statement.
import { sql } from 'drizzle-orm';

import type { Query } from './connection.js';
import { inMs, type SecretState } from './secret.js';
import type { ListKind, SecurityValueKind } from './security-value.js';

export interface SecurityValueFilter {
  readonly prefix: string | undefined;
  readonly kind: SecurityValueKind | undefined;
  /** Whether the rotation of a secret is due at `nowMs`. */
  readonly rotationDue: boolean | undefined;
  /** Unix milliseconds. */
  readonly nowMs: number;
}

/** A security value as a listing shows it. Moments are Unix milliseconds; `version` is in decimal. */
export interface ListedSecurityValue {
  readonly name: string;
  readonly kind: SecurityValueKind;
  readonly parameter: unknown;
  readonly schema: unknown;
  readonly rotateEveryDays: number | null;
  readonly memberCount: number | null;
  readonly listKind: ListKind | null;
  readonly versions: readonly ListedSecretVersion[];
  readonly version: string;
  readonly changedAt: number;
}

export interface ListedSecretVersion {
  readonly number: number;
  readonly state: SecretState;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly validUntil: number | null;
}

/** Security values by name, after the name `after`; at most `limit`. */
export async function findSecurityValues(
  query: Query,
  { prefix, kind, rotationDue, nowMs }: SecurityValueFilter,
  after: string | undefined,
  limit: number,
): Promise<readonly ListedSecurityValue[]> {
  const due = sql`coalesce(rotate_every_days * interval '1 day' <= to_timestamp(${nowMs}::float8 / 1000) - (
    SELECT created_at FROM secret_versions AS current WHERE current.name = mine.name AND state = 'CURRENT'), false)`;
  const rows = await query<{ json: string }>(sql`
    SELECT json_build_object('name', mine.name, 'kind', kind, 'parameter', parameter, 'schema', schema,
      'rotateEveryDays', rotate_every_days, 'memberCount', CASE kind WHEN 'LIST' THEN (
        SELECT count(*) FROM security_list_members AS member WHERE member.name = mine.name) END,
      'listKind', CASE kind WHEN 'LIST' THEN coalesce(list_kind, 'TEXT') END,
      'versions', (
        SELECT coalesce(json_agg(json_build_object('number', number, 'state', state, 'createdAt', ${inMs('created_at')},
          'createdBy', created_by, 'validUntil', ${inMs('valid_until')}) ORDER BY number DESC), '[]')
        FROM secret_versions AS version WHERE version.name = mine.name),
      'version', coalesce(e.version, 0)::text, 'changedAt', coalesce(${inMs('changed_at')}, 0))::text AS json
    FROM security_values AS mine
    LEFT JOIN entry AS e ON e.key = mine.name
      AND e.view = CASE kind WHEN 'PARAMETER' THEN 'parameter' WHEN 'LIST' THEN 'security-list' ELSE 'secret' END
    WHERE (${after ?? null}::text IS NULL OR mine.name > ${after ?? null})
      AND starts_with(mine.name, ${prefix ?? ''})
      AND (${kind ?? null}::text IS NULL OR kind = ${kind ?? null})
      AND (${rotationDue ?? null}::boolean IS NULL OR ${due} = ${rotationDue ?? null})
    ORDER BY mine.name LIMIT ${limit}`);
  return rows.map(({ json }) => JSON.parse(json) as ListedSecurityValue);
}
