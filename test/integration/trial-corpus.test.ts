import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresTrials } from "../../src/adapters/postgres/trials/trials.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { readMigrations } from "../../src/plan/migrations.ts";
import { readStatements } from "../../src/rehearsal/trial/read-statements.ts";
import type { TrialResult } from "../../src/rehearsal/trial/result.ts";
import { tryMigrations } from "../../src/rehearsal/trial/try-migrations.ts";
import { startTestServer } from "../support/database.ts";
import type { TestServer } from "../support/database.ts";
import { graphOf, migrateMove } from "../support/trial-graph.ts";

const CORPUS = fileURLToPath(new URL("../corpus/migrations", import.meta.url));
const never = new AbortController().signal;

type Expect = {
  readonly rules: readonly string[];
  readonly severity: "block" | "warn";
  readonly broken?: {
    readonly statement: string;
    readonly cohorts?: readonly string[];
    readonly migrationStatement: number;
  };
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const tried = async (folder: string): Promise<TrialResult> => {
  const at = (name: string): string => readFileSync(join(CORPUS, folder, name), "utf8");
  const files = readdirSync(join(CORPUS, folder))
    .filter((name) => /^\d.*\.sql$/.test(name))
    .map((name) => ({ name, bytes: readFileSync(join(CORPUS, folder, name)) }));
  const { migrations, problems } = readMigrations(files, folder);
  expect(problems).toEqual([]);
  const url = await server.database();
  const owner = await server.session(url);
  await owner.query(at("base.sql"));
  await owner.end();
  const gateway = new URL(server.gatewayUrl);
  gateway.pathname = new URL(url).pathname;
  const admin = await server.session(server.superUrl.replace(/\/metadata$/, new URL(url).pathname));
  await admin.query("grant usage on schema public to gateway");
  await admin.end();
  const trials = postgresTrials({
    url,
    roles: { gateway: gateway.href },
    content: { rows: "all", mask: [] },
    sessions: "ask",
    clock: systemClock,
  });
  return tryMigrations(
    {
      store: "store",
      graph: graphOf(
        migrations.map(({ name, phase }, step) => migrateMove(step, [name], { irreversible: phase === "contract" })),
      ),
      migrations,
      applied: [],
      releases: existsSync(join(CORPUS, folder, "statements.json"))
        ? [
            {
              component: "gateway",
              side: "old",
              release: "gateway@1.0",
              queries: readStatements(at("statements.json"), "statements.json"),
            },
          ]
        : [],
      production: [],
      abortMs: 250,
    },
    trials,
    { now: () => performance.now(), progress: { trying: () => undefined }, signal: never },
  );
};

describe("migrations that only running them finds", () => {
  test.each(readdirSync(CORPUS).filter((name) => name.startsWith("r")))(
    "%s",
    async (folder) => {
      const wanted = JSON.parse(readFileSync(join(CORPUS, folder, "expect.json"), "utf8")) as Expect;
      const { findings, notes } = await tried(folder);
      const said = [
        ...findings.map(
          (one) => `${one.severity} ${one.rule} ${one.file}:${one.line} #${one.statement} ${one.message}`,
        ),
        ...notes,
      ];
      const found = new Set(findings.filter(({ severity }) => severity === wanted.severity).map(({ rule }) => rule));
      expect([...found].toSorted(), said.join("\n")).toEqual(wanted.rules.toSorted());
      const { statement, cohorts = [], migrationStatement } = wanted.broken ?? NONE;
      const broken = findings.find((one) => one.broken?.statement === statement);
      expect(broken?.statement, said.join("\n")).toBe(migrationStatement);
      expect(broken?.broken?.cohorts, said.join("\n")).toEqual(wanted.broken === undefined ? undefined : cohorts);
    },
    120_000,
  );
});

describe("sound migrations go up, down and up again, and nothing blocks them", () => {
  test.each(readdirSync(CORPUS).filter((name) => name.startsWith("s")))(
    "%s",
    async (folder) => {
      const { findings, migrations } = await tried(folder);
      expect(migrations.length).toBeGreaterThan(0);
      expect(findings.filter(({ severity }) => severity === "block")).toEqual([]);
    },
    120_000,
  );
});

/** Of a corpus file that names no statement of the release. */
const NONE = { statement: "-", cohorts: [], migrationStatement: undefined };
