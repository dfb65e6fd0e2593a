import { expect, test } from "vitest";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { parsePlan } from "../../../src/plan/parse-plan.ts";
import { parseReleases } from "../../../src/plan/parse-releases.ts";
import type { Problem } from "../../../src/errors/problem.ts";
import { brief, changed, ENVIRONMENT, located, marked, PLAN, RELEASES } from "./plans.ts";

const problemsOf = (
  text: string | Uint8Array,
  parse: typeof parsePlan | typeof parseEnvironment | typeof parseReleases = parsePlan,
): readonly Problem[] => {
  const parsed = parse(text, "file.yaml");
  return parsed.ok ? [] : parsed.problems;
};

test("a plan means what it says, with defaults filled in and units gone", () => {
  const { value } = located(parsePlan(PLAN, "plans/plan.yaml"));
  expect(value).toEqual({
    midflight: 1,
    file: "plans/plan.yaml",
    name: "order-gateway-2",
    components: {
      "orders-db": { migrations: "./migrations/orders", needs: [], floorPct: 100 },
      gateway: { release: "gateway@2.0", needs: ["orders-db"], floorPct: 100 },
    },
    steps: [
      {
        kind: "migrate",
        component: "orders-db",
        phase: "expand",
        irreversible: false,
        undo: "suspect",
        deadlineMs: 300_000,
        retries: 3,
      },
      {
        kind: "roll",
        component: "gateway",
        dark: { excludePct: 5, confidencePct: 99 },
        drain: { noticeMs: 3_000, deadlineMs: 10_000 },
        waves: [
          { regions: ["tokyo"], batch: 1, surge: 1, soakMs: 20_000 },
          { regions: "rest", batch: 2, surge: 2, soakMs: 20_000 },
        ],
        deadlineMs: 300_000,
        retries: 2,
      },
      {
        kind: "migrate",
        component: "orders-db",
        phase: "contract",
        irreversible: true,
        backup: "rebuild-bands",
        undo: "suspect",
        deadlineMs: 300_000,
        retries: 3,
      },
    ],
    guard: {
      operations: ["order", "amend", "cancel"],
      falseAlarmEveryMs: 2_592_000_000,
      baselineAtMostPct: 0.1,
      slowerThanMs: 250,
      deadlineMs: 250,
      probesPerSec: 30,
      suspectForMs: 10_000,
      holdForMs: 600_000,
    },
    rehearsal: { soakMs: 600_000, drillSoakMs: 10_000, validForMs: 604_800_000 },
    backups: {
      "rebuild-bands": [
        { kind: "run", argv: ["node", "rebuild.mjs"], shell: false, timeoutMs: 60_000 },
        { kind: "verify", component: "gateway", timeoutMs: 60_000 },
      ],
    },
  });
});

test("every kind of step and every field of the guard can be written", () => {
  const text = `midflight: 1
plan: all
summary: Everything
components: { gateway: { release: gateway@2.0, floor: 66.5% } }
steps:
  - roll: gateway
    dark: none
    deadline: 10m
    retries: 5
  - shift: gateway
    to: 50%
    regions: [tokyo]
    soak: 1m
  - run: [echo, "1"]
  - run: { argv: ["a | b"], undo: ["c"], shell: true }
    retries: 1
  - soak: 20s
  - verify: gateway
  - approve: { who: ops, in: [production] }
  - approve: { who: ops }
guard: { operations: [order], falseAlarms: 1 per week, baseline: { atMost: 1% }, slowerThan: 100ms, deadline: 1s, budget: { failedOperations: 7 }, probes: 10/s, suspectFor: 5s, holdFor: 1h }
`;
  const { value } = located(parsePlan(text, "plan.yaml"));
  expect(value.steps).toEqual([
    {
      kind: "roll",
      component: "gateway",
      drain: { noticeMs: 3_000, deadlineMs: 10_000 },
      waves: [{ regions: "rest", batch: 1, surge: 1, soakMs: 0 }],
      deadlineMs: 600_000,
      retries: 5,
    },
    {
      kind: "shift",
      component: "gateway",
      toPct: 50,
      regions: ["tokyo"],
      soakMs: 60_000,
      deadlineMs: 60_000,
      retries: 2,
    },
    { kind: "run", argv: ["echo", "1"], shell: false, deadlineMs: 300_000, retries: 0 },
    { kind: "run", argv: ["a | b"], undo: ["c"], shell: true, deadlineMs: 300_000, retries: 1 },
    { kind: "soak", ms: 20_000 },
    { kind: "verify", component: "gateway", deadlineMs: 60_000, retries: 2 },
    { kind: "approve", who: "ops", in: ["production"] },
    { kind: "approve", who: "ops", in: ["demo", "production"] },
  ]);
  expect(value.guard).toEqual({
    operations: ["order"],
    falseAlarmEveryMs: 604_800_000,
    baselineAtMostPct: 1,
    slowerThanMs: 100,
    deadlineMs: 1000,
    budgetFailedOperations: 7,
    probesPerSec: 10,
    suspectForMs: 5_000,
    holdForMs: 3_600_000,
  });
});

