import type { EnvironmentFact } from "../../../ports/facts.ts";
import type { Row } from "../connect.ts";
import type { Look } from "./facts.ts";
import { textOf } from "./text-of.ts";

/** Roles that own something here, or have a right to it, and what they are. Passwords are never asked for. */
export async function roleFacts({ reader, fact }: Look): Promise<readonly EnvironmentFact[]> {
  const roles = await reader.query(ROLES);
  const rights = await reader.query(RIGHTS);
  return [
    ...roles.flatMap((row) => [
      fact(`role/${String(row["name"])}`, "rights", {
        attributes: list(row, ["login", "inherit", "superuser", "bypassrls"]),
        "member of": membersOf(row, (name) => !FOR_REHEARSALS.test(name)),
      }),
      fact(
        `role/${String(row["name"])}/admin`,
        "rights",
        {
          attributes: list(row, ["createdb", "createrole", "replication"]),
          "member of": membersOf(row, (name) => FOR_REHEARSALS.test(name)),
          connections: String(row["connections"]),
        },
        "info",
      ),
    ]),
    ...rights.map((row) =>
      fact(
        `right/${String(row["name"])}`,
        "rights",
        textOf(row["rights"], ""),
        row["name"] === "database" ? "warn" : "block",
      ),
    ),
  ];
}

/** Demo's owner makes clones and sends sessions away; production's need not be able to. */
const FOR_REHEARSALS = /^pg_(signal_backend|read_all_stats|monitor|read_all_settings|stat_scan_tables)\b/;

const list = (row: Row, names: readonly string[]): string =>
  names.filter((name) => row[name] === true).join(", ") || "none";

const membersOf = (row: Row, isMeant: (name: string) => boolean): string =>
  (Array.isArray(row["members"]) ? row["members"] : [])
    .map(String)
    .filter((name) => isMeant(name))
    .join(", ") || "none";

const NAMESPACES = `select oid, nspname, nspowner, nspacl from pg_catalog.pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'midflight')`;

const ROLES = `
with ns as (${NAMESPACES}),
     db as (select datdba, datacl from pg_catalog.pg_database where datname = pg_catalog.current_database()),
     acls as (select relacl as acl from pg_catalog.pg_class join ns on ns.oid = relnamespace
              union all select proacl from pg_catalog.pg_proc join ns on ns.oid = pronamespace
              union all select nspacl from ns union all select datacl from db),
     named as (select (pg_catalog.aclexplode(acl)).grantee as oid from acls where acl is not null
               union select datdba from db union select nspowner from ns
               union select relowner from pg_catalog.pg_class join ns on ns.oid = relnamespace
               union select proowner from pg_catalog.pg_proc join ns on ns.oid = pronamespace
               union select oid from pg_catalog.pg_roles where rolname = current_user)
select r.rolname as name, rolcanlogin as login, rolinherit as inherit, rolsuper as superuser, rolbypassrls as bypassrls,
       rolcreatedb as createdb, rolcreaterole as createrole, rolreplication as replication,
       case when rolconnlimit = -1 then 'no limit' else rolconnlimit::text end as connections,
       array(select g.rolname || case when m.admin_option then ' (admin)' else '' end
               from pg_catalog.pg_auth_members m join pg_catalog.pg_roles g on g.oid = m.roleid
              where m.member = r.oid order by 1)::text[] as members
  from pg_catalog.pg_roles r join named using (oid)
 where r.rolname !~ '^pg_' order by 1`;

const ACL_TEXT = (acl: string, ordered = "x::text"): string =>
  `(select pg_catalog.string_agg(x::text, ',' order by ${ordered} collate "C") from pg_catalog.unnest(${acl}) x)`;

// What a relation may be used for stands in the catalogue's own rows.
const RIGHTS = `
with ns as (${NAMESPACES})
select 'schema/' || nspname as name, ${ACL_TEXT("coalesce(nspacl, pg_catalog.acldefault('n', nspowner))")} as rights from ns
union all select 'database', ${ACL_TEXT("coalesce(datacl, pg_catalog.acldefault('d', datdba))")}
  from pg_catalog.pg_database where datname = pg_catalog.current_database()
union all select 'function/' || nspname || '.' || proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
       ${ACL_TEXT("coalesce(proacl, pg_catalog.acldefault('f', proowner))")} from pg_catalog.pg_proc p join ns on ns.oid = pronamespace
union all select 'default/' || defaclrole::regrole::text || '/' || coalesce((select nspname from ns where ns.oid = defaclnamespace), '(everywhere)') || '/' || defaclobjtype::text,
       ${ACL_TEXT("defaclacl")} from pg_catalog.pg_default_acl
order by 1`;
