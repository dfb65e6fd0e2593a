import type { Connection } from "../connect.ts";
import { isLost } from "../explain-error.ts";
import { quote } from "./template.ts";

/** `alter database … set` of the store: copying a database leaves them behind, and a search_path decides what a statement means. */
export const copySettings = async (db: Connection, from: string, to: string): Promise<void> => {
  const rows = await db.query(
    `select case when s.setrole = 0 then null else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(s.setrole)) end as role, pg_catalog.unnest(s.setconfig) as setting
       from pg_catalog.pg_db_role_setting s join pg_catalog.pg_database d on d.oid = s.setdatabase where d.datname = $1`,
    [from],
  );
  for (const row of rows) {
    const [name = "", ...value] = String(row["setting"]).split("=");
    const { role } = row;
    const of = typeof role === "string" ? `role ${role} in database ${to}` : `database ${to}`;
    try {
      await db.query("select pg_catalog.set_config($1, $2, false)", [name, value.join("=")]);
      await db.query(`alter ${of} set ${quote(name)} from current`);
    } catch (error) {
      // Not for this user to set. Whoever needs it says so in what fails without it.
      if (isLost(error)) throw error;
    }
  }
  if (rows.length > 0) await db.query("reset all");
};