test.each([
  ["a soak may last for a month", "soak: 30d", []],
  ["a move may last for a week", "deadline: 7d", []],
  ["who has not ended by then will not", "deadline: 8d", ["it is more than 7d"]],
  ["a year is the end of everything", "soak: 367d", ["it is longer than a year"]],
])("%s: %s", (_, text, says) => {
  const step = text.startsWith("soak") ? `  - ${text}` : `  - verify: gateway\n    ${text}`;
  const problems = problemsOf(PLAN.replace("steps:", `steps:\n${step}`));
  expect(problems.map(({ message }) => says.find((one) => message.includes(one)) ?? message)).toEqual(says);
});

test("an environment means what it says", () => {
  const text = `${ENVIRONMENT}  clearing: { driver: command, observe: [a], apply: [b], undo: [c], ready: [d], timeout: 2m }
rehearsedIn: demo
notify: [{ webhook: { url: { env: PAGER_URL } }, on: [tripped] }, { command: [page] }]
trusts: [./keys/a.json]
approval: { notBySigner: true }
state: ../state
`;
  const { value } = located(parseEnvironment(text, "production.yaml"));
  expect(value).toMatchObject({
    name: "production",
    class: "production",
    rehearsedIn: "demo",
    regions: {
      tokyo: {
        probe: {
          kind: "okx",
          rest: "http://127.0.0.1:7110",
          accounts: { env: "PROBES_TOKYO" },
          instrument: "BTC-USDT",
          simulatedTrading: false,
        },
      },
    },
    components: {
      "orders-db": { driver: "postgres", url: { env: "ORDERS_DB_URL" } },
      gateway: {
        driver: "process",
        instances: 6,
        env: {},
        ready: "/-/ready",
        drain: "/-/drain",
        undrain: "/-/undrain",
        drained: "/-/drained",
        readyDeadlineMs: 30_000,
        stopDeadlineMs: 10_000,
        isEntry: true,
      },
      clearing: {
        driver: "command",
        observe: ["a"],
        apply: ["b"],
        undo: ["c"],
        ready: ["d"],
        shell: false,
        timeoutMs: 120_000,
      },
    },
    notify: [
      { target: { kind: "webhook", url: { env: "PAGER_URL" } }, on: ["tripped", "override"] },
      {
        target: { kind: "command", argv: ["page"] },
        on: ["tripped", "stranded", "unknown", "ended", "held", "approval", "override"],
      },
    ],
    trusts: ["./keys/a.json"],
    approval: { notBySigner: true },
    state: "../state",
  });
});

