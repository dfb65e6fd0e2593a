import type { EnvironmentFact, FactValue } from "../../ports/facts.ts";

/** Two facts of which neither may be the other, and are. */
export type Meeting = { readonly a: EnvironmentFact; readonly b: EnvironmentFact; readonly why: string };

/** Where two environments are one: the same server, or the same address. Each is looked for under every name it may have on the other side. */
export const meetings = (a: readonly EnvironmentFact[], b: readonly EnvironmentFact[]): readonly Meeting[] => {
  const [here, there] = [a, b].map((facts) => facts.filter(({ rule }) => rule === "apart"));
  return (here ?? []).flatMap((one) =>
    (there ?? []).flatMap((other) => {
      const why = whySame(one.value, other.value);
      return why === undefined ? [] : [{ a: one, b: other, why }];
    }),
  );
};

/**
 * Why both are the same place; undefined when they are not. A restored copy has the system identifier of its original, but no server has the
 * start of another; and whoever is a standby of the other holds its very rows.
 */
function whySame(a: FactValue, b: FactValue): string | undefined {
  if (typeof a === "string" || typeof b === "string") return a === b ? "both are at one address" : undefined;
  if (a["system"] !== b["system"]) return undefined;
  const isSameDatabase = a["database"] === b["database"];
  if (a["startedAt"] === b["startedAt"])
    return isSameDatabase ? "both are the very same database" : "both are on the very same server";
  return isSameDatabase && a["standby"] !== b["standby"] ? "one is the standby of the other" : undefined;
}
