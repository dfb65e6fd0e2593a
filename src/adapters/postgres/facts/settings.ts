import { createHash } from "node:crypto";
import type { EnvironmentFact, Severity } from "../../../ports/facts.ts";
import type { Row } from "../connect.ts";
import type { Look } from "./facts.ts";
import { textOf } from "./text-of.ts";

/** How the server is set up for whoever connects here, and for single roles. What is a place, a log or a secret stays out. */
export async function settingFacts({ reader, fact }: Look): Promise<readonly EnvironmentFact[]> {
  // Not the present value: some of them were set for this session.
  const rows = await reader.query(
    "select name, reset_val, unit, vartype, category from pg_catalog.pg_settings order by 1",
  );
  const roles = await reader.query(ROLE_SETTINGS);
  return [
    ...rows
      .filter((row) => isCompared(row))
      .map((row) => fact(`setting/${String(row["name"])}`, "settings", settingText(row), severityOf(row))),
    ...roles.map(({ role, setting }) => {
      const [name = "", value = ""] = splitOnce(String(setting));
      return fact(
        `role-setting/${String(role)}/${name}`,
        "settings",
        redacted(name, value),
        severityByName(name) ?? "warn",
      );
    }),
  ];
}

/** Numbers, switches and choices tell nothing that is secret; a text may be a command line or an address. */
const isCompared = (row: Row): boolean => {
  const name = String(row["name"]);
  if (LEFT_OUT.test(name)) return false;
  if (row["category"] === "Preset Options") return PRESETS.has(name);
  return row["vartype"] !== "string" || TEXTS.has(name);
};

const LEFT_OUT =
  /^(port|bonjour|cluster_name|listen_addresses|external_pid_file|event_source|in_hot_standby|application_name|seed|client_min_messages|is_superuser|session_authorization|role|data_sync_retry|transaction_(isolation|read_only|deferrable)|(log|debug|trace|ssl|krb|gss|tcp|unix|syslog|primary|recovery|archive|restore|stats_temp)_.*|ssl|logging_collector|update_process_title)$/;
const PRESETS: ReadonlySet<string> = new Set([
  "block_size",
  "data_checksums",
  "integer_datetimes",
  "max_identifier_length",
  "max_index_keys",
  "server_encoding",
]);
const TEXTS: ReadonlySet<string> = new Set([
  "DateStyle",
  "TimeZone",
  "client_encoding",
  "createrole_self_grant",
  "default_table_access_method",
  "default_tablespace",
  "default_text_search_config",
  "lc_messages",
  "lc_monetary",
  "lc_numeric",
  "lc_time",
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "timezone_abbreviations",
]);

/** What these say decides whether a statement or a migration works at all. */
const DECISIVE: ReadonlySet<string> = new Set([
  "DateStyle",
  "IntervalStyle",
  "TimeZone",
  "array_nulls",
  "bytea_output",
  "client_encoding",
  "default_table_access_method",
  "default_tablespace",
  "default_text_search_config",
  "default_transaction_isolation",
  "default_transaction_read_only",
  "idle_in_transaction_session_timeout",
  "lc_monetary",
  "lc_numeric",
  "lc_time",
  "lock_timeout",
  "row_security",
  "search_path",
  "server_encoding",
  "standard_conforming_strings",
  "statement_timeout",
  "transaction_timeout",
  "transform_null_equals",
]);
/** How much a machine can carry: worth a look in spite of their category. */
const NOTABLE: ReadonlySet<string> = new Set([
  "work_mem",
  "hash_mem_multiplier",
  "max_prepared_transactions",
  "wal_level",
  "synchronous_commit",
]);
const OF_THE_MACHINE =
  /^(Resource Usage|Write-Ahead Log|Autovacuum|Vacuuming|Replication|Reporting|Statistics|Error Handling|Developer Options|Preset Options|Process Title)/;

const severityOf = (row: Row): Severity =>
  severityByName(String(row["name"])) ?? (OF_THE_MACHINE.test(String(row["category"])) ? "info" : "warn");

const severityByName = (name: string): Severity | undefined =>
  DECISIVE.has(name) ? "block" : NOTABLE.has(name) ? "warn" : undefined;

/** `100 ms`, `4096 x 8kB`, `on`. */
const settingText = (row: Row): string => {
  const [value, unit] = [textOf(row["reset_val"], ""), row["unit"]];
  if (typeof unit !== "string") return value;
  return /^\d/.test(unit) ? `${value} x ${unit}` : `${value} ${unit}`;
};

const splitOnce = (setting: string): readonly string[] => {
  const at = setting.indexOf("=");
  return [setting.slice(0, at), setting.slice(at + 1)];
};

/** An application may keep anything in settings of its own. */
const redacted = (name: string, value: string): string =>
  name.includes(".") || LEFT_OUT.test(name)
    ? `sha256:${createHash("sha256").update(value).digest("hex").slice(0, 16)}`
    : value;

const ROLE_SETTINGS = `
select coalesce(r.rolname, '(everybody)') as role, c as setting
  from pg_catalog.pg_db_role_setting s left join pg_catalog.pg_roles r on r.oid = s.setrole, pg_catalog.unnest(s.setconfig) c
 where s.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))
 order by 1, 2, s.setdatabase`;
