import { called, onChange, onNewConstraint, type Rule } from "../seen.ts";

export const setNotNullScan: Rule = onChange((change, table, { known }) => {
  const column =
    change.kind === "set-not-null"
      ? change.column
      : change.kind === "add-constraint" && change.constraint.kind === "not-null" && change.constraint.isValidated
        ? change.constraint.column
        : undefined;
  if (column === undefined || known.provesNotNull(table, column)) return [];
  return [
    {
      rule: "set-not-null-scan",
      message: `NOT NULL on ${table}.${column} reads the whole table while nobody else may`,
      lock: { mode: "ACCESS EXCLUSIVE", table },
      instead: `add CHECK (${column} IS NOT NULL) NOT VALID, validate it in the next migration, then SET NOT NULL and drop the CHECK`,
    },
  ];
});

export const constraintNotValidMissing: Rule = onNewConstraint((constraint, table) => {
  if (constraint.kind === "foreign-key" && constraint.isValidated)
    return [
      {
        rule: "constraint-not-valid-missing",
        message: `${called(constraint)} reads all of ${table} while writes to it and to ${constraint.references} wait`,
        lock: { mode: "SHARE ROW EXCLUSIVE", table },
        instead: "add it NOT VALID, and VALIDATE it in the next migration",
      },
    ];
  if (constraint.kind === "check" && constraint.isValidated)
    return [
      {
        rule: "constraint-not-valid-missing",
        message: `${called(constraint)} reads all of ${table} while nobody else may`,
        lock: { mode: "ACCESS EXCLUSIVE", table },
        instead: "add it NOT VALID, and VALIDATE it in the next migration",
      },
    ];
  return [];
});

export const validateInSameTx: Rule = onChange((change, table, seen) =>
  change.kind !== "validate" || !isAddedHere(seen, table, change.constraint)
    ? []
    : [
        {
          rule: "validate-in-same-tx",
          message: `the lock that added ${change.constraint} is still held, for as long as VALIDATE reads ${table}`,
          lock: { mode: "ACCESS EXCLUSIVE", table },
          instead: "validate it in the next migration",
        },
      ],
);

/** Before in this transaction, or in the same statement. */
const isAddedHere = (seen: Parameters<Rule>[1], table: string, name: string): boolean =>
  seen.known.wasAddedInTransaction(table, name) ||
  seen.statement.acts.some(
    (act) =>
      act.kind === "alter-table" &&
      act.table === table &&
      act.changes.some((change) => change.kind === "add-constraint" && change.constraint.name === name),
  );

export const uniqueOrPkInline: Rule = onNewConstraint((constraint, table) =>
  constraint.kind !== "unique" || constraint.usingIndex !== undefined
    ? []
    : [
        {
          rule: "unique-or-pk-inline",
          message: `${constraint.isPrimary ? "PRIMARY KEY" : "UNIQUE"} builds its index while nobody reads or writes ${table}`,
          lock: { mode: "ACCESS EXCLUSIVE", table },
          instead: "CREATE UNIQUE INDEX CONCURRENTLY in a file of its own, then ADD … USING INDEX in the next",
        },
      ],
);

export const exclusionConstraint: Rule = onNewConstraint((constraint, table) =>
  constraint.kind !== "exclude"
    ? []
    : [
        {
          rule: "exclusion-constraint",
          message: `EXCLUDE builds its index while nobody reads or writes ${table}, and there is no way to do it online`,
          lock: { mode: "ACCESS EXCLUSIVE", table },
          instead: "make a new table with it and move the rows, or check in the application",
        },
      ],
);

export const foreignKeyDropped: Rule = onChange((change, table, seen) => {
  if (change.kind !== "drop-constraint" || !seen.known.isForeignKey(table, change.constraint)) return [];
  if (seen.known.isUndone(`${table}#${change.constraint}`) || isAddedHere(seen, table, change.constraint)) return [];
  return [
    {
      rule: "foreign-key-dropped",
      message: `to drop the foreign key ${change.constraint} locks ${table} and the table that it refers to`,
      lock: { mode: "ACCESS EXCLUSIVE", table },
      instead: "make sure that nothing relies on it any more, and say so in an allow",
    },
  ];
});

export const domainConstraint: Rule = (act, { known }) =>
  act.kind !== "constrain-domain"
    ? []
    : [
        {
          rule: "domain-constraint",
          message: act.isNew
            ? `a constraint on domain ${act.domain} can later be changed only under a lock on every table that uses it`
            : `a constraint on domain ${act.domain} reads every table that uses it while writes wait`,
          ...(act.isNew || !known.isInUse(act.domain) ? {} : { lock: { mode: "SHARE" } as const }),
          instead: "put a CHECK on the column",
        },
      ];
