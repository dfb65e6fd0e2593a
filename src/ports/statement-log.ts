/** What a store has counted of the statements that were sent to it, by whom. It only looks. */
export interface StatementLog {
  /**
   * Everything counted so far of these roles in this database; undefined where the store does not count (PostgreSQL: without
   * pg_stat_statements, or without the right to read it). Rejects `METADATA_UNREACHABLE`.
   */
  counted(roles: readonly string[], signal: AbortSignal): Promise<readonly CountedStatement[] | undefined>;
  /** The same text for statements that differ in their values alone; undefined for what is no query. */
  shapeOf(sql: string): Promise<string | undefined>;
}

export type CountedStatement = {
  readonly role: string;
  /** With placeholders where values were. */
  readonly sql: string;
  readonly calls: number;
};