test("state in a namespace of Kubernetes leaves this machine a folder for what only it needs", () => {
  const state = 'state: { kubernetes: { context: "arn:aws:eks:eu/prod", namespace: midflight } }\ncomponents:';
  const { value } = located(parseEnvironment(changed(ENVIRONMENT, [["components:", state]]), "production.yaml"));
  expect(value).toMatchObject({
    state: ".midflight",
    stateCluster: { context: "arn:aws:eks:eu/prod", namespace: "midflight" },
  });
  expect(value.stateStore).toBeUndefined();
});

test("a place for conductors in the cluster is kept as it is written", () => {
  const place =
    "{ image: registry/midflight, serviceAccount: conductor, context: prod, namespace: upgrades, env: venue }";
  const change = [["components:", `inCluster: ${place}\ncomponents:`]] as const;
  expect(located(parseEnvironment(changed(ENVIRONMENT, change), "production.yaml")).value.inCluster).toEqual({
    image: "registry/midflight",
    serviceAccount: "conductor",
    context: "prod",
    namespace: "upgrades",
    env: "venue",
  });
});

test("probes in a demo environment say that they only simulate", () => {
  const { value } = located(
    parseEnvironment(changed(ENVIRONMENT, [["class: production", "class: demo"]]), "demo.yaml"),
  );
  expect(value.regions["tokyo"]?.probe).toMatchObject({ kind: "okx", simulatedTrading: true });
});

test.each([
  { given: "{ orders: 20 }", means: { orders: 20 } },
  { given: "{ orders: 20, notional: 500 }", means: { orders: 20, notional: 500 } },
])("what probes may have at stake, $given", ({ given, means }) => {
  const { value } = located(
    parseEnvironment(changed(ENVIRONMENT, [["okx: {", `okx: { exposure: ${given},`]]), "production.yaml"),
  );
  expect(value.regions["tokyo"]?.probe).toMatchObject({ exposure: means });
});

test.each([
  { given: "{}", means: { rows: "all", mask: [], sessions: "ask" } },
  { given: "{ content: full, rows: 5 }", means: { rows: "all", mask: [], sessions: "ask" } },
  { given: "{ content: sample }", means: { rows: 1_000, mask: [], sessions: "ask" } },
  {
    given: "{ content: sample, rows: 50, mask: [accounts.email], sessions: send-away }",
    means: { rows: 50, mask: ["accounts.email"], sessions: "send-away" },
  },
])("trials of a store, $given", ({ given, means }) => {
  const { value } = located(
    parseEnvironment(changed(ENVIRONMENT, [["driver: postgres,", `driver: postgres, trials: ${given},`]]), "demo.yaml"),
  );
  expect(value.components["orders-db"]).toEqual({
    driver: "postgres",
    url: { env: "ORDERS_DB_URL" },
    trials: means,
  });
});

test("reference tables and accepted differences mean what they say", () => {
  const { value } = located(
    parseEnvironment(
      `${changed(ENVIRONMENT, [
        [
          "driver: postgres,",
          "driver: postgres, reference: [{ table: instruments, key: [inst_id], ignore: [note] }, { table: risk.limits, key: [inst_id_code, kind] }],",
        ],
      ])}parity: { accept: [{ fact: orders-db/setting/*, because: smaller machines, until: 2028-02-29 }] }\n`,
      "demo.yaml",
    ),
  );
  expect(value.components["orders-db"]).toMatchObject({
    reference: [
      {
        table: "public.instruments",
        key: ["inst_id"],
        ignore: ["created_at", "inst_id_code", "modified_at", "note", "updated_at"],
      },
      { table: "risk.limits", key: ["inst_id_code", "kind"], ignore: ["created_at", "modified_at", "updated_at"] },
    ],
  });
  expect(value.parity.accept).toEqual([
    { fact: "orders-db/setting/*", because: "smaller machines", untilMs: Date.UTC(2028, 2, 1) },
  ]);
});

