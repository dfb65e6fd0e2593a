import { expect, test } from "vitest";
import { allowsOf } from "../../../src/rehearsal/allows-of.ts";
import { certify } from "../../../src/rehearsal/certificate/certify.ts";
import { openEnvelope, seal } from "../../../src/rehearsal/certificate/envelope.ts";
import { certificateText } from "../../../src/rehearsal/certificate/text.ts";
import { migrationNamed } from "../../simulation/sim-world.ts";
import { KEY, PASSED } from "./certificate/passed.ts";

test("every allow with a reason is told with its place, of every file of a migration", () => {
  const migration = {
    ...migrationNamed("0001_a", "expand"),
    up: "select 1;\n-- midflight: allow unbounded-write because ten rows\nupdate t set a = 1;\n-- midflight: allow squawk:x",
    down: "-- midflight: allow table-rewritten because  nobody reads it \nselect 1;",
  };
  expect(allowsOf({ db: [migration], other: [] })).toEqual([
    { file: "db/0001_a.up.sql", line: 2, rule: "unbounded-write", reason: "ten rows" },
    { file: "db/0001_a.down.sql", line: 1, rule: "table-rewritten", reason: "nobody reads it" },
  ]);
});

test("a certificate tells what was allowed to whoever decides by it", () => {
  const text = seal(certify(PASSED), KEY.signing);
  const told = certificateText(openEnvelope(Buffer.from(text), "c"));
  expect(told).toContain("Allowed in migrations\n  orders-db/0001_a.up.sql:3 allows unbounded-write because ten rows");
});

test("a certificate of a version that did not tell it is still read", () => {
  const { allows: _, ...predicate } = certify(PASSED).predicate;
  const text = seal({ ...certify(PASSED), predicate }, KEY.signing);
  expect(openEnvelope(Buffer.from(text), "c").statement.predicate.allows).toBeUndefined();
});
