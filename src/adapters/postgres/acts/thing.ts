import type { Thing } from "../../../ports/sql-reader.ts";

/** What PostgreSQL's grammar calls the kind of an object. */
export function thingOf(kind: string | undefined): Thing {
  return THINGS[(kind ?? "").replace(/^OBJECT_/, "")] ?? "other";
}

const THINGS: Readonly<Record<string, Thing>> = {
  AGGREGATE: "function",
  ATTRIBUTE: "column",
  COLUMN: "column",
  DATABASE: "database",
  DOMAIN: "domain",
  DOMCONSTRAINT: "constraint",
  EXTENSION: "extension",
  FOREIGN_TABLE: "table",
  FUNCTION: "function",
  INDEX: "index",
  MATVIEW: "materialized view",
  POLICY: "policy",
  PROCEDURE: "procedure",
  ROUTINE: "function",
  RULE: "rule",
  SCHEMA: "schema",
  SEQUENCE: "sequence",
  TABCONSTRAINT: "constraint",
  TABLE: "table",
  TRIGGER: "trigger",
  TYPE: "type",
  VIEW: "view",
};
