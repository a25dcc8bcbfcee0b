CREATE SEQUENCE "gateway_turn" CACHE 1;
--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "turn" bigint DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "beat" bigint DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE "entry_partition" ADD COLUMN "open" boolean DEFAULT true NOT NULL;
--> statement-breakpoint
-- Whether another living gateway than `me` says that it trusts this incarnation. A matter of who goes first, not of safety.
CREATE FUNCTION is_trusted_elsewhere(incarnation text, me uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT incarnation <> '' AND EXISTS (
    SELECT FROM gateway WHERE alive_until > now() AND id IS DISTINCT FROM me AND strpos(store, incarnation) > 0)
$$;
--> statement-breakpoint
-- One look of gateway `me` at the partitions: its lease. `adopted` is the `began` of the last look whose answer it has.
-- `silent` names gateways whose beat has not changed for longer than a lease lasts, as [id, beat]: they are forgotten, unless
-- they look at this moment. Each statement here has a snapshot of its own, so that their order tells what came before what.
-- A gateway that is not on the list is put there first and granted nothing (`rows` is null): the others must know of it
-- before it trusts.
CREATE FUNCTION gateway_renew(me uuid, in_store text, adopted bigint, silent json, life interval,
  OUT began bigint, OUT rows json, OUT others json, OUT ended bigint)
LANGUAGE plpgsql AS $$
BEGIN
  began := nextval('gateway_turn');
  UPDATE gateway SET turn = adopted, beat = began, store = in_store, alive_until = clock_timestamp() + life WHERE id = me;
  IF NOT FOUND THEN
    INSERT INTO gateway (id, store, alive_until) VALUES (me, in_store, clock_timestamp() + life);
    RETURN;
  END IF;
  SELECT coalesce(json_agg(json_build_array(partition, incarnation, epoch::text, generation::text, open)), '[]')
    INTO rows FROM entry_partition;
  DELETE FROM gateway USING json_array_elements(silent) AS each
    WHERE id = (each ->> 0)::uuid AND id <> me AND beat = (each ->> 1)::bigint;
  SELECT coalesce(json_agg(json_build_array(id, turn::text, beat::text)), '[]') INTO others FROM gateway WHERE id <> me;
  ended := nextval('gateway_turn');
END
$$;
--> statement-breakpoint
-- Closes epoch `in_epoch` of a partition (null: makes its row) if it is still in force; whether it did. The next epoch lies
-- above `seen` too, and begins an empty generation where the store has seen a later one than this database, or `anew`.
-- Waits for nobody: where a transaction holds the row, the next look tries again.
-- `is_foreign` says that the store may be another installation's: refused while another gateway trusts the one on record.
CREATE FUNCTION partition_close(in_partition integer, in_epoch bigint, seen bigint, anew boolean, is_foreign boolean, me uuid)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  IF in_epoch IS NULL THEN
    INSERT INTO entry_partition (partition, incarnation, epoch, generation, open)
      VALUES (in_partition, '', seen + 1, seen + 1, false) ON CONFLICT DO NOTHING;
  ELSE
    UPDATE entry_partition
    SET open = false, covered = NULL, epoch = greatest(epoch, seen) + 1,
      generation = CASE WHEN anew OR seen > epoch THEN greatest(epoch, seen) + 1 ELSE generation END
    WHERE partition = (SELECT partition FROM entry_partition WHERE partition = in_partition AND epoch = in_epoch
        FOR UPDATE SKIP LOCKED)
      AND NOT (is_foreign AND is_trusted_elsewhere(incarnation, me));
  END IF;
  RETURN FOUND;
END
$$;
--> statement-breakpoint
-- Closes partitions for a transaction that cannot fence them, until it ends and for whoever comes after: no gateway opens
-- them before it has ended. Answers the epochs that are closed then; `in_use` where another gateway trusts the store.
CREATE FUNCTION partitions_close(in_partitions integer[], me uuid)
RETURNS TABLE (partition integer, epoch text, in_use boolean)
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO entry_partition AS mine (partition, incarnation, epoch, generation, open)
    SELECT p, '', 1, 1, false FROM unnest(in_partitions) AS p ORDER BY p ON CONFLICT DO NOTHING;
  PERFORM FROM entry_partition AS mine WHERE mine.partition = ANY (in_partitions) ORDER BY mine.partition FOR UPDATE;
  UPDATE entry_partition AS mine SET open = false, covered = NULL, epoch = mine.epoch + 1
    WHERE mine.partition = ANY (in_partitions) AND mine.open AND NOT is_trusted_elsewhere(mine.incarnation, me);
  RETURN QUERY SELECT mine.partition, mine.epoch::text, mine.open FROM entry_partition AS mine
    WHERE mine.partition = ANY (in_partitions);
END
$$;
--> statement-breakpoint
-- Returns once every gateway's next read shows what this session has committed so far. The shared advisory lock tells
-- the relay that somebody waits for its progress to be recorded.
CREATE OR REPLACE FUNCTION cache_barrier(timeout interval DEFAULT '5 seconds') RETURNS void
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
    -- One that is busy may be late with its look; one that has stopped is not on the list.
    PERFORM FROM gateway WHERE alive_until > clock_timestamp() - interval '10 seconds';
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
