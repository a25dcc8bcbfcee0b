-- The change log. Statement-level triggers turn every change of a cached table, whoever makes it, into new versions of
-- the entries that show it: rows of `entry`, written in the changing transaction itself.
CREATE SEQUENCE entry_version CACHE 1;
--> statement-breakpoint
INSERT INTO installation (id, partitions) VALUES (substr(md5(random()::text || clock_timestamp()::text), 1, 8), 16);
--> statement-breakpoint
-- The hash-tag partition of an entry. The gateway computes the same: two bytes of SHA-256, modulo the partition count.
CREATE FUNCTION entry_partition_of(view text, key text) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT (get_byte(hash, 0) * 256 + get_byte(hash, 1)) % installation.partitions
  FROM installation, sha256(convert_to(view || ':' || key, 'UTF8')) AS hash
$$;
--> statement-breakpoint
-- Locks the root rows of `keys` in key order until the transaction ends; rows that do not exist yet are made, deleted
-- and without a version. Writers of one entry thereby follow each other.
CREATE FUNCTION entry_lock(in_view text, keys text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO entry (view, key, partition, version, xid, changed_at, deleted)
    SELECT in_view, k, entry_partition_of(in_view, k), 0, pg_current_xact_id(), clock_timestamp(), true
    FROM (SELECT DISTINCT k FROM unnest(keys) AS k WHERE NOT EXISTS (SELECT FROM entry WHERE view = in_view AND key = k)
          ORDER BY k) AS missing
    ON CONFLICT DO NOTHING;
  PERFORM FROM entry WHERE view = in_view AND key = ANY (keys) ORDER BY key FOR UPDATE;
END
$$;
--> statement-breakpoint
-- Gives locked root rows a new version each. It is drawn here, under the lock: a value drawn before the lock could go
-- backwards against a writer that came in between.
CREATE FUNCTION entry_bump(in_view text, keys text[]) RETURNS void
LANGUAGE sql AS $$
  UPDATE entry
  SET version = nextval('entry_version'), xid = pg_current_xact_id(), changed_at = clock_timestamp(), deleted = false
  WHERE view = in_view AND key = ANY (keys)
$$;
--> statement-breakpoint
-- Trigger of a cached table. Arguments: the view; a query over `changed` (the old and new rows) that names the keys of
-- the entries that show them; whether each row is one entry, so that the entry is deleted with it.
-- Keys may come from joined tables that move while the locks are waited for, so they are resolved again in a fresh
-- statement until nothing is new. TRUNCATE names no rows: every entry of the view gets a new version.
CREATE FUNCTION entry_capture() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  in_view CONSTANT text := TG_ARGV[0];
  resolve CONSTANT text := 'SELECT array_agg(DISTINCT key) FROM (%s) AS resolved (key) WHERE key IS NOT NULL';
  old_keys CONSTANT text := 'WITH changed AS (SELECT * FROM old_rows) ' || TG_ARGV[1];
  new_keys CONSTANT text := 'WITH changed AS (SELECT * FROM new_rows) ' || TG_ARGV[1];
  all_keys CONSTANT text := CASE TG_OP
    WHEN 'INSERT' THEN new_keys
    WHEN 'DELETE' THEN old_keys
    ELSE 'WITH changed AS (SELECT * FROM old_rows UNION ALL SELECT * FROM new_rows) ' || TG_ARGV[1]
  END;
  found text[];
  fresh text[];
  locked text[] := '{}';
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    SELECT array_agg(key) INTO locked FROM entry WHERE view = in_view AND NOT deleted;
    PERFORM entry_lock(in_view, locked);
    PERFORM entry_bump(in_view, locked);
    UPDATE entry SET deleted = true WHERE TG_ARGV[2]::boolean AND view = in_view AND key = ANY (locked);
    RETURN NULL;
  END IF;
  LOOP
    EXECUTE format(resolve, all_keys) INTO found;
    SELECT array_agg(key) INTO fresh FROM (SELECT unnest(found) EXCEPT SELECT unnest(locked)) AS difference (key);
    EXIT WHEN fresh IS NULL;
    PERFORM entry_lock(in_view, fresh);
    locked := locked || fresh;
  END LOOP;
  PERFORM entry_bump(in_view, locked);
  IF TG_ARGV[2]::boolean AND TG_OP <> 'INSERT' THEN
    EXECUTE format(resolve, old_keys) INTO found;
    IF TG_OP = 'UPDATE' THEN
      EXECUTE format(resolve, new_keys) INTO fresh;
      SELECT array_agg(key) INTO found FROM (SELECT unnest(found) EXCEPT SELECT unnest(fresh)) AS difference (key);
    END IF;
    UPDATE entry SET deleted = true WHERE view = in_view AND key = ANY (found);
  END IF;
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- Makes `source` a cached table: each change of it gives a new version to the entries of `view` that `keys` names. So do
-- the rows that it has already: TRUNCATE finds the entries of a view nowhere else.
CREATE FUNCTION capture(source regclass, view text, keys text, owns boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  event record;
  existing text[];
BEGIN
  FOR event IN
    SELECT * FROM (VALUES
      ('INSERT', 'REFERENCING NEW TABLE AS new_rows'),
      ('UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'),
      ('DELETE', 'REFERENCING OLD TABLE AS old_rows'),
      ('TRUNCATE', '')) AS events (name, transition)
  LOOP
    EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION entry_capture(%L, %L, %L)',
      lower('capture_' || view || '_' || event.name), event.name, source, event.transition, view, keys, owns);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', source, lower('capture_' || view || '_' || event.name));
  END LOOP;
  EXECUTE format('WITH changed AS (SELECT * FROM %s) SELECT array_agg(DISTINCT key) FROM (%s) AS resolved (key)
    WHERE key IS NOT NULL', source, keys) INTO existing;
  -- Nobody can have cached them yet, so they count as changed long ago: by the first ordinary transaction id.
  INSERT INTO entry (view, key, partition, version, xid, changed_at, deleted)
    SELECT capture.view, k, entry_partition_of(capture.view, k), nextval('entry_version'), '3', clock_timestamp(), false
    FROM unnest(existing) AS k ON CONFLICT DO NOTHING;
END
$$;
--> statement-breakpoint
SELECT capture('menus', 'menu', $$SELECT key || ':' || locale FROM changed$$, true);
--> statement-breakpoint
SELECT capture('menu_items', 'menu',
  $$SELECT menus.key || ':' || menus.locale FROM changed JOIN menus ON menus.id = changed.menu_id$$, false);
--> statement-breakpoint
SELECT capture('accounts', 'account', $$SELECT number FROM changed$$, true);
--> statement-breakpoint
SELECT capture('accounts', 'statement',
  $$SELECT number || '/' || to_char(date, 'YYYY-MM-DD') FROM changed JOIN business_days ON account_id = changed.id$$, false);
--> statement-breakpoint
SELECT capture('accounts', 'statement-lines',
  $$SELECT number || '/' || to_char(date, 'YYYY-MM-DD') || ':' || revision FROM changed JOIN business_days ON account_id = changed.id$$, false);
--> statement-breakpoint
-- An open day is no latest day: only what was or becomes closed shows in the account.
SELECT capture('business_days', 'account',
  $$SELECT number FROM changed JOIN accounts ON accounts.id = account_id WHERE status <> 'OPEN'$$, false);
--> statement-breakpoint
-- A new day shows its account's currency: while that is being changed, one of the two waits for the other.
SELECT capture('business_days', 'statement',
  $$SELECT number || '/' || to_char(date, 'YYYY-MM-DD') FROM changed JOIN accounts ON accounts.id = account_id
    FOR SHARE OF accounts$$, false);
--> statement-breakpoint
SELECT capture('transactions', 'statement-lines',
  $$SELECT number || '/' || to_char(date, 'YYYY-MM-DD') || ':' || revision FROM changed JOIN accounts ON accounts.id = account_id$$, false);
--> statement-breakpoint
SELECT capture('tokens', 'token', $$SELECT digest FROM changed$$, true);
--> statement-breakpoint
SELECT capture('tokens', 'token-id', $$SELECT id::text FROM changed$$, true);
--> statement-breakpoint
-- Whether every transaction that `covered` sees is seen by `covering` too.
CREATE FUNCTION snapshot_covers(covering pg_snapshot, covered pg_snapshot) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  SELECT pg_snapshot_xmax(covering) >= pg_snapshot_xmax(covered) AND NOT EXISTS (
    SELECT FROM pg_snapshot_xip(covering) AS xid
    WHERE xid < pg_snapshot_xmax(covered) AND pg_visible_in_snapshot(xid, covered))
$$;
--> statement-breakpoint
-- Returns once every gateway's next read shows what this session has committed so far. The shared advisory lock tells
-- the relay that somebody waits for its progress to be recorded.
CREATE FUNCTION cache_barrier(timeout interval DEFAULT '5 seconds') RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  mine CONSTANT pg_snapshot := pg_current_snapshot();
  deadline CONSTANT timestamptz := clock_timestamp() + timeout;
BEGIN
  IF pg_current_xact_id_if_assigned() IS NOT NULL OR current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE 'cache_barrier must run by itself after COMMIT, not inside a writing or repeatable-read transaction'
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  PERFORM pg_advisory_xact_lock_shared(1702064233, 1);
  LOOP
    PERFORM FROM gateway WHERE alive_until > clock_timestamp();
    IF NOT FOUND THEN
      RAISE 'No gateway is alive, so nothing carries changes to the cache; start one, or skip the barrier'
        USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    PERFORM FROM entry_partition WHERE covered IS NULL OR NOT snapshot_covers(covered, mine);
    EXIT WHEN NOT FOUND;
    IF clock_timestamp() > deadline THEN
      RAISE 'The cache did not catch up within %; is the gateway connected to its Redis?', timeout
        USING ERRCODE = 'query_canceled';
    END IF;
    PERFORM pg_sleep(0.01);
  END LOOP;
END
$$;
