import { expect, test } from "vitest";
import { checkEnvironment, checkPlan, checkReleases } from "../../../src/plan/check.ts";
import { checkSecrets } from "../../../src/plan/check-secrets.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { parseReleases } from "../../../src/plan/parse-releases.ts";
import {
  changed,
  checkAllChanged,
  checkChanged,
  ENVIRONMENT,
  located,
  marked,
  PLAN,
  planOf,
  RELEASES,
  type Changes,
} from "./plans.ts";

const CONTRACT = "  - migrate: orders-db\n    phase: contract\n    irreversible: true\n    backup: rebuild-bands\n";
const ROLL =
  "  - roll: gateway\n    waves:\n      - { regions: [tokyo], batch: 1, surge: 1, soak: 20s }\n      - { regions: rest, batch: 2, surge: 2, soak: 20s }\n";
const EXPAND = "  - migrate: orders-db\n    phase: expand\n";
type Change = readonly [string, string];

test("a plan that is in order breaks no rule, alone or together", () => {
  expect(checkPlan(planOf(PLAN))).toEqual([]);
  expect(checkAllChanged({})).toEqual([]);
});

test.each<{ name: string; change: readonly Change[]; code: string; line: number; mark: string; hint: string | RegExp }>(
  [
    {
      name: "a step of an unknown component",
      change: [["- roll: gateway", "- roll: gatway"]],
      code: "COMPONENT_UNKNOWN",
      line: 9,
      mark: "gatway",
      hint: 'did you mean "gateway"?',
    },
    {
      name: "a need of an unknown component",
      change: [["needs: [orders-db]", "needs: [orders-db, stock]"]],
      code: "COMPONENT_UNKNOWN",
      line: 5,
      mark: "stock",
      hint: /there are/,
    },
    {
      name: "a backup plan that verifies an unknown component",
      change: [["{ verify: gateway }", "{ verify: gatewy }"]],
      code: "COMPONENT_UNKNOWN",
      line: 20,
      mark: "gatewy",
      hint: 'did you mean "gateway"?',
    },
    {
      name: "a component that needs itself",
      change: [["needs: [orders-db]", "needs: [orders-db, gateway]"]],
      code: "NEEDS_CYCLE",
      line: 5,
      mark: "gateway",
      hint: /take out/,
    },
    {
      name: "components that need each other",
      change: [["{ migrations: ./migrations/orders }", "{ migrations: ./migrations/orders, needs: [gateway] }"]],
      code: "NEEDS_CYCLE",
      line: 5,
      mark: "orders-db",
      hint: /take out/,
    },
    {
      name: "a need named twice",
      change: [["needs: [orders-db]", "needs: [orders-db, orders-db]"]],
      code: "NAME_REPEATED",
      line: 5,
      mark: "orders-db",
      hint: /delete/,
    },
    {
      name: "an operation named twice",
      change: [["[order, amend, cancel]", "[order, amend, order]"]],
      code: "NAME_REPEATED",
      line: 18,
      mark: "order",
      hint: /delete/,
    },
    {
      name: "a component of no kind",
      change: [["steps:\n", "  extra: { floor: 50% }\nsteps:\n"]],
      code: "COMPONENT_KIND",
      line: 6,
      mark: "extra",
      hint: /release/,
    },
    {
      name: "a component of both kinds",
      change: [["{ release: gateway@2.0,", "{ release: gateway@2.0, migrations: ./x,"]],
      code: "COMPONENT_KIND",
      line: 5,
      mark: "migrations",
      hint: /release/,
    },
    {
      name: "a roll of a store",
      change: [["steps:\n", "steps:\n  - roll: orders-db\n"]],
      code: "STEP_DOES_NOT_FIT",
      line: 7,
      mark: "orders-db",
      hint: /a release/,
    },
    {
      name: "a migration of a workload",
      change: [[CONTRACT, `${CONTRACT}  - migrate: gateway\n    phase: contract\n`]],
      code: "STEP_DOES_NOT_FIT",
      line: 17,
      mark: "gateway",
      hint: /migrations/,
    },
    {
      name: "a phase migrated twice",
      change: [[EXPAND, EXPAND + EXPAND]],
      code: "STEP_TWICE",
      line: 9,
      mark: "orders-db",
      hint: /delete one/,
    },
    {
      name: "a region rolled twice",
      change: [[CONTRACT, `  - roll: gateway\n    waves: [{ regions: [tokyo], soak: 1s }]\n${CONTRACT}`]],
      code: "STEP_TWICE",
      line: 13,
      mark: "gateway",
      hint: /one of them/,
    },
    {
      name: "a wave after the rest",
      change: [
        [
          "regions: rest, batch: 2, surge: 2, soak: 20s }",
          "regions: rest }\n      - { regions: [frankfurt], soak: 1s }",
        ],
      ],
      code: "REST_NOT_LAST",
      line: 12,
      mark: "rest",
      hint: /last wave/,
    },
    {
      name: "a region in two waves",
      change: [["regions: rest", "regions: [frankfurt, tokyo]"]],
      code: "REGION_TWICE",
      line: 12,
      mark: "tokyo",
      hint: /one wave/,
    },
    {
      name: "a surge smaller than its batch",
      change: [["batch: 2, surge: 2", "batch: 2, surge: 1"]],
      code: "SURGE_TOO_SMALL",
      line: 12,
      mark: "1",
      hint: "make it 2, or 0 to stop the old ones first",
    },
    {
      name: "an irreversible step without a backup plan",
      change: [["    backup: rebuild-bands\n", ""]],
      code: "IRREVERSIBLE_UNBACKED",
      line: 15,
      mark: "true",
      hint: /backup/,
    },
    {
      name: "an unknown backup plan",
      change: [["backup: rebuild-bands", "backup: rebuild-band"]],
      code: "BACKUP_UNKNOWN",
      line: 16,
      mark: "rebuild-band",
      hint: 'did you mean "rebuild-bands"?',
    },
    {
      name: "a release by a tag that moves",
      change: [["gateway@2.0", "gateway@latest"]],
      code: "RELEASE_MOVING",
      line: 5,
      mark: "gateway@latest",
      hint: /certified/,
    },
    {
      name: "a release by the main branch",
      change: [["gateway@2.0", "gateway@Main"]],
      code: "RELEASE_MOVING",
      line: 5,
      mark: "gateway@Main",
      hint: /certified/,
    },
    {
      name: "a release without a version",
      change: [["gateway@2.0", "gateway"]],
      code: "RELEASE_MOVING",
      line: 5,
      mark: "gateway",
      hint: /gateway@2.0/,
    },
    {
      name: "a guard that watches nothing",
      change: [["[order, amend, cancel]", "[]"]],
      code: "GUARD_BLIND",
      line: 18,
      mark: "[]",
      hint: /name order/,
    },
    {
      name: "a guard that calls a bad day health",
      change: [["operations: [order, amend, cancel]", "baseline: { atMost: 5% }"]],
      code: "GUARD_BLIND",
      line: 18,
      mark: "5%",
      hint: /less than 5%/,
    },
    {
      name: "a guard for which nothing is slow",
      change: [["operations: [order, amend, cancel]", "slowerThan: 300ms"]],
      code: "GUARD_BLIND",
      line: 18,
      mark: "300ms",
      hint: /250ms/,
    },
    {
      name: "a proof of what the baseline calls health",
      change: [["- roll: gateway\n", "- roll: gateway\n    dark: { exclude: 0.1% }\n"]],
      code: "PROOF_IMPOSSIBLE",
      line: 10,
      mark: "0.1%",
      hint: /well above/,
    },
    {
      name: "several words for a shell",
      change: [["run: [node, rebuild.mjs], timeout", "run: [node, rebuild.mjs], shell: true, timeout"]],
      code: "SHELL_WORDS",
      line: 20,
      mark: "[node, rebuild.mjs]",
      hint: /one text/,
    },
    {
      name: "a deadline within which nothing drains",
      change: [["    waves:\n", "    deadline: 10s\n    waves:\n"]],
      code: "DEADLINE_TOO_SHORT",
      line: 10,
      mark: "10s",
      hint: /longer than 13s/,
    },
  ],
)("$name is refused where it stands", ({ change, code, line, mark, hint }) => {
  const problems = checkChanged(...change);
  expect(problems.map((problem) => ({ code: problem.code, line: problem.line, mark: marked(problem) }))).toContainEqual(
    { code, line, mark },
  );
  expect(problems.find((problem) => problem.code === code)?.hint).toMatch(hint);
});