test.each([
  { name: "without a reason", accept: "{ fact: a/b, until: 2027-01-01 }", code: "KEY_MISSING", mark: "fact" },
  { name: "with an empty reason", accept: '{ fact: a/b, because: " ", until: 2027-01-01 }', mark: '" "' },
  { name: "for ever", accept: "{ fact: a/b, because: x }", code: "KEY_MISSING", mark: "fact" },
  { name: "until a day that is none", accept: "{ fact: a/b, because: x, until: 2027-02-30 }", mark: "30" },
  { name: "until some day", accept: "{ fact: a/b, because: x, until: next year }", mark: "next year" },
  { name: "of everything", accept: '{ fact: "**", because: x, until: 2027-01-01 }', mark: '"**"' },
  {
    name: "with a misspelt key",
    accept: "{ facts: a/b, because: x, until: 2027-01-01 }",
    code: "KEY_UNKNOWN",
    mark: "facts",
  },
])("an accepted difference $name is refused at its place", ({ accept, code = "VALUE_WRONG", mark }) => {
  const problems = problemsOf(`${ENVIRONMENT}parity: { accept: [${accept}] }\n`, parseEnvironment);
  expect(problems.map((problem) => ({ code: problem.code, mark: marked(problem) }))).toEqual([{ code, mark }]);
  expect(problems[0]?.line).toBe(ENVIRONMENT.split("\n").length);
});

test("releases mean what they say, and JSON is read like YAML", () => {
  const { value } = located(parseReleases(RELEASES, "releases.yaml"));
  expect(value.releases["gateway@2.0"]?.process).toEqual({
    digest: `sha256:${"0".repeat(64)}`,
    path: "../dist/gateway-2.0",
    run: ["node", "main.js"],
  });
  const json = JSON.stringify({ $schema: "./releases.schema.json", midflight: 1, releases: value.releases });
  expect(located(parseReleases(json, "releases.json")).value.releases).toEqual(value.releases);
});

test("all mistakes of a plan are told at once, each at its own place", () => {
  const text = `midflight: 1
plan: Order_Gateway
sumary: text
components:
  orders-db: { migrations: ./migrations/orders }
  gateway: { release: gateway@2.0, needs: [orders-db], floor: 100 }
steps:
  - migrat: orders-db
    phase: expnd
    bakup: x
  - roll: gateway
    dark: { exclud: 5%, confidence: 99% }
    drain: { notice: 3sec, deadline: 10 }
    waves:
      - { regions: [tokyo], bach: 1, soak: 20x }
      - { regions: everywhere, batch: two }
      - 5
  - approve: { who: 3, in: [prodction] }
  - migrate: orders-db
    roll: gateway
  - run: node x.mjs --force
  - foo: 1
  - {}
  -
  - soak: 0s
guard: { operations: [Amend!], baseline: { atMost: "0.1" }, budget: { failedOperations: -1 } }
`;
  expect(brief(problemsOf(text))).toEqual([
    { code: "VALUE_WRONG", at: "2:7", marked: "Order_Gateway" },
    { code: "KEY_UNKNOWN", at: "3:1", marked: "sumary" },
    { code: "VALUE_WRONG", at: "6:63", marked: "100" },
    { code: "KEY_UNKNOWN", at: "8:5", marked: "migrat" },
    { code: "VALUE_WRONG", at: "9:12", marked: "expnd" },
    { code: "KEY_UNKNOWN", at: "10:5", marked: "bakup" },
    { code: "KEY_UNKNOWN", at: "12:13", marked: "exclud" },
    { code: "VALUE_WRONG", at: "13:23", marked: "sec" },
    { code: "VALUE_WRONG", at: "13:38", marked: "10" },
    { code: "KEY_UNKNOWN", at: "15:29", marked: "bach" },
    { code: "VALUE_WRONG", at: "15:46", marked: "x" },
    { code: "VALUE_WRONG", at: "16:20", marked: "everywhere" },
    { code: "VALUE_WRONG", at: "16:39", marked: "two" },
    { code: "VALUE_WRONG", at: "17:9", marked: "5" },
    { code: "VALUE_WRONG", at: "18:21", marked: "3" },
    { code: "VALUE_WRONG", at: "18:29", marked: "prodction" },
    { code: "KEY_UNKNOWN", at: "20:5", marked: "roll" },
    { code: "VALUE_WRONG", at: "21:10", marked: "node x.mjs --force" },
    { code: "KEY_MISSING", at: "22:5", marked: "foo" },
    { code: "KEY_MISSING", at: "23:5", marked: "{}" },
    { code: "VALUE_WRONG", at: "24:4", marked: "" },
    { code: "VALUE_WRONG", at: "25:11", marked: "0s" },
    { code: "VALUE_WRONG", at: "26:23", marked: "Amend!" },
    { code: "VALUE_WRONG", at: "26:53", marked: "0.1" },
    { code: "VALUE_WRONG", at: "26:89", marked: "-1" },
  ]);
});

