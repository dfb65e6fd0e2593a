import type { Act, Column, Constraint, LockMode, SqlName, SqlStatement, Thing } from "../../ports/sql-reader.ts";
import { durationMs } from "./duration.ts";
import { locksOf, strengthOf } from "./locks.ts";

/** The lock_timeout that holds: the runner's own short one, none, or what the file says. */
export type LockTimeout =
  | { readonly kind: "runner" }
  | { readonly kind: "off" }
  | { readonly kind: "own"; readonly ms: number };

/** Functions, schemas and the like have names of their own; tables, views, indexes and types share theirs. */
export const keyOf = (what: Thing, name: string): string => {
  if (what === "function" || what === "procedure") return `function:${name}`;
  return what === "schema" || what === "policy" || what === "extension" || what === "database"
    ? `${what}:${name}`
    : name;
};

/** A constraint by which a column holds no NULL. */
type Proof = { readonly constraint: string; readonly isValidated: boolean };
type Held = { readonly mode: LockMode; readonly statement: number };

/**
 * What the statements before have made of the store and of the session. Only what the files say is known: a table that
 * the same file created is nobody's yet, any other is in use, because a folder also holds what was applied long ago.
 */
export class Known {
  /** Made by this file: names of things, `table#column`, and `grant:name`. */
  #made = new Set<string>();
  /** With IF NOT EXISTS or OR REPLACE: it may have been in use already, and yet the way back may take it away. */
  readonly #perhapsMade = new Set<string>();
  /** In a down file: what its up has made. */
  #undone: ReadonlySet<string> = new Set();
  readonly #held = new Map<SqlName, Held>();
  readonly #addedInTransaction = new Set<string>();
  readonly #enumValues = new Map<string, SqlName>();
  readonly #notNull: Map<string, Proof>;
  readonly #constraints: Map<string, Constraint["kind"]>;
  readonly #types: Map<string, string>;
  readonly #functions: Map<SqlName, SqlStatement>;
  #lockTimeout: LockTimeout = { kind: "runner" };

  constructor(before?: Known) {
    this.#notNull = new Map(before === undefined ? [] : before.#notNull);
    this.#constraints = new Map(before === undefined ? [] : before.#constraints);
    this.#types = new Map(before === undefined ? [] : before.#types);
    this.#functions = new Map(before === undefined ? [] : before.#functions);
  }

  /** For the down file, which nothing after it builds on: what up has made is what it may take away. */
  turnedBack(): Known {
    const back = new Known(this);
    back.#undone = new Set([...this.#made, ...this.#perhapsMade]);
    return back;
  }

  /** The next migration's up file begins. */
  nextMigration(): void {
    this.#perhapsMade.clear();
    this.#made = new Set();
    this.beginTransaction();
  }

  beginTransaction(): void {
    this.#held.clear();
    this.#addedInTransaction.clear();
    this.#enumValues.clear();
    this.#lockTimeout = { kind: "runner" };
  }

  /** Whether users may be working with it. Of anything but tables, views, indexes and types: by `keyOf`. */
  isInUse(name: SqlName): boolean {
    return !this.#made.has(name) && !this.#undone.has(name);
  }
  isOwnColumn(table: SqlName, column: string): boolean {
    return !this.isInUse(table) || !this.isInUse(`${table}#${column}`);
  }
  /** Made by the up file whose down is read. */
  isUndone(name: string): boolean {
    return this.#undone.has(name);
  }

  /** What this transaction has locked so far. */
  get held(): ReadonlyMap<SqlName, Held> {
    return this.#held;
  }
  get lockTimeout(): LockTimeout {
    return this.#lockTimeout;
  }
  wasAddedInTransaction(table: SqlName, constraint: string): boolean {
    return this.#addedInTransaction.has(`${table}#${constraint}`);
  }
  /** A validated constraint says that the column holds no NULL, so PostgreSQL need not look. */
  provesNotNull(table: SqlName, column: string): boolean {
    return this.#notNull.get(`${table}#${column}`)?.isValidated === true;
  }
  isForeignKey(table: SqlName, constraint: string): boolean {
    const kind = this.#constraints.get(`${table}#${constraint}`);
    // Of a constraint that no file here made, the name is all there is.
    return kind === undefined ? /_fkey\d*$|_fk\d*$|^fk_/.test(constraint) : kind === "foreign-key";
  }
  typeOf(table: SqlName, column: string): string | undefined {
    return this.#types.get(`${table}#${column}`);
  }
  /** The type of an enum to which this transaction has added the value. */
  enumOf(value: string): SqlName | undefined {
    return this.#enumValues.get(value);
  }
  functionOf(name: SqlName): SqlStatement | undefined {
    return this.#functions.get(name);
  }