test.each<{ name: string; change: readonly Change[]; message: RegExp }>([
  {
    name: "before the roll",
    change: [
      [CONTRACT, ""],
      [ROLL, CONTRACT + ROLL],
    ],
    message: /gateway, which needs orders-db, is changed by step 3 \(roll\)/,
  },
  {
    name: "before its expand",
    change: [
      [EXPAND, ""],
      ["guard:", `${EXPAND}guard:`],
    ],
    message: /its expand is step 3/,
  },
  {
    name: "before the last wave has soaked",
    change: [["surge: 2, soak: 20s", "surge: 2"]],
    message: /nothing soaks between step 2 \(roll\) and this contract/,
  },
  { name: "right after its expand", change: [[ROLL, ""]], message: /nothing soaks between step 1 \(migrate\)/ },
  {
    name: "while the old release has users",
    change: [[CONTRACT, `  - shift: gateway\n    to: 90%\n    soak: 1m\n${CONTRACT}`]],
    message: /leaves 10% of the users/,
  },
])("a contract $name is refused", ({ change, message }) => {
  const problems = checkChanged(...change).filter((problem) => problem.code === "CONTRACT_TOO_EARLY");
  expect(problems.map((problem) => problem.message)).toEqual([expect.stringMatching(message)]);
});

test.each<{ name: string; change: readonly Change[] }>([
  {
    name: "a step that soaks",
    change: [
      ["surge: 2, soak: 20s", "surge: 2"],
      [CONTRACT, `  - soak: 1m\n${CONTRACT}`],
    ],
  },
  {
    name: "a shift of all users that soaks",
    change: [
      ["surge: 2, soak: 20s", "surge: 2"],
      [CONTRACT, `  - shift: gateway\n    to: 100%\n    soak: 1m\n${CONTRACT}`],
    ],
  },
  { name: "an approval after a wave that soaked", change: [[CONTRACT, `  - approve: { who: ops }\n${CONTRACT}`]] },
  {
    name: "nothing that needs it, in a plan of its own",
    change: [
      [EXPAND, ""],
      [ROLL, ""],
    ],
  },
])("a contract after $name is in order", ({ change }) => {
  expect(checkChanged(...change)).toEqual([]);
});

