-- What the roles of roles.sql may do, granted by the owner of the tables after each "espelho migrate":
--   psql -v ON_ERROR_STOP=1 -U espelho_migrator -d espelho -f grants.sql
-- It takes back whatever they had before.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, espelho_gateway, espelho_reader;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, espelho_gateway, espelho_reader;

-- Whether the database is up to date.
GRANT USAGE ON SCHEMA drizzle TO espelho_gateway;
GRANT SELECT ON drizzle.__drizzle_migrations TO espelho_gateway;

-- The audit log grows, and nobody changes it.
GRANT SELECT, INSERT ON changes, audit_seals TO espelho_gateway;

GRANT SELECT ON installation TO espelho_gateway;
GRANT SELECT, INSERT ON transactions TO espelho_gateway;
-- Accounts are locked while a day of theirs is written, which takes the right to change them.
GRANT SELECT, INSERT, UPDATE ON accounts, business_days, tokens, token_uses, environments, flags, flag_uses, security_values,
  secret_versions, cache_policies, reveal_allowances, entry, entry_partition TO espelho_gateway;
GRANT SELECT, INSERT, DELETE ON security_list_members TO espelho_gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON menus, menu_items, idempotency_keys, gateway TO espelho_gateway;
GRANT USAGE ON SEQUENCE changes_sequence_seq, entry_version, gateway_turn TO espelho_gateway;

GRANT SELECT ON changes, audit_seals, installation, accounts, business_days, transactions, token_uses, environments, flags,
  flag_uses, security_values, security_list_members, cache_policies, entry, entry_partition, gateway, menus, menu_items
  TO espelho_reader;
GRANT SELECT (id, name, prefix, subject, scopes, created_at, expires_at, revoked_at, replaced_by) ON tokens TO espelho_reader;
GRANT SELECT (name, number, state, created_at, created_by, valid_until) ON secret_versions TO espelho_reader;

-- Reports see every account. Without these lines they see none.
DROP POLICY IF EXISTS accounts_reader ON accounts;
DROP POLICY IF EXISTS business_days_reader ON business_days;
DROP POLICY IF EXISTS transactions_reader ON transactions;
CREATE POLICY accounts_reader ON accounts FOR SELECT TO espelho_reader USING (true);
CREATE POLICY business_days_reader ON business_days FOR SELECT TO espelho_reader USING (true);
CREATE POLICY transactions_reader ON transactions FOR SELECT TO espelho_reader USING (true);
