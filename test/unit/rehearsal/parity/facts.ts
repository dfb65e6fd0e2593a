import fc from "fast-check";
import type { EnvironmentFact, FactGroup } from "../../../../src/ports/facts.ts";
import type { Side } from "../../../../src/rehearsal/parity/compare.ts";

export const fact = (
  id: string,
  value: EnvironmentFact["value"],
  more: Partial<EnvironmentFact> = {},
): EnvironmentFact => ({
  id,
  component: id.slice(0, id.indexOf("/")),
  group: "schema",
  value,
  severity: "block",
  rule: "same",
  ...more,
});

export const demo = (...facts: readonly EnvironmentFact[]): Side => ({ name: "demo", class: "demo", facts });
export const production = (...facts: readonly EnvironmentFact[]): Side => ({
  name: "production",
  class: "production",
  facts,
});

/** Names that a record must survive too. */
const name = fc.constantFrom("a", "b", "tick_sz", "constructor", "__proto__", "toString", "");
const value = fc.oneof(
  fc.string(),
  fc.dictionary(name, fc.string(), { maxKeys: 4 }).map((record) => ({ ...record })),
);

/** Facts with ids of their own, of any kind but those that must not meet. */
export const someFacts: fc.Arbitrary<readonly EnvironmentFact[]> = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1 }).map((text) => `db/schema/${text.replaceAll("/", "|")}`),
    component: fc.constant("db"),
    group: fc.constantFrom<FactGroup>("schema", "settings", "rights", "extensions", "configuration"),
    value,
    severity: fc.constantFrom("block" as const, "warn" as const, "info" as const),
    rule: fc.constant("same" as const),
  }),
  { selector: ({ id }) => id, maxLength: 12 },
);