test("a roll before the expand that it needs is refused", () => {
  const problems = checkChanged([EXPAND, ""], [CONTRACT, EXPAND]);
  expect(problems.map((problem) => problem.code)).toEqual(["EXPAND_TOO_LATE"]);
  expect(problems[0]).toMatchObject({ line: 7, message: "gateway needs orders-db, which is expanded only in step 2" });
});

test("regions rolled one by one in steps of their own are no repetition", () => {
  const second = "  - roll: gateway\n    waves: [{ regions: [frankfurt], soak: 20s }]\n";
  expect(checkChanged(["      - { regions: rest, batch: 2, surge: 2, soak: 20s }\n", second])).toEqual([]);
});

test("every breach of every rule is told at once, in the order of the file", () => {
  const problems = checkChanged(
    ["gateway@2.0", "gateway@latest"],
    ["{ verify: gateway }", "{ verify: gatway }"],
    ["batch: 2, surge: 2", "batch: 2, surge: 1"],
    ["backup: rebuild-bands", "backup: x"],
  );
  expect(problems.map((problem) => problem.code)).toEqual([
    "RELEASE_MOVING",
    "SURGE_TOO_SMALL",
    "BACKUP_UNKNOWN",
    "COMPONENT_UNKNOWN",
  ]);
});

