/** Reads SQL by the store's own grammar and says in our words what each statement does. Offline: it asks no server. */
export interface SqlReader {
  /** Total: what cannot be parsed is an answer too. The same text always yields the same answer. */
  read(text: string, signal: AbortSignal): Promise<SqlText>;
}

export type SqlText =
  | { readonly kind: "parsed"; readonly statements: readonly SqlStatement[] }
  /** `at` is where the grammar gave up, as an offset in UTF-16 units. */
  | { readonly kind: "refused"; readonly at: number; readonly message: string };

export type SqlStatement = {
  /** Offsets in the text, in UTF-16 units: the first character that is no blank or comment, and behind the last one. */
  readonly at: number;
  readonly end: number;
  /** One of most statements; more where writes hide in a WITH, or a schema is created with what is in it. Never empty. */
  readonly acts: readonly Act[];
  /** What its own body runs, for a DO or for the body of a function, in the order of the text. */
  readonly inner: readonly SqlStatement[];
  /** Why nobody can know from the text what it runs. */
  readonly opaque?: { readonly at: number; readonly end: number; readonly why: string };
  /** Functions it calls. */
  readonly calls: readonly string[];
  /** Tables and views that it reads. */
  readonly relations: readonly SqlName[];
  /** Texts in quotes. */
  readonly literals: readonly string[];
  /** Names that PostgreSQL cuts to 63 bytes. */
  readonly longNames: readonly { readonly at: number; readonly end: number; readonly name: string }[];
};

/** As PostgreSQL folds it, `schema.name`; without `public.`, which is where most things are. */
export type SqlName = string;

/** What a statement does, as far as it matters to users who work on the store meanwhile. */
export type Act =
  | {
      readonly kind: "create-table";
      readonly table: SqlName;
      readonly isTemporary: boolean;
      /** It may have been there before. */
      readonly ifNotExists: boolean;
      readonly isPartitioned: boolean;
      readonly partitionOf?: SqlName;
      readonly columns: readonly Column[];
      readonly constraints: readonly Constraint[];
    }
  | { readonly kind: "alter-table"; readonly table: SqlName; readonly changes: readonly Change[] }
  | {
      readonly kind: "create-index";
      readonly table: SqlName;
      readonly index?: SqlName;
      readonly isConcurrent: boolean;
      readonly isUnique: boolean;
      readonly ifNotExists: boolean;
    }
  | { readonly kind: "reindex"; readonly name?: SqlName; readonly what: string; readonly isConcurrent: boolean }
  | {
      readonly kind: "drop";
      readonly what: Thing;
      readonly names: readonly SqlName[];
      /** Of a trigger, policy or rule. */
      readonly table?: SqlName;
      readonly isConcurrent: boolean;
      readonly ifExists: boolean;
      readonly isCascade: boolean;
    }
  | {
      readonly kind: "rename";
      readonly what: Thing;
      readonly name: SqlName;
      /** Of a column: its table. */
      readonly table?: SqlName;
      readonly to: string;
    }
  | { readonly kind: "set-schema"; readonly what: Thing; readonly name: SqlName; readonly to: string }
  | { readonly kind: "create-trigger"; readonly table: SqlName; readonly trigger: string }
  | {
      readonly kind: "create-view";
      readonly view: SqlName;
      readonly isMaterialized: boolean;
      readonly orReplace: boolean;
    }
  | {
      readonly kind: "create-function";
      readonly name: SqlName;
      readonly isProcedure: boolean;
      readonly orReplace: boolean;
      readonly language: string;
    }
  /** Types, sequences, schemas and the like, which lock nothing that users need. */
  | { readonly kind: "create"; readonly what: Thing; readonly name: SqlName }
  | { readonly kind: "do" }
  | { readonly kind: "call"; readonly name: SqlName }
  | {
      readonly kind: "write";
      readonly verb: "insert" | "update" | "delete" | "merge";
      readonly table: SqlName;
      /** False also for a WHERE that is always true. */
      readonly isBounded: boolean;
      /** Its rows come from a query, not from the text. */
      readonly isFromQuery: boolean;
    }
  | { readonly kind: "truncate"; readonly tables: readonly SqlName[]; readonly isCascade: boolean }
  | { readonly kind: "lock"; readonly tables: readonly SqlName[]; readonly mode: LockMode }
  | { readonly kind: "vacuum"; readonly tables: readonly SqlName[]; readonly isFull: boolean }
  | { readonly kind: "cluster"; readonly table?: SqlName }
  | { readonly kind: "refresh"; readonly view: SqlName; readonly isConcurrent: boolean }
  | { readonly kind: "add-enum-value"; readonly type: SqlName; readonly value: string; readonly isPlaced: boolean }
  | { readonly kind: "rename-enum-value"; readonly type: SqlName; readonly value: string; readonly to: string }
  | { readonly kind: "constrain-domain"; readonly domain: SqlName; readonly isNew: boolean }
  | { readonly kind: "grant"; readonly what: Thing; readonly names: readonly SqlName[] }
  | { readonly kind: "revoke"; readonly what: Thing; readonly names: readonly SqlName[] }
  /** `value` is undefined for RESET and DEFAULT. RESET ALL names `all`. */
  | { readonly kind: "set"; readonly name: string; readonly value?: string; readonly isLocal: boolean }
  | { readonly kind: "transaction"; readonly verb: string; readonly isSavepoint: boolean }
  /** Cannot run in a transaction, and nothing tells afterwards whether it ran: CREATE DATABASE, for one. */
  | { readonly kind: "alone"; readonly what: string }
  | { readonly kind: "other" };

