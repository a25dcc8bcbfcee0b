CREATE TABLE "secret_versions" (
	"name" text NOT NULL,
	"number" integer NOT NULL,
	"state" text NOT NULL,
	"ciphertext" "bytea",
	"wrapped_key" "bytea",
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"created_by" text NOT NULL,
	"valid_until" timestamp with time zone,
	CONSTRAINT "secret_versions_name_number_pk" PRIMARY KEY("name","number"),
	CONSTRAINT "secret_versions_state" CHECK ("secret_versions"."state" IN ('CURRENT', 'PREVIOUS', 'DESTROYED')),
	CONSTRAINT "secret_versions_destroyed" CHECK (("secret_versions"."state" = 'DESTROYED') = ("secret_versions"."ciphertext" IS NULL)
      AND ("secret_versions"."ciphertext" IS NULL) = ("secret_versions"."wrapped_key" IS NULL))
);
--> statement-breakpoint
CREATE TABLE "security_list_members" (
	"name" text NOT NULL,
	"member" text NOT NULL,
	CONSTRAINT "security_list_members_name_member_pk" PRIMARY KEY("name","member")
);
--> statement-breakpoint
CREATE TABLE "security_values" (
	"name" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"parameter" jsonb,
	"schema" jsonb,
	"rotate_every_days" integer,
	CONSTRAINT "security_values_kind" CHECK ("security_values"."kind" IN ('PARAMETER', 'LIST', 'SECRET')),
	CONSTRAINT "security_values_parameter" CHECK (("security_values"."kind" = 'PARAMETER') = ("security_values"."parameter" IS NOT NULL)),
	CONSTRAINT "security_values_schema" CHECK ("security_values"."kind" = 'PARAMETER' OR "security_values"."schema" IS NULL),
	CONSTRAINT "security_values_rotation" CHECK ("security_values"."rotate_every_days" IS NULL OR ("security_values"."kind" = 'SECRET' AND "security_values"."rotate_every_days" > 0))
);
--> statement-breakpoint
ALTER TABLE "secret_versions" ADD CONSTRAINT "secret_versions_name_security_values_name_fk" FOREIGN KEY ("name") REFERENCES "public"."security_values"("name") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "security_list_members" ADD CONSTRAINT "security_list_members_name_security_values_name_fk" FOREIGN KEY ("name") REFERENCES "public"."security_values"("name") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
CREATE UNIQUE INDEX "secret_versions_current" ON "secret_versions" USING btree ("name") WHERE "secret_versions"."state" = 'CURRENT';
--> statement-breakpoint
-- One name, one kind, one entry: a value that psql gives another kind leaves the one view and enters the other.
SELECT capture('security_values', 'parameter', $$SELECT name FROM changed WHERE kind = 'PARAMETER'$$, true);
--> statement-breakpoint
SELECT capture('security_values', 'security-list', $$SELECT name FROM changed WHERE kind = 'LIST'$$, true);
--> statement-breakpoint
SELECT capture('security_values', 'secret', $$SELECT name FROM changed WHERE kind = 'SECRET'$$, true);
--> statement-breakpoint
SELECT capture('security_list_members', 'security-list', $$SELECT name FROM changed$$, false);
--> statement-breakpoint
SELECT capture('secret_versions', 'secret', $$SELECT name FROM changed$$, false);