test.each<{ name: string; changes: Changes; code: string; file: string; mark: string; message: RegExp }>([
  {
    name: "a component that is nowhere",
    changes: { environment: [["  gateway: {", "  gatewy: {"]] },
    code: "COMPONENT_UNPLACED",
    file: "plan.yaml",
    mark: "gateway",
    message: /production.yaml does not say where gateway is/,
  },
  {
    name: "a region that is not there",
    changes: { plan: [["[tokyo]", "[tokio]"]] },
    code: "REGION_UNKNOWN",
    file: "plan.yaml",
    mark: "tokio",
    message: /no region "tokio"/,
  },
  {
    name: "a region without the component",
    changes: { environment: [["tokyo: http://127.0.0.1:7190, ", ""]] },
    code: "REGION_UNKNOWN",
    file: "plan.yaml",
    mark: "tokyo",
    message: /gateway does not run in tokyo/,
  },
  {
    name: "a batch larger than all",
    changes: { plan: [["batch: 2, surge: 2", "batch: 7, surge: 7"]] },
    code: "BATCH_TOO_LARGE",
    file: "plan.yaml",
    mark: "7",
    message: /more than the 6 instances/,
  },
  {
    name: "a batch that breaks the floor",
    changes: { plan: [["batch: 2, surge: 2", "batch: 2, surge: 0"]] },
    code: "FLOOR_BROKEN",
    file: "plan.yaml",
    mark: "0",
    message: /leaves 66% .* floor is 100%/,
  },
  {
    name: "a batch that just breaks the floor",
    changes: {
      plan: [
        ["batch: 2, surge: 2", "batch: 2, surge: 0"],
        ["floor: 100%", "floor: 67%"],
      ],
    },
    code: "FLOOR_BROKEN",
    file: "plan.yaml",
    mark: "0",
    message: /floor is 67%/,
  },
  {
    name: "a release that is not listed",
    changes: { plan: [["gateway@2.0", "gateway@2.1"]] },
    code: "RELEASE_UNKNOWN",
    file: "plan.yaml",
    mark: "gateway@2.1",
    message: /releases.yaml does not know gateway@2.1/,
  },
  {
    name: "a release for another driver",
    changes: {
      releases: [
        ['process: { digest: "sha256:', 'command: { digest: "sha256:'],
        [", path: ../dist/gateway-2.0, run: [node, main.js]", ""],
      ],
    },
    code: "RELEASE_UNKNOWN",
    file: "releases.yaml",
    mark: "gateway@2.0",
    message: /nothing for the driver process/,
  },
  {
    name: "a driver that cannot migrate",
    changes: {
      environment: [
        [
          "driver: postgres, url: { env: ORDERS_DB_URL }",
          "driver: command, observe: [a], apply: [b], undo: [c], ready: [d]",
        ],
      ],
    },
    code: "DRIVER_CANNOT",
    file: "plan.yaml",
    mark: "orders-db",
    message: /command of orders-db cannot migrate/,
  },
  {
    name: "a phase without a migration",
    changes: { migrations: { "orders-db": [] } },
    code: "MIGRATION_NONE",
    file: "plan.yaml",
    mark: "expand",
    message: /no migration of phase expand was found/,
  },
  {
    name: "a contract that leaves a region behind",
    changes: {
      plan: [["regions: rest", "regions: [osaka]"]],
      environment: [
        ["  frankfurt: {", "  osaka: {"],
        ["frankfurt: http", "osaka: http"],
        ["osaka: http://127.0.0.1:7290", "osaka: http://127.0.0.1:7290, nagoya: http://127.0.0.1:7390"],
        [
          "components:",
          "  nagoya: { probe: { okx: { rest: http://127.0.0.1:7310, accounts: { env: P } } } }\ncomponents:",
        ],
      ],
    },
    code: "CONTRACT_TOO_EARLY",
    file: "plan.yaml",
    mark: "contract",
    message: /nagoya would still run the old release/,
  },
  {
    name: "state in a store that the plan upgrades, by its variable",
    changes: { environment: [["components:", "state: { env: ORDERS_DB_URL }\ncomponents:"]] },
    code: "STATE_IN_UPGRADED_STORE",
    file: "production.yaml",
    mark: "{ env: ORDERS_DB_URL }",
    message: /orders-db, which this plan upgrades/,
  },
  {
    name: "state in a store that the plan upgrades, by its address",
    changes: {
      environment: [
        ["{ env: ORDERS_DB_URL }", "postgres://a@db/orders"],
        ["components:", "state: postgresql://b@db:5432/orders?x=1\ncomponents:"],
      ],
    },
    code: "STATE_IN_UPGRADED_STORE",
    file: "production.yaml",
    mark: "postgresql://b@db:5432/orders?x=1",
    message: /orders-db/,
  },
])("together, $name is refused in the right file", ({ changes, code, file, mark, message }) => {
  const problem = checkAllChanged(changes).find((one) => one.code === code);
  expect(problem).toMatchObject({ code, file, message: expect.stringMatching(message) as string });
  expect(problem === undefined ? "" : marked(problem)).toBe(mark);
});