export type Thing =
  | "column"
  | "constraint"
  | "database"
  | "domain"
  | "extension"
  | "function"
  | "index"
  | "materialized view"
  | "owned objects"
  | "policy"
  | "procedure"
  | "rule"
  | "schema"
  | "sequence"
  | "table"
  | "trigger"
  | "type"
  | "view"
  | "other";

export type Column = {
  readonly name: string;
  /** As PostgreSQL calls it inside: `int8`, `numeric(24,8)`, `text[]`; `serial` and its kin as written. */
  readonly type: string;
  readonly isRequired: boolean;
  /** Functions that its default calls; absent where it has no default. */
  readonly defaultCalls?: readonly string[];
  readonly generated?: "stored" | "virtual" | "identity";
  readonly constraints: readonly Constraint[];
};

export type Constraint =
  | {
      readonly kind: "check";
      readonly name?: string;
      readonly isValidated: boolean;
      /** The column, where it says no more than that this one is not null. */
      readonly notNull?: string;
    }
  | { readonly kind: "not-null"; readonly name?: string; readonly column: string; readonly isValidated: boolean }
  | {
      readonly kind: "foreign-key";
      readonly name?: string;
      readonly references: SqlName;
      readonly isValidated: boolean;
    }
  | {
      readonly kind: "unique";
      readonly name?: string;
      readonly isPrimary: boolean;
      readonly usingIndex?: string;
    }
  | { readonly kind: "exclude"; readonly name?: string };

export type Change =
  | { readonly kind: "add-column"; readonly column: Column }
  | { readonly kind: "drop-column"; readonly column: string; readonly ifExists: boolean }
  /** `isComputed`: by an expression that is more than the column itself, or a cast of it. */
  | { readonly kind: "change-type"; readonly column: string; readonly type: string; readonly isComputed: boolean }
  | { readonly kind: "set-not-null"; readonly column: string }
  | { readonly kind: "drop-not-null"; readonly column: string }
  | { readonly kind: "set-default"; readonly column: string; readonly isDropped: boolean }
  | { readonly kind: "add-constraint"; readonly constraint: Constraint }
  | { readonly kind: "validate"; readonly constraint: string }
  | { readonly kind: "drop-constraint"; readonly constraint: string; readonly ifExists: boolean }
  | { readonly kind: "detach"; readonly partition: SqlName; readonly isConcurrent: boolean }
  | { readonly kind: "attach"; readonly partition: SqlName }
  | { readonly kind: "row-security"; readonly isOn: boolean }
  /** Writes every row anew: another tablespace, access method or persistence. */
  | { readonly kind: "rewrite"; readonly what: string }
  /** Statistics, storage parameters and the like, which let reads and writes pass. */
  | { readonly kind: "light" }
  | { readonly kind: "other" };

/** From the weakest to the strongest, as PostgreSQL names them. */
export const LOCK_MODES = [
  "ACCESS SHARE",
  "ROW SHARE",
  "ROW EXCLUSIVE",
  "SHARE UPDATE EXCLUSIVE",
  "SHARE",
  "SHARE ROW EXCLUSIVE",
  "EXCLUSIVE",
  "ACCESS EXCLUSIVE",
] as const;
export type LockMode = (typeof LOCK_MODES)[number];
