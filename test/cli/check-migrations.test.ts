import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { midflight } from "../support/cli.ts";
import { scratch } from "../support/scratch.ts";

const folder = scratch();
const PLAN = `midflight: 1
plan: store
components:
  orders-db: { migrations: ./migrations }
steps:
  - migrate: orders-db
    phase: expand
guard:
  operations: [order, amend, cancel]
  falseAlarms: 1 per 30 days
  baseline: { atMost: 0.2% }
`;

/** A folder with a plan of one migration; `files` replace its parts. */
function planned(files: Readonly<Record<string, string | Buffer>> = {}): string {
  const dir = folder();
  mkdirSync(join(dir, "migrations"));
  const all: Readonly<Record<string, string | Buffer>> = {
    "0001_tag.up.sql": "-- midflight: phase expand\nalter table orders add column tag text;\n",
    "0001_tag.verify.sql": "select tag from orders where false;\n",
    "0001_tag.down.sql": "alter table orders drop column tag;\n",
    ...files,
  };
  writeFileSync(join(dir, "plan.yaml"), PLAN);
  for (const [name, text] of Object.entries(all)) writeFileSync(join(dir, "migrations", name), text);
  return dir;
}

const up = (sql: string) => ({ "0001_tag.up.sql": `-- midflight: phase expand\n${sql}` });

test("sound migrations pass, and the check needs nothing but the files", async () => {
  const { status, stdout, stderr } = await midflight(["check", "plan.yaml"], { cwd: planned() });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "plan.yaml: nothing wrong\n", stderr: "" });
});

test("what would hold up orders ends with 3, and shows the line, the lock and the way out", async () => {
  const dir = planned({ ...up("create index i on orders (uid);"), "0001_tag.down.sql": "drop index i;" });
  const { status, stdout, stderr } = await midflight(["check", "plan.yaml"], { cwd: dir });
  expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
  expect(stderr)
    .toBe(`error[MIGRATION_UNSAFE]: index-not-concurrent: CREATE INDEX stops every write to orders until the index is built (SHARE on orders)
  --> ./migrations/0001_tag.up.sql:2:1
   |
 2 | create index i on orders (uid);
   | ${"^".repeat(30)}
   = write CREATE INDEX CONCURRENTLY in a file of its own with -- midflight: no-transaction; for a partitioned table: on each partition, then ATTACH

1 problem in ./migrations/0001_tag.up.sql; nothing was touched
`);
});

test("a warning is shown, and does not keep anybody from going on", async () => {
  const dir = planned(up("alter table orders add column tag json;"));
  const { status, stdout, stderr } = await midflight(["check", "plan.yaml"], { cwd: dir });
  expect({ status, stdout }).toEqual({ status: 0, stdout: "plan.yaml: nothing wrong but what is warned of\n" });
  expect(stderr).toContain("warning[MIGRATION_UNSAFE]: json-column: ");
  expect(stderr).toContain("1 warning in ./migrations/0001_tag.up.sql");
});

test("machines get every finding, warnings too", async () => {
  const dir = planned(up("alter table orders add column tag json;\ncreate index i on orders (uid);"));
  const { status, stdout } = await midflight(["check", "plan.yaml", "--json"], { cwd: dir });
  expect(status).toBe(3);
  const told = JSON.parse(stdout);
  expect(told).toMatchObject({ kind: "check", ok: false, problems: [{ code: "MIGRATION_UNSAFE", line: 3 }] });
  expect(told.findings).toMatchObject([
    { rule: "json-column", severity: "warn", statement: 1 },
    { rule: "index-not-concurrent", severity: "block", statement: 2, lock: { mode: "SHARE", table: "orders" } },
  ]);
});

