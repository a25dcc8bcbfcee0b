CREATE TABLE "accounts" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"number" text NOT NULL,
	"holder" text NOT NULL,
	"currency" text NOT NULL,
	"time_zone" text NOT NULL,
	"opening" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "accounts_number_unique" UNIQUE("number")
);
--> statement-breakpoint
CREATE TABLE "business_days" (
	"account_id" uuid NOT NULL,
	"date" date NOT NULL,
	"revision" integer NOT NULL,
	"status" text NOT NULL,
	"opening" bigint NOT NULL,
	"credits" bigint NOT NULL,
	"debits" bigint NOT NULL,
	"closing" bigint NOT NULL,
	"count" integer NOT NULL,
	"stated_closing" bigint,
	CONSTRAINT "business_days_account_id_date_revision_pk" PRIMARY KEY("account_id","date","revision"),
	CONSTRAINT "business_days_balance" CHECK ("business_days"."opening" + "business_days"."credits" - "business_days"."debits" = "business_days"."closing")
);
--> statement-breakpoint
CREATE TABLE "transactions" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"account_id" uuid NOT NULL,
	"date" date NOT NULL,
	"revision" integer NOT NULL,
	"position" integer NOT NULL,
	"external_id" text NOT NULL,
	"minor" bigint NOT NULL,
	"description" text NOT NULL,
	"kind" text,
	"balance" bigint,
	CONSTRAINT "transactions_position" UNIQUE("account_id","date","revision","position"),
	CONSTRAINT "transactions_external" UNIQUE("account_id","date","revision","external_id")
);
--> statement-breakpoint
CREATE TABLE "changes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"sequence" bigserial NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"domain" text NOT NULL,
	"key" text NOT NULL,
	"reason" text,
	"before" jsonb,
	"after" jsonb,
	CONSTRAINT "changes_sequence_unique" UNIQUE("sequence")
);
--> statement-breakpoint
CREATE TABLE "entry" (
	"view" text NOT NULL,
	"key" text NOT NULL,
	"partition" integer NOT NULL,
	"version" bigint NOT NULL,
	"xid" "xid8" NOT NULL,
	"changed_at" timestamp with time zone NOT NULL,
	"deleted" boolean NOT NULL,
	CONSTRAINT "entry_view_key_pk" PRIMARY KEY("view","key")
);
--> statement-breakpoint
CREATE TABLE "gateway" (
	"id" uuid PRIMARY KEY NOT NULL,
	"store" text NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"alive_until" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "installation" (
	"id" text PRIMARY KEY NOT NULL,
	"partitions" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "entry_partition" (
	"partition" integer PRIMARY KEY NOT NULL,
	"incarnation" text NOT NULL,
	"epoch" bigint NOT NULL,
	"generation" bigint NOT NULL,
	"covered" "pg_snapshot"
);
--> statement-breakpoint
CREATE TABLE "menu_items" (
	"menu_id" uuid NOT NULL,
	"key" text NOT NULL,
	"parent_key" text,
	"position" integer NOT NULL,
	"label" text NOT NULL,
	"url" text,
	"visible_from" timestamp with time zone,
	"visible_until" timestamp with time zone,
	"required_scope" text,
	CONSTRAINT "menu_items_menu_id_key_pk" PRIMARY KEY("menu_id","key")
);
--> statement-breakpoint
CREATE TABLE "menus" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"key" text NOT NULL,
	"locale" text NOT NULL,
	"title" text NOT NULL,
	CONSTRAINT "menus_key_locale" UNIQUE("key","locale")
);
--> statement-breakpoint
CREATE TABLE "token_uses" (
	"token_id" uuid PRIMARY KEY NOT NULL,
	"last_used_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tokens" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"digest" text NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"subject" text NOT NULL,
	"scopes" text[] NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "tokens_digest_unique" UNIQUE("digest")
);
--> statement-breakpoint
ALTER TABLE "business_days" ADD CONSTRAINT "business_days_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "transactions" ADD CONSTRAINT "transactions_day" FOREIGN KEY ("account_id","date","revision") REFERENCES "public"."business_days"("account_id","date","revision") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "menu_items" ADD CONSTRAINT "menu_items_menu_id_menus_id_fk" FOREIGN KEY ("menu_id") REFERENCES "public"."menus"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "menu_items" ADD CONSTRAINT "menu_items_parent" FOREIGN KEY ("menu_id","parent_key") REFERENCES "public"."menu_items"("menu_id","key") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "token_uses" ADD CONSTRAINT "token_uses_token_id_tokens_id_fk" FOREIGN KEY ("token_id") REFERENCES "public"."tokens"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "transactions_external_id" ON "transactions" USING btree ("account_id","external_id");--> statement-breakpoint
CREATE INDEX "changes_domain_key" ON "changes" USING btree ("domain","key","sequence");--> statement-breakpoint
CREATE INDEX "entry_xid" ON "entry" USING btree ("xid");