import type { EnvironmentFact } from "../../../ports/facts.ts";
import type { Look } from "./facts.ts";
import { textOf } from "./text-of.ts";

/** The program that answers, the database it serves, and what is built into it. */
export async function serverFacts({ reader, fact }: Look): Promise<readonly EnvironmentFact[]> {
  const [row] = await reader.query(SERVER);
  const [major = "?", ...minor] = String(row?.["version"]).split(".");
  const extensions = await reader.query("select extname, extversion from pg_catalog.pg_extension order by 1");
  return [
    fact("server/major", "server", `PostgreSQL ${major}`),
    fact("server/minor", "server", minor.join(".") || "0", "warn"),
    ...["encoding", "collation", "ctype", "provider"].map((name) =>
      fact(`server/${name}`, "server", textOf(row?.[name], "none")),
    ),
    fact("server/connections", "limits", String(row?.["connections"]), "warn"),
    ...extensions.map((extension) => {
      const name = String(extension["extname"]);
      return fact(
        `extension/${name}`,
        "extensions",
        String(extension["extversion"]),
        WATCH_ONLY.has(name) ? "info" : "block",
      );
    }),
  ];
}

/** They look at what others do, and change no result. */
const WATCH_ONLY: ReadonlySet<string> = new Set([
  "pg_stat_statements",
  "pg_buffercache",
  "pgstattuple",
  "pg_freespacemap",
  "pg_visibility",
  "pg_wait_sampling",
  "pg_stat_kcache",
]);

// The columns of a locale have other names in each version; to_jsonb finds those that are there.
const SERVER = `
select pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1) as version,
       pg_catalog.pg_encoding_to_char(d.encoding) as encoding, d.datcollate as collation, d.datctype as ctype,
       pg_catalog.concat_ws(' ', j ->> 'datlocprovider', coalesce(j ->> 'datlocale', j ->> 'daticulocale')) as provider,
       case when d.datconnlimit = -1 then 'no limit' else d.datconnlimit::text end as connections
  from pg_catalog.pg_database d, pg_catalog.to_jsonb(d) j where d.datname = pg_catalog.current_database()`;
