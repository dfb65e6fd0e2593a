import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

// The table of .oxlintrc.json said once more, so that a slip in one of its patterns is noticed: every edge is drawn in a file of its own and linted.
type May = {
  readonly import: readonly string[];
  readonly types?: readonly string[];
  readonly libraries: readonly string[] | "any";
};
const TABLE: Readonly<Record<string, May>> = {
  errors: { import: [], libraries: [] },
  plan: { import: ["errors"], libraries: ["zod", "yaml"] },
  graph: { import: ["errors", "plan"], libraries: [] },
  guard: { import: ["errors", "plan"], libraries: [] },
  engine: { import: ["errors", "plan", "graph"], types: ["guard"], libraries: [] },
  ports: { import: ["errors", "plan", "graph", "engine"], types: ["guard"], libraries: [] },
  events: { import: ["errors", "plan", "graph", "engine"], types: ["guard"], libraries: [] },
  view: { import: ["errors", "plan", "graph", "events", "guard"], libraries: ["chalk"] },
  runtime: { import: ["errors", "plan", "graph", "engine", "guard", "ports", "events"], libraries: ["zod"] },
  rehearsal: {
    import: ["errors", "plan", "graph", "engine", "guard", "ports", "events", "runtime"],
    libraries: ["zod", "node:crypto"],
  },
  "adapters/some": { import: ["errors", "plan", "graph", "guard", "ports"], libraries: "any" },
  demo: { import: ["errors", "ports"], types: ["plan", "events"], libraries: "any" },
  "demo/venue/gateway": { import: ["errors", "ports"], types: ["plan", "events"], libraries: "any" },
  cli: {
    import: ["errors", "plan", "graph", "engine", "guard", "ports", "events", "view", "runtime", "rehearsal", "demo"],
    libraries: "any",
  },
};
const STAGES = [
  "errors",
  "plan",
  "graph",
  "guard",
  "engine",
  "ports",
  "events",
  "view",
  "runtime",
  "rehearsal",
  "adapters",
  "demo",
  "cli",
];
const LIBRARIES = [
  "zod",
  "yaml",
  "chalk",
  "pg",
  "undici",
  "node:fs",
  "node:fs/promises",
  "node:crypto",
  "@kubernetes/client-node",
];
const PURE = ["errors", "plan", "graph", "engine", "guard", "events", "view"];
const IMPURE_CODE: Readonly<Record<string, string>> = {
  date: "export const now = () => Date.now();",
  "new-date": "export const now = () => new Date();",
  process: "export const home = () => process.env.HOME;",
  timeout: "export const later = (act: () => void) => setTimeout(act, 1);",
  interval: "export const often = (act: () => void) => setInterval(act, 1);",
  immediate: "export const soon = (act: () => void) => setImmediate(act);",
  fetch: "export const get = () => fetch('http://x');",
  socket: "export const open = () => new WebSocket('ws://x');",
  console: "export const say = () => console.log(1);",
  performance: "export const time = () => performance.now();",
  crypto: "export const id = () => crypto.randomUUID();",
  random: "export const luck = () => Math.random();",
  "abort-timeout": "export const soon = () => AbortSignal.timeout(1);",
  "by-global-this": "export const now = () => globalThis.Date.now();",
};

/** One file, and what lint must say about it; `none`: nothing. */
type Case = {
  readonly file: string;
  readonly code: string;
  readonly rule: "none" | "no-restricted-imports" | "no-restricted";
};

const imports = (from: string, isType: boolean): string =>
  isType
    ? `import type { Thing } from "${from}";\nexport type Mine = Thing;\n`
    : `import { thing } from "${from}";\nexport const mine = thing;\n`;