test.each<{ name: string; plan: readonly Change[] }>([
  {
    name: "exactly at the floor",
    plan: [
      ["batch: 2, surge: 2", "batch: 3, surge: 0"],
      ["floor: 100%", "floor: 50%"],
    ],
  },
  { name: "with as much surplus as the batch", plan: [["batch: 2, surge: 2", "batch: 6, surge: 6"]] },
])("a batch $name holds", ({ plan }) => {
  expect(checkAllChanged({ plan })).toEqual([]);
});

test("counters that nobody would read are told of", () => {
  const environment: readonly Change[] = [
    ["instances: 6", "instances: 6, entry: false, counters: { path: /-/metrics, metric: operations_total }"],
  ];
  expect(checkAllChanged({ environment }).map(({ code, message }) => [code, message.slice(0, 25)])).toContainEqual([
    "GUARD_BLIND",
    "gateway counts operations",
  ]);
});

test("what takes no operation of a user is rolled only without a proof in the dark", () => {
  const environment: readonly Change[] = [["instances: 6", "instances: 6, entry: false"]];
  expect(checkAllChanged({ environment }).map(({ code, hint }) => [code, hint])).toEqual([
    ["DRIVER_CANNOT", "write `dark: none`, so that readers see it"],
  ]);
  expect(checkAllChanged({ environment, plan: [["- roll: gateway\n", "- roll: gateway\n    dark: none\n"]] })).toEqual(
    [],
  );
});

test("what commands drive is rolled only without a proof in the dark, and never shifted", () => {
  const environment: readonly Change[] = [
    [
      "driver: process, balancer: { tokyo: http://127.0.0.1:7190, frankfurt: http://127.0.0.1:7290 }, instances: 6",
      "driver: command, observe: [a], apply: [b], undo: [c], ready: [d]",
    ],
  ];
  const releases: readonly Change[] = [
    ['process: { digest: "sha256:', 'command: { digest: "sha256:'],
    [", path: ../dist/gateway-2.0, run: [node, main.js]", ""],
  ];
  const small: Change = ["batch: 2, surge: 2", "batch: 1, surge: 1"];
  expect(checkAllChanged({ environment, releases, plan: [small] }).map((problem) => problem.hint)).toEqual([
    "write `dark: none`, so that readers see it",
  ]);
  expect(
    checkAllChanged({
      environment,
      releases,
      plan: [small, ["- roll: gateway\n", "- roll: gateway\n    dark: none\n"]],
    }),
  ).toEqual([]);
  const shifted = checkAllChanged({
    environment,
    releases,
    plan: [
      small,
      [ROLL.replace("batch: 2, surge: 2", "batch: 1, surge: 1"), "  - shift: gateway\n    to: 100%\n    soak: 1m\n"],
    ],
  });
  expect(shifted.map((problem) => problem.message)).toEqual([
    "the driver command of gateway cannot shift: it has no balancer",
  ]);
});