  /** The statement is done. `number` is its place in the file. */
  learn(statement: SqlStatement, number: number): void {
    for (const act of statement.acts) {
      for (const { table, mode } of locksOf(act)) this.#hold(table, mode, number);
      this.#learnAct(act, statement);
    }
  }

  #hold(table: SqlName, mode: LockMode, statement: number): void {
    const before = this.#held.get(table);
    if (before === undefined || strengthOf(before.mode) < strengthOf(mode)) this.#held.set(table, { mode, statement });
  }

  #learnAct(act: Act, statement: SqlStatement): void {
    switch (act.kind) {
      case "create-table":
        (act.ifNotExists ? this.#perhapsMade : this.#made).add(act.table);
        for (const column of act.columns) this.#learnColumn(act.table, column);
        for (const constraint of act.constraints) this.#learnConstraint(act.table, constraint);
        return;
      case "alter-table":
        this.#learnChanges(act);
        return;
      case "create-index":
        if (act.index !== undefined) this.#made.add(act.index);
        return;
      case "create-view":
        (act.orReplace ? this.#perhapsMade : this.#made).add(act.view);
        return;
      case "create-function":
        (act.orReplace ? this.#perhapsMade : this.#made).add(keyOf("function", act.name));
        this.#functions.set(act.name, statement);
        return;
      case "create":
        this.#made.add(keyOf(act.what, act.name));
        return;
      case "create-trigger":
        this.#made.add(`${act.table}#${act.trigger}`);
        return;
      case "rename":
        this.#made.add(`renamed:${act.to}`);
        if (act.table === undefined && !this.isInUse(act.name)) this.#made.add(act.to);
        return;
      case "set-schema":
        this.#made.add(`renamed:${act.to}.${act.name.split(".").at(-1) ?? ""}`);
        return;
      case "grant":
        for (const name of act.names) this.#made.add(`grant:${name}`);
        return;
      case "add-enum-value":
        // A type that the transaction itself made may be used at once.
        if (this.isInUse(act.type)) this.#enumValues.set(act.value, act.type);
        return;
      case "set":
        this.#learnSetting(act);
        return;
      case "transaction":
        if (!act.isSavepoint) this.beginTransaction();
        return;
      case "drop":
        // A temporary table may have stood before the real one.
        for (const name of act.names) this.#made.delete(keyOf(act.what, name));
        return;
      case "reindex":
      case "do":
      case "call":
      case "write":
      case "truncate":
      case "lock":
      case "vacuum":
      case "cluster":
      case "refresh":
      case "rename-enum-value":
      case "constrain-domain":
      case "revoke":
      case "alone":
      case "other":
        return;
    }
  }

  #learnColumn(table: SqlName, column: Column): void {
    this.#made.add(`${table}#${column.name}`);
    this.#types.set(`${table}#${column.name}`, column.type);
    for (const constraint of column.constraints) this.#learnConstraint(table, constraint);
  }

  #learnConstraint(table: SqlName, constraint: Constraint): void {
    const name = constraint.name ?? "";
    if (name !== "") {
      this.#made.add(`${table}#${name}`);
      this.#constraints.set(`${table}#${name}`, constraint.kind);
      this.#addedInTransaction.add(`${table}#${name}`);
    }
    const column =
      constraint.kind === "not-null" ? constraint.column : constraint.kind === "check" ? constraint.notNull : undefined;
    if (column !== undefined && (constraint.kind === "not-null" || constraint.kind === "check"))
      this.#notNull.set(`${table}#${column}`, { constraint: name, isValidated: constraint.isValidated });
  }

  #learnChanges({ table, changes }: Extract<Act, { kind: "alter-table" }>): void {
    for (const change of changes) {
      if (change.kind === "add-column") this.#learnColumn(table, change.column);
      if (change.kind === "add-constraint") this.#learnConstraint(table, change.constraint);
      if (change.kind === "change-type") this.#types.set(`${table}#${change.column}`, change.type);
      if (change.kind === "validate" || change.kind === "drop-constraint")
        for (const [key, proof] of this.#notNull) {
          if (!key.startsWith(`${table}#`) || proof.constraint !== change.constraint) continue;
          if (change.kind === "validate") this.#notNull.set(key, { ...proof, isValidated: true });
          else this.#notNull.delete(key);
        }
      if (change.kind === "drop-column") {
        this.#types.delete(`${table}#${change.column}`);
        this.#notNull.delete(`${table}#${change.column}`);
      }
    }
  }

  #learnSetting(act: Extract<Act, { kind: "set" }>): void {
    if (act.name !== "lock_timeout" && act.name !== "all") return;
    const ms = act.name === "all" || act.value === undefined ? 0 : durationMs(act.value);
    this.#lockTimeout = ms === undefined || ms === 0 ? { kind: "off" } : { kind: "own", ms };
  }
}