test.each([
  {
    name: "a misspelt key",
    change: ["backup: rebuild-bands", "bakcup: rebuild-bands"],
    hint: 'did you mean "backup"?',
  },
  { name: "a misspelt value", change: ["phase: expand", "phase: expamd"], hint: 'did you mean "expand"?' },
  {
    name: "a key that is nothing like any other",
    change: ["phase: expand", "phase: expand\n    colour: red"],
    hint: "its keys are: migrate, phase, irreversible, backup, undo, deadline, retries",
  },
  {
    name: "a number without its unit",
    change: ["soak: 20s", "soak: 20"],
    hint: "a unit is missing: write 20s, or d, h, m or ms",
  },
  { name: "a share without its sign", change: ["floor: 100%", "floor: 100"], hint: "write 100%" },
  {
    name: "one region where a list is wanted",
    change: ["regions: [tokyo]", "regions: tokyo"],
    hint: "put it in brackets: [tokyo]",
  },
  {
    name: "a number as a word of a program",
    change: ["[node, rebuild.mjs]", "[sleep, 5]"],
    hint: 'put it in quotes: "5"',
  },
  { name: "a missing key", change: ["    phase: expand\n", ""], hint: 'add "phase": one of expand, contract' },
  {
    name: "a soak with a deadline",
    change: ["steps:\n", "steps:\n  - soak: 5s\n    deadline: 5m\n"],
    hint: "its keys are: soak",
  },
] as const)("$name comes with an order what to do", ({ change, hint }) => {
  expect(problemsOf(changed(PLAN, [change])).map((problem) => problem.hint)).toContain(hint);
});

test("the path in the document is told as well", () => {
  expect(problemsOf(changed(PLAN, [["batch: 2", "batch: x"]]))[0]).toMatchObject({
    path: "steps[1].waves[1].batch",
    line: 12,
    column: 33,
    length: 1,
    source: "      - { regions: rest, batch: x, surge: 2, soak: 20s }",
  });
});

test("a misspelt driver does not hide what else is wrong with the component", () => {
  const problems = problemsOf(
    changed(ENVIRONMENT, [["driver: postgres, url", "driver: postgre, ulr"]]),
    parseEnvironment,
  );
  expect(problems.map((problem) => problem.hint)).toEqual(['did you mean "postgres"?', 'did you mean "url"?']);
});