test.each<{ name: string; change: Change; code: string; mark: string }>([
  {
    name: "a region without a probe",
    change: ["{ probe: { okx: { rest: http://127.0.0.1:7210, accounts: { env: PROBES_FRANKFURT } } } }", "{}"],
    code: "REGION_UNPROBED",
    mark: "frankfurt",
  },
  {
    name: "a balancer in no region",
    change: ["frankfurt: http", "frankfort: http"],
    code: "REGION_UNKNOWN",
    mark: "frankfort",
  },
  {
    name: "a password in an address",
    change: ["{ env: ORDERS_DB_URL }", "postgres://me:hunter2@db/orders"],
    code: "SECRET_IN_FILE",
    mark: "postgres://me:*******@db/orders",
  },
  {
    name: "probe accounts in the file",
    change: ["{ env: PROBES_TOKYO }", `'[{"apiKey":"k","secret":"s3cr3t"}]'`],
    code: "SECRET_IN_FILE",
    mark: `'[{"apiKey":"*","secret":"******"}]'`,
  },
  {
    name: "a secret of an instance in the file",
    change: ["instances: 6", "instances: 6, env: { DB_PASSWORD: hunter2 }"],
    code: "SECRET_IN_FILE",
    mark: "*******",
  },
  {
    name: "state in a store",
    change: ["components:", "state: postgres://db/x\ncomponents:"],
    code: "STATE_UNSUPPORTED",
    mark: "postgres://db/x",
  },
  {
    name: "state that is written as on a command line",
    change: ["components:", "state: kubernetes:prod/midflight\ncomponents:"],
    code: "STATE_UNSUPPORTED",
    mark: "kubernetes:prod/midflight",
  },
  {
    name: "trials on production's own server",
    change: ["driver: postgres,", "driver: postgres, trials: { sessions: send-away },"],
    code: "TRIALS_IN_PRODUCTION",
    mark: "{ sessions: send-away }",
  },
  {
    name: "a reference table named twice",
    change: [
      "driver: postgres,",
      "driver: postgres, reference: [{ table: a, key: [x] }, { table: public.a, key: [x] }],",
    ],
    code: "NAME_REPEATED",
    mark: "public.a",
  },
  {
    name: "a column twice in a key",
    change: ["driver: postgres,", "driver: postgres, reference: [{ table: a, key: [x, y, x] }],"],
    code: "NAME_REPEATED",
    mark: "x",
  },
  {
    name: "a key that is ignored",
    change: ["driver: postgres,", "driver: postgres, reference: [{ table: a, key: [x], ignore: [y, x] }],"],
    code: "VALUE_WRONG",
    mark: "[y, x]",
  },
])("an environment with $name is refused, and no secret is shown", ({ change, code, mark }) => {
  const problems = checkEnvironment(located(parseEnvironment(changed(ENVIRONMENT, [change]), "production.yaml")));
  expect(problems.map((problem) => problem.code)).toEqual([code]);
  expect(problems.map(marked)).toEqual([mark]);
  expect(JSON.stringify(problems)).not.toMatch(/hunter2|s3cr3t/);
});

test.each<{ name: string; change: Change; code: string }>([
  { name: "under a moving tag", change: ["gateway@2.0:", "gateway@stable:"], code: "RELEASE_MOVING" },
  { name: "without a version", change: ["gateway@2.0:", "gateway:"], code: "RELEASE_MOVING" },
  {
    name: "as an image without a digest",
    change: ["process: {", "kubernetes: { image: registry/gateway:2.0 }, process: {"],
    code: "RELEASE_MOVING",
  },
  { name: "for no driver", change: ["releases:\n", "releases:\n  gateway@1.0: {}\n"], code: "RELEASE_UNKNOWN" },
])("a release listed $name is refused", ({ change, code }) => {
  expect(
    checkReleases(located(parseReleases(changed(RELEASES, [change]), "releases.yaml"))).map((problem) => problem.code),
  ).toEqual([code]);
});

test("every variable that is missing is told by name and place, and no value of any is printed", () => {
  const environment = located(
    parseEnvironment(
      changed(ENVIRONMENT, [["instances: 6", "instances: 6, env: { A: { env: A, default: x }, B: { file: b.txt } }"]]),
      "production.yaml",
    ),
  );
  const problems = checkSecrets(environment, { PROBES_TOKYO: "s3cr3t", ORDERS_DB_URL: "" });
  expect(problems.map((problem) => problem.message)).toEqual([
    "the environment variable PROBES_FRANKFURT is not set: the probe accounts of frankfurt",
    "the environment variable ORDERS_DB_URL is empty: the address of orders-db",
  ]);
  expect(problems.map(marked)).toEqual(["PROBES_FRANKFURT", "ORDERS_DB_URL"]);
  expect(JSON.stringify(problems)).not.toContain("s3cr3t");
});

test("an environment that is rehearsed somewhere cannot be of class demo", () => {
  const text = changed(ENVIRONMENT, [["class: production", "class: demo\nrehearsedIn: staging"]]);
  const problems = checkEnvironment(located(parseEnvironment(text, "production.yaml")));
  expect(problems.map((problem) => ({ code: problem.code, line: problem.line, mark: marked(problem) }))).toEqual([
    { code: "CLASS_CONTRADICTED", line: 3, mark: "demo" },
  ]);
});
