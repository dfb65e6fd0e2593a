import { checkPlan, checkTogether } from "../../../src/plan/check.ts";
import type { Located, Parsed } from "../../../src/plan/located.ts";
import type { Migration, Plan } from "../../../src/plan/model.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { parsePlan } from "../../../src/plan/parse-plan.ts";
import { parseReleases } from "../../../src/plan/parse-releases.ts";
import type { Problem } from "../../../src/errors/problem.ts";

export const PLAN = `midflight: 1
plan: order-gateway-2
components:
  orders-db: { migrations: ./migrations/orders }
  gateway: { release: gateway@2.0, needs: [orders-db], floor: 100% }
steps:
  - migrate: orders-db
    phase: expand
  - roll: gateway
    waves:
      - { regions: [tokyo], batch: 1, surge: 1, soak: 20s }
      - { regions: rest, batch: 2, surge: 2, soak: 20s }
  - migrate: orders-db
    phase: contract
    irreversible: true
    backup: rebuild-bands
guard:
  operations: [order, amend, cancel]
backups:
  rebuild-bands: [{ run: [node, rebuild.mjs], timeout: 1m }, { verify: gateway }]
`;

export const ENVIRONMENT = `midflight: 1
environment: production
class: production
regions:
  tokyo: { probe: { okx: { rest: http://127.0.0.1:7110, accounts: { env: PROBES_TOKYO } } } }
  frankfurt: { probe: { okx: { rest: http://127.0.0.1:7210, accounts: { env: PROBES_FRANKFURT } } } }
components:
  orders-db: { driver: postgres, url: { env: ORDERS_DB_URL } }
  gateway: { driver: process, balancer: { tokyo: http://127.0.0.1:7190, frankfurt: http://127.0.0.1:7290 }, instances: 6 }
`;

const DIGEST = `sha256:${"0".repeat(64)}`;
export const RELEASES = `midflight: 1
releases:
  gateway@2.0: { process: { digest: "${DIGEST}", path: ../dist/gateway-2.0, run: [node, main.js] } }
`;

const migration = (name: string, phase: Migration["phase"]): Migration => ({
  name,
  phase,
  transactional: true,
  up: "select 1",
  verify: "select 1",
  down: "select 1",
});
export const MIGRATIONS = { "orders-db": [migration("0001_bands", "expand"), migration("0002_drop", "contract")] };

export const located = <T>(parsed: Parsed<T>): Located<T> => {
  if (!parsed.ok)
    throw new Error(
      parsed.problems.map((problem) => `${problem.line}:${problem.column} ${problem.message}`).join("\n"),
    );
  return parsed.located;
};

export const planOf = (text: string): Located<Plan> => located(parsePlan(text, "plan.yaml"));

/** Problems of the plan alone, with `from` in the text replaced by `to`. */
export const checkChanged = (...changes: readonly (readonly [string, string])[]): readonly Problem[] =>
  checkPlan(planOf(changed(PLAN, changes)));

export type Changes = {
  readonly plan?: readonly (readonly [string, string])[];
  readonly environment?: readonly (readonly [string, string])[];
  readonly releases?: readonly (readonly [string, string])[];
  readonly migrations?: Readonly<Record<string, readonly Migration[]>>;
};

/** Problems of all files together, with changes in them. */
export const checkAllChanged = (changes: Changes): readonly Problem[] =>
  checkTogether({
    plan: planOf(changed(PLAN, changes.plan ?? [])),
    environment: located(parseEnvironment(changed(ENVIRONMENT, changes.environment ?? []), "production.yaml")),
    releases: located(parseReleases(changed(RELEASES, changes.releases ?? []), "releases.yaml")),
    migrations: changes.migrations ?? MIGRATIONS,
  });

export const changed = (text: string, changes: readonly (readonly [string, string])[]): string =>
  changes.reduce((known, [from, to]) => {
    if (!known.includes(from)) throw new Error(`the text holds no ${JSON.stringify(from)}`);
    return known.replace(from, () => to);
  }, text);

/** What a problem underlines. */
export const marked = (problem: Problem): string =>
  Array.from(problem.source ?? "")
    .slice(problem.column - 1, problem.column - 1 + (problem.length ?? 0))
    .join("");

export const brief = (problems: readonly Problem[]) =>
  problems.map((problem) => ({ code: problem.code, at: `${problem.line}:${problem.column}`, marked: marked(problem) }));