test.each([
  { name: "no driver", change: ["driver: postgres, ", ""], code: "KEY_MISSING", mark: "orders-db" },
  { name: "an unknown driver", change: ["driver: postgres", "driver: oracle"], code: "VALUE_WRONG", mark: "oracle" },
  {
    name: "a region with capital letters",
    change: ["tokyo: { probe", "Tokyo: { probe"],
    code: "VALUE_WRONG",
    mark: "Tokyo",
  },
  {
    name: "an address without a scheme",
    change: ["http://127.0.0.1:7110", "127.0.0.1:7110"],
    code: "VALUE_WRONG",
    mark: "127.0.0.1:7110",
  },
  { name: "no instances", change: ["instances: 6", "instances: 0"], code: "VALUE_WRONG", mark: "0" },
  {
    name: "a misspelt source of a value",
    change: ["{ env: ORDERS_DB_URL }", "{ evn: ORDERS_DB_URL }"],
    code: "KEY_UNKNOWN",
    mark: "evn",
  },
  {
    name: "two sources of a value",
    change: ["{ env: ORDERS_DB_URL }", "{ env: ORDERS_DB_URL, file: x }"],
    code: "KEY_UNKNOWN",
    mark: "file",
  },
  {
    name: "a class that is none",
    change: ["class: production", "class: staging"],
    code: "VALUE_WRONG",
    mark: "staging",
  },
] as const)("in an environment $name is told at its place", ({ change, code, mark }) => {
  const problems = problemsOf(changed(ENVIRONMENT, [change]), parseEnvironment);
  expect(problems.map((problem) => ({ code: problem.code, mark: marked(problem) }))).toEqual([{ code, mark }]);
});

test.each([
  { name: "a digest that is too short", change: ["0".repeat(64), "abc"], code: "VALUE_WRONG" },
  { name: "a digest with capital letters", change: ["0".repeat(64), "A".repeat(64)], code: "VALUE_WRONG" },
  { name: "no digest", change: [`digest: "sha256:${"0".repeat(64)}", `, ""], code: "KEY_MISSING" },
  { name: "a release that is no release", change: ["gateway@2.0:", '"gateway 2.0":'], code: "VALUE_WRONG" },
] as const)("in releases $name is refused", ({ change, code }) => {
  expect(problemsOf(changed(RELEASES, [change]), parseReleases).map((problem) => problem.code)).toEqual([code]);
});

test.each([
  {
    name: "a later format",
    text: PLAN.replace("midflight: 1", "midflight: 2"),
    code: "FORMAT_UNKNOWN",
    hint: "use the version",
  },
  {
    name: "a format in quotes",
    text: PLAN.replace("midflight: 1", 'midflight: "1"'),
    code: "FORMAT_UNKNOWN",
    hint: "without quotes",
  },
  { name: "an environment", text: ENVIRONMENT, code: "FILE_OF_OTHER_KIND", hint: "which file" },
  { name: "releases", text: RELEASES, code: "FILE_OF_OTHER_KIND", hint: "which file" },
  { name: "nothing", text: "", code: "FILE_EMPTY", hint: "init" },
  { name: "a comment", text: "# nothing\n", code: "FILE_EMPTY", hint: "init" },
  { name: "a word", text: "hello", code: "VALUE_WRONG", hint: "midflight: 1" },
  { name: "a list", text: "[1, 2]", code: "VALUE_WRONG", hint: "midflight: 1" },
])("$name in place of a plan is told once, and nothing else is", ({ text, code, hint }) => {
  expect(problemsOf(text)).toMatchObject([{ code, hint: expect.stringContaining(hint) as string }]);
});

test("a plan without its format is missing that among the rest", () => {
  expect(problemsOf("plan: x\n").map((problem) => problem.message)).toEqual([
    'the plan lacks "midflight"',
    'the plan lacks "components"',
    'the plan lacks "steps"',
  ]);
});

test("names that every object has are no keys of ours", () => {
  const text = changed(PLAN, [["backups:\n", "constructor: 1\nbackups:\n"]]);
  expect(brief(problemsOf(text))).toEqual([{ code: "KEY_UNKNOWN", at: "19:1", marked: "constructor" }]);
});

test("a deadline of operations shorter than usual makes slow what comes after it", () => {
  const { value } = located(
    parsePlan(changed(PLAN, [["operations: [order, amend, cancel]", "deadline: 100ms"]]), "plan.yaml"),
  );
  expect(value.guard).toMatchObject({ deadlineMs: 100, slowerThanMs: 100 });
});

test("a name that every object of JavaScript has is nobody's until a file gives it", () => {
  const { components } = located(parsePlan(PLAN, "plans/plan.yaml")).value;
  expect(components["constructor"]).toBeUndefined();
});