describe("a migration that is no SQL is placed", () => {
  test.each<readonly [string, Readonly<Record<string, string | Buffer>>, RegExp]>([
    ["does not parse", up("select 1;\n  crate table t;"), /MIGRATION_SYNTAX[^]*0001_tag\.up\.sql:3:3/],
    [
      "is not UTF-8",
      { "0001_tag.down.sql": Buffer.from("select 'k\xfcrzer';", "latin1") },
      /FILE_NOT_TEXT[^]*0001_tag\.down\.sql:1:10/,
    ],
    ["is empty", { "0001_tag.verify.sql": "" }, /MIGRATION_EMPTY[^]*0001_tag\.verify\.sql:1:1/],
    ["has commands of psql", up("\\i other.sql\nselect 1;"), /MIGRATION_COMMAND[^]*0001_tag\.up\.sql:2:1/],
    [
      "leaves a gap",
      { "0003_x.up.sql": "-- midflight: phase expand\nselect 1;" },
      /MIGRATION_NUMBER[^]*0003_x\.up\.sql/,
    ],
    [
      "has the number of another",
      { "0001_x.up.sql": "-- midflight: phase expand\nselect 1;" },
      /MIGRATION_NUMBER[^]*0001_x\.up\.sql/,
    ],
    ["ends the transaction", up("select 1;\ncommit;"), /MIGRATION_COMMAND[^]*0001_tag\.up\.sql:3:1/],
  ])("one that %s", async (_name, files, place) => {
    const { status, stdout, stderr } = await midflight(["check", "plan.yaml"], { cwd: planned(files) });
    expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
    expect(stderr).toMatch(place);
    expect(stderr).not.toMatch(/\n\s+at |node:internal/);
    // Each thing is told once, however many would notice it.
    const places = [...stderr.matchAll(/--> (\S+)/g)].map(([, at]) => at);
    expect(places).toEqual([...new Set(places)]);
  });
});

test("every plan that is shipped passes, with its migrations", async () => {
  const plans = fileURLToPath(new URL("../../plans", import.meta.url));
  const shipped = readdirSync(plans).filter(
    (name) => name.endsWith(".yaml") && readFileSync(join(plans, name), "utf8").includes("\nplan: "),
  );
  expect(shipped.length).toBeGreaterThan(3);
  for (const name of shipped) {
    const { status, stderr } = await midflight(["check", name], { cwd: plans });
    expect([name, status, stderr.includes("error[")]).toEqual([name, 0, false]);
  }
});

test("what is wrong elsewhere does not hide what is wrong in the migrations", async () => {
  const dir = planned(up("update orders set tag = 'x';"));
  const { status, stderr } = await midflight(["check", "plan.yaml", "--env", "nowhere"], { cwd: dir });
  expect(status).toBe(3);
  expect(stderr).toContain("nowhere.yaml");
  expect(stderr).toContain("unbounded-write");
});

test("explain tells what a rule is about, and how to allow it", async () => {
  const { status, stdout } = await midflight(["explain", "index-not-concurrent"], { cwd: folder() });
  expect(status).toBe(0);
  expect(stdout).toContain("CREATE INDEX on a table in use");
  expect(stdout).toContain("-- midflight: allow index-not-concurrent because REASON");
});

describe("squawk", () => {
  const fake = (dir: string, script: string): string => {
    const file = join(dir, "squawk");
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  };

  test("adds what it alone knows, where it is installed", async () => {
    const dir = planned();
    const printed = JSON.stringify([
      {
        file: join(dir, "migrations/0001_tag.up.sql"),
        line: 1,
        column: 0,
        level: "Warning",
        message: "Think again.",
        help: null,
        rule_name: "ban-thoughtlessness",
      },
    ]);
    writeFileSync(join(dir, "printed.json"), printed);
    const binary = fake(dir, `cat '${join(dir, "printed.json")}'; exit 1`);
    const { status, stderr } = await midflight(["check", "plan.yaml"], { cwd: dir, env: { SQUAWK: binary } });
    expect(stderr).toMatch(
      /warning\[MIGRATION_UNSAFE\]: squawk:ban-thoughtlessness: Think again\.[^]*0001_tag\.up\.sql:2:1/,
    );
    expect(status).toBe(0);
  });

  test("that does not answer is a failure that says how to go on without it", async () => {
    const dir = planned();
    const broken = { SQUAWK: fake(dir, "echo out of memory >&2; exit 3") };
    const { status, stderr } = await midflight(["check", "plan.yaml"], { cwd: dir, env: broken });
    expect(status).toBe(5);
    expect(stderr).toContain("LINTER_FAILED");
    expect(stderr).toContain("SQUAWK=");
    const missing = await midflight(["check", "plan.yaml"], { cwd: dir, env: { SQUAWK: join(dir, "none") } });
    expect(missing.status).toBe(5);
    expect((await midflight(["check", "plan.yaml"], { cwd: dir, env: { SQUAWK: "" } })).status).toBe(0);
  });
});
