import type { Migration } from "../../src/plan/model.ts";

/** A migration from its SQL. */
export const migration = (
  name: string,
  sql: { readonly up: string; readonly verify?: string; readonly down?: string; readonly transactional?: boolean },
): Migration => ({
  name,
  phase: "expand",
  transactional: sql.transactional ?? true,
  up: sql.up,
  verify: sql.verify ?? "select 1;",
  down: sql.down ?? "select 1;",
});

/** Asks until it is so, for at most ten seconds. */
export const until = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 10_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