function stageCases(stage: string, may: May): readonly Case[] {
  const up = "../".repeat(stage.split("/").length);
  const others = STAGES.filter((other) => other !== stage.split("/")[0]);
  const toStages = others.flatMap((other) =>
    [true, false].flatMap((isType): readonly Case[] => {
      const isAllowed = may.import.includes(other) || (isType && (may.types ?? []).includes(other));
      const rule = isAllowed ? "none" : "no-restricted-imports";
      const name = `${isType ? "type" : "value"}-of-${other}.ts`;
      return [
        { file: `src/${stage}/${name}`, code: imports(`${up}${other}/thing.ts`, isType), rule },
        {
          file: `src/${stage}/${name.replace(".ts", "-within.ts")}`,
          code: imports(`${up}${other}/deep/thing.ts`, isType),
          rule,
        },
        { file: `src/${stage}/deep/${name}`, code: imports(`../${up}${other}/thing.ts`, isType), rule },
        { file: `src/${stage}/deep/deeper/${name}`, code: imports(`../../${up}${other}/thing.ts`, isType), rule },
      ];
    }),
  );
  const toLibraries = LIBRARIES.map((library): Case => {
    const isAllowed = may.libraries === "any" || may.libraries.includes(library);
    return {
      file: `src/${stage}/uses-${library.replaceAll(/[^a-z]/g, "-")}.ts`,
      code: imports(library, false),
      rule: isAllowed ? "none" : "no-restricted-imports",
    };
  });
  const toItself: readonly Case[] = [
    { file: `src/${stage}/own.ts`, code: imports("./thing.ts", false), rule: "none" },
    { file: `src/${stage}/own-deep.ts`, code: imports("./deep/thing.ts", false), rule: "none" },
    { file: `src/${stage}/deep/own.ts`, code: imports("../thing.ts", false), rule: "none" },
    { file: `src/${stage}/deep/sibling.ts`, code: imports("../shallow/thing.ts", false), rule: "none" },
    { file: `src/${stage}/deep/deeper/own.ts`, code: imports("../../thing.ts", false), rule: "none" },
    { file: `src/${stage}/deep/deeper/cousin.ts`, code: imports("../../shallow/thing.ts", false), rule: "none" },
  ];
  return [...toStages, ...toLibraries, ...toItself];
}

const CASES: readonly Case[] = [
  ...Object.entries(TABLE).flatMap(([stage, may]) => stageCases(stage, may)),
  ...PURE.flatMap((stage) =>
    Object.entries(IMPURE_CODE).map(([name, code]): Case => ({
      file: `src/${stage}/impure-${name}.ts`,
      code: `${code}\n`,
      rule: "no-restricted",
    })),
  ),
  { file: "src/adapters/some/neighbour.ts", code: imports("../other/thing.ts", false), rule: "no-restricted-imports" },
  {
    file: "src/adapters/some/deep/neighbour.ts",
    code: imports("../../other/thing.ts", false),
    rule: "no-restricted-imports",
  },
  { file: "src/cli/wiring/wire.ts", code: imports("../../adapters/some/thing.ts", false), rule: "none" },
  { file: "src/cli/wiring/state.ts", code: imports("../../adapters/some/thing.ts", false), rule: "none" },
  { file: "src/demo/venue/gateway/to-own-engine.ts", code: imports("../engine/thing.ts", false), rule: "none" },
  { file: "bin/start.js", code: 'await import("../dist/cli/main.js");\n', rule: "none" },
  {
    file: "bin/to-source.js",
    code: 'import { thing } from "../src/cli/main.ts";\nexport const mine = thing;\n',
    rule: "no-restricted-imports",
  },
];

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;
let said: ReadonlyMap<string, readonly string[]>;
let filesSeen = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "midflight-architecture-"));
  cpSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  for (const { file, code } of CASES) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), code);
  }
  const run = spawnSync(process.execPath, [join(root, "node_modules/oxlint/bin/oxlint"), "--format", "json"], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64_000_000,
  });
  const report = JSON.parse(run.stdout) as {
    readonly diagnostics: readonly { readonly filename: string; readonly code: string }[];
    readonly number_of_files: number;
  };
  filesSeen = report.number_of_files;
  said = new Map(
    CASES.map(({ file }) => [
      file,
      report.diagnostics.filter((each) => each.filename === file).map(({ code }) => code),
    ]),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("every stage in src is in the table", () => {
  const stages = readdirSync(join(root, "src"), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  expect(stages.filter((stage) => !STAGES.includes(stage))).toEqual([]);
});

test("lint sees every file that it is shown", () => {
  expect(new Set(CASES.map(({ file }) => file)).size).toBe(CASES.length);
  expect(CASES.length).toBeGreaterThan(1_000);
  expect(filesSeen).toBe(CASES.length);
});

test("every import that the table forbids is an error, whatever its depth", () => {
  const missed = CASES.filter(
    ({ file, rule }) => rule === "no-restricted-imports" && !said.get(file)?.includes("eslint(no-restricted-imports)"),
  );
  expect(missed.map(({ file }) => file)).toEqual([]);
});

test("every import that the table allows passes", () => {
  const refused = CASES.filter(
    ({ file, rule }) => rule === "none" && said.get(file)?.some((code) => code.startsWith("eslint(no-restricted")),
  );
  expect(refused.map(({ file, code }) => `${file}: ${code}`)).toEqual([]);
});

test("clock, luck, processes and output are errors in every pure stage", () => {
  const missed = CASES.filter(
    ({ file, rule }) =>
      rule === "no-restricted" && !said.get(file)?.some((code) => code.startsWith("eslint(no-restricted")),
  );
  expect(missed.map(({ file }) => file)).toEqual([]);
});
