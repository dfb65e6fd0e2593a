import { onChange, onNewColumn, type Rule } from "../seen.ts";
import { retype } from "../retype.ts";

export const typeChangeRewrite: Rule = onChange((change, table, { known }) => {
  if (change.kind !== "change-type") return [];
  const before = known.typeOf(table, change.column);
  const effect = change.isComputed ? "rewrite" : retype(before, change.type);
  if (effect === "none") return [];
  const lock = { mode: "ACCESS EXCLUSIVE", table } as const;
  const instead = "add a new column, write both, copy in batches, switch, and drop the old one in a contract phase";
  if (effect === "unknown")
    return [
      {
        rule: "type-change-rewrite",
        severity: "warn",
        message: `whether ${change.type} makes PostgreSQL write all of ${table} anew depends on the type that ${change.column} has now; the trial on a clone shows it`,
        lock,
        instead: `rehearse it; if it rewrites: ${instead}`,
      },
    ];
  const from = before === undefined ? "" : ` from ${before}`;
  return [
    {
      rule: "type-change-rewrite",
      message: `${change.column}${from} to ${change.type} writes all of ${table} and its indexes anew, and nobody reads or writes meanwhile`,
      lock,
      instead,
    },
  ];
});

/** Built-in functions whose value is the same for every row of one statement. Others may be volatile. */
const STEADY = new Set(
  `now transaction_timestamp statement_timestamp current_setting current_schema current_database timezone
   to_timestamp to_char to_date to_number make_date make_time make_timestamp make_timestamptz make_interval
   date_trunc date_part extract age lower upper initcap length concat concat_ws format md5 sha256 encode decode
   convert_to convert_from repeat substr substring left right lpad rpad trim btrim ltrim rtrim replace translate split_part
   abs ceil ceiling floor round trunc mod power sqrt sign greatest least coalesce nullif
   array_fill array_append array_cat string_to_array int4range int8range numrange tsrange tstzrange daterange
   json_build_object json_build_array jsonb_build_object jsonb_build_array to_json to_jsonb jsonb_object json_object
   pg_backend_pid inet_server_addr version session_user current_user bit_length char_length octet_length`.split(/\s+/),
);

export const volatileDefaultRewrite: Rule = onNewColumn((column, table) => {
  const [call] = (column.defaultCalls ?? []).filter((name) => !STEADY.has(name.toLowerCase()));
  if (call === undefined) return [];
  return [
    {
      rule: "volatile-default-rewrite",
      message: `${call}() may differ from row to row, so the default of ${column.name} makes PostgreSQL write all of ${table} anew under the lock`,
      lock: { mode: "ACCESS EXCLUSIVE", table },
      instead: `add ${column.name} without a default, set the default in a second statement, and fill old rows in batches`,
    },
  ];
});

export const storedGeneratedOrSerial: Rule = onNewColumn((column, table) => {
  const kind =
    column.generated === "stored"
      ? "GENERATED … STORED"
      : column.generated === "identity"
        ? "GENERATED … AS IDENTITY"
        : /^(small|big)?serial\d?$/.test(column.type)
          ? column.type
          : undefined;
  if (kind === undefined) return [];
  return [
    {
      rule: "stored-generated-or-serial",
      message: `${column.name} as ${kind} needs a value in every row, so PostgreSQL writes all of ${table} anew under the lock`,
      lock: { mode: "ACCESS EXCLUSIVE", table },
      instead: `add ${column.name} as a plain nullable column and fill it in batches`,
    },
  ];
});

export const requiredColumn: Rule = onNewColumn((column, table) => {
  const hasValue =
    column.defaultCalls !== undefined || column.generated !== undefined || /serial\d?$/.test(column.type);
  if (!column.isRequired || hasValue) return [];
  return [
    {
      rule: "required-column",
      message: `${column.name} must not be NULL and has no default: ${table} with rows refuses it at once, an empty one refuses the old release's inserts (23502)`,
      lock: { mode: "ACCESS EXCLUSIVE", table },
      instead: "give it a constant default, or add it nullable first",
    },
  ];
});

export const jsonColumn: Rule = (act) => {
  const columns =
    act.kind === "create-table"
      ? act.columns.map(({ name, type }) => ({ name, type }))
      : act.kind === "alter-table"
        ? act.changes.flatMap((change) =>
            change.kind === "add-column"
              ? [{ name: change.column.name, type: change.column.type }]
              : change.kind === "change-type"
                ? [{ name: change.column, type: change.type }]
                : [],
          )
        : [];
  return columns
    .filter(({ type }) => /^json(\[\])*$/.test(type))
    .map(({ name }) => ({
      rule: "json-column",
      message: `${name} is json, which has no equality, so SELECT DISTINCT and GROUP BY over it fail`,
      instead: "write jsonb",
    }));
};

export const defaultOrNullChanged: Rule = onChange((change, table, { known, file }) => {
  // The way back gives a column the meaning that it had.
  if (file.part === "down") return [];
  if (change.kind !== "set-default" && change.kind !== "drop-not-null") return [];
  if (known.isOwnColumn(table, change.column)) return [];
  const message =
    change.kind === "drop-not-null"
      ? `readers of ${table}.${change.column} meet NULL from now on`
      : `writers that leave out ${table}.${change.column} mean another value from now on`;
  return [
    {
      rule: "default-or-null-changed",
      message,
      lock: { mode: "ACCESS EXCLUSIVE", table },
      instead: "let both releases write the value explicitly, and change this in a contract phase",
    },
  ];
});
