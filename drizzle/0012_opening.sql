-- Writers that cannot fence keep nobody out for ever who opens the next epoch, and do not close again what was just opened.
ALTER TABLE "entry_partition" ADD COLUMN "opened_at" timestamp with time zone;
--> statement-breakpoint
-- Opens a closed epoch for one life of one master; whether it did. Where writers hold the row it waits for them, a little:
-- the advisory lock keeps those behind it who come meanwhile, since row locks that are shared let everybody overtake.
CREATE FUNCTION partition_open(in_partition integer, in_epoch bigint, in_incarnation text, in_generation bigint)
RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '150ms' AS $$
BEGIN
  FOR attempt IN 1 .. 2 LOOP
    UPDATE entry_partition
    SET open = true, opened_at = clock_timestamp(), covered = NULL, incarnation = in_incarnation, generation = in_generation
    WHERE partition = (SELECT partition FROM entry_partition
      WHERE partition = in_partition AND epoch = in_epoch AND NOT open FOR UPDATE SKIP LOCKED);
    IF FOUND THEN
      RETURN true;
    END IF;
    PERFORM FROM entry_partition WHERE partition = in_partition AND epoch = in_epoch AND NOT open;
    EXIT WHEN NOT FOUND OR attempt = 2;
    PERFORM pg_advisory_xact_lock(1702064233, 1000 + in_partition);
  END LOOP;
  RETURN false;
EXCEPTION
  WHEN lock_not_available THEN
    RETURN false;
END
$$;
--> statement-breakpoint
-- Closes partitions for a transaction that cannot fence them, until it ends and for whoever comes after: no gateway opens
-- them before it has ended. Answers the epochs that are closed then; `in_use` where another gateway trusts the store, or
-- where the epoch was opened so lately that some may still be catching up before they do.
-- Transactions that find a partition closed hold its row together, and do not wait for each other.
CREATE OR REPLACE FUNCTION partitions_close(in_partitions integer[], me uuid)
RETURNS TABLE (partition integer, epoch text, in_use boolean)
LANGUAGE plpgsql AS $$
DECLARE
  each integer;
  is_open boolean;
BEGIN
  INSERT INTO entry_partition AS mine (partition, incarnation, epoch, generation, open)
    SELECT p, '', 1, 1, false FROM unnest(in_partitions) AS p ORDER BY p ON CONFLICT DO NOTHING;
  FOR each IN SELECT p FROM unnest(in_partitions) AS p ORDER BY p LOOP
    PERFORM pg_advisory_xact_lock_shared(1702064233, 1000 + each);
    SELECT mine.open INTO is_open FROM entry_partition AS mine WHERE mine.partition = each;
    IF is_open THEN
      PERFORM FROM entry_partition AS mine WHERE mine.partition = each FOR UPDATE;
    ELSE
      SELECT mine.open INTO is_open FROM entry_partition AS mine WHERE mine.partition = each FOR SHARE;
      IF is_open THEN
        RAISE 'A partition was opened meanwhile' USING ERRCODE = 'serialization_failure';
      END IF;
    END IF;
  END LOOP;
  UPDATE entry_partition AS mine SET open = false, covered = NULL, epoch = mine.epoch + 1
    WHERE mine.partition = ANY (in_partitions) AND mine.open AND NOT is_trusted_elsewhere(mine.incarnation, me)
      AND (mine.opened_at BETWEEN clock_timestamp() - interval '3 seconds' AND clock_timestamp()) IS NOT TRUE;
  RETURN QUERY SELECT mine.partition, mine.epoch::text, mine.open FROM entry_partition AS mine
    WHERE mine.partition = ANY (in_partitions);
END
$$;
