CREATE TABLE "environments" (
	"key" text PRIMARY KEY NOT NULL,
	"public" boolean NOT NULL,
	CONSTRAINT "environments_key" CHECK ("environments"."key" ~ '^[^/]+$')
);
--> statement-breakpoint
CREATE TABLE "flags" (
	"environment" text NOT NULL,
	"key" text NOT NULL,
	"enabled" boolean NOT NULL,
	"description" text,
	"definition" jsonb NOT NULL,
	"archived_at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "flags_environment_key_pk" PRIMARY KEY("environment","key"),
	CONSTRAINT "flags_definition" CHECK (jsonb_typeof("flags"."definition") = 'object')
);
--> statement-breakpoint
ALTER TABLE "flags" ADD CONSTRAINT "flags_environment_environments_key_fk" FOREIGN KEY ("environment") REFERENCES "public"."environments"("key") ON DELETE restrict ON UPDATE no action;
--> statement-breakpoint
-- Says when a flag last became other than it was, whoever changed it.
CREATE FUNCTION flag_touch() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END
$$;
--> statement-breakpoint
CREATE TRIGGER flag_touch BEFORE UPDATE ON flags FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION flag_touch();
--> statement-breakpoint
ALTER TABLE flags ENABLE ALWAYS TRIGGER flag_touch;
--> statement-breakpoint
SELECT capture('environments', 'environment', $$SELECT key FROM changed$$, true);
--> statement-breakpoint
SELECT capture('environments', 'flags', $$SELECT key FROM changed$$, true);
--> statement-breakpoint
-- No view shows this entry: it gives each flag a version of its own, and orders its writers.
SELECT capture('flags', 'flag', $$SELECT environment || '/' || key FROM changed$$, true);
--> statement-breakpoint
SELECT capture('flags', 'flags', $$SELECT environment FROM changed$$, false);
--> statement-breakpoint
-- Of its flags an environment shows the count alone: a row that was live before and after says nothing new. An UPDATE
-- brings the row twice, so that one live form of it is one that came or went.
SELECT capture('flags', 'environment',
  $$SELECT environment FROM changed GROUP BY environment, key HAVING count(*) FILTER (WHERE archived_at IS NULL) = 1$$, false);
