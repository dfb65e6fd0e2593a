import type { Migration } from "../plan/model.ts";
import { allowsIn } from "../plan/source/allow.ts";

/** What the author of a migration lets a rule overlook, and why. It is told wherever somebody decides by the rehearsal. */
export type Allowance = {
  /** `orders-db/0001_bands.up.sql`. */
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly reason: string;
};

/** Every allow with a reason, of every migration of a plan. One without a reason allows nothing, and the lint refuses it. */
export const allowsOf = (migrations: Readonly<Record<string, readonly Migration[]>>): readonly Allowance[] =>
  Object.entries(migrations).flatMap(([component, all]) =>
    all.flatMap((migration) =>
      (["up", "verify", "down"] as const).flatMap((part) =>
        allowsIn(migration[part]).flatMap(({ at, rule, reason }) =>
          rule === "" || reason === ""
            ? []
            : [
                {
                  file: `${component}/${migration.name}.${part}.sql`,
                  line: migration[part].slice(0, at).split("\n").length,
                  rule,
                  reason,
                },
              ],
        ),
      ),
    ),
  );

export const allowanceText = ({ file, line, rule, reason }: Allowance): string =>
  `${file}:${line} allows ${rule} because ${reason}`;
