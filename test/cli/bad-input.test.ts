import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { midflight, OVERRIDE } from "../support/cli.ts";
import { scratch } from "../support/scratch.ts";

const folder = scratch();

async function started(): Promise<string> {
  const dir = folder();
  expect((await midflight(["init"], { cwd: dir })).status).toBe(0);
  return dir;
}

const everything = (dir: string): readonly string[] => readdirSync(dir, { recursive: true }).map(String).toSorted();

const bomb = (): string => {
  const lines = ["midflight: 1", "plan: x", "a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 12; level += 1)
    lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(", ")}]`);
  return lines.join("\n");
};

const BAD: readonly (readonly [string, string | Buffer, RegExp])[] = [
  ["a bracket that is not closed", "midflight: 1\nplan: [open\n", /YAML_SYNTAX[^]*bad\.yaml:2:7/],
  ["a tab for indentation", "midflight: 1\ncomponents:\n\ta: 1\n", /YAML_SYNTAX[^]*bad\.yaml:3:1/],
  ["the same key twice", "midflight: 1\nplan: x\nplan: y\n", /KEY_DUPLICATE[^]*bad\.yaml:3:1/],
  ["an unknown version", "midflight: 99\n", /FORMAT_UNKNOWN[^]*bad\.yaml:1:12/],
  [
    "wrong types",
    "midflight: 1\nplan: 3\nenvironment: 7\nreleases: no\ncomponents: 7\nsteps: no\nregions: 1\n",
    /bad\.yaml:\d+:\d+/,
  ],
  ["a YAML bomb", bomb(), /YAML_REFUSED[^]*bad\.yaml:\d+:\d+/],
  [
    "brackets a hundred thousand deep",
    `midflight: 1\nplan: ${"[".repeat(100_000)}`,
    /YAML_(REFUSED|SYNTAX)[^]*bad\.yaml:\d+:\d+/,
  ],
  ["binary rubbish", Buffer.from([0, 255, 254, 1, 2, 3, 128, 192, 0, 0]), /FILE_NOT_TEXT[^]*bad\.yaml/],
  ["nothing", "", /FILE_EMPTY[^]*bad\.yaml/],
  ["two megabytes", "# padding\n".repeat(200_000), /FILE_TOO_LARGE[^]*bad\.yaml/],
  ["__proto__ as a key", "midflight: 1\n__proto__: { a: 1 }\n", /YAML_REFUSED[^]*bad\.yaml:2:1/],
];

describe.each(["plan", "environment", "releases"] as const)("a broken %s file", (which) => {
  const wordsFor = (file: string): readonly string[] => {
    const at = { plan: "plan.yaml", environment: "production.yaml", releases: "releases.yaml", [which]: file };
    return ["upgrade", at.plan, "--env", at.environment, "--releases", at.releases, "--yes"];
  };

  test.each(BAD)("with %s ends with 3 and its place, and touches nothing", async (_what, text, place) => {
    const dir = await started();
    writeFileSync(join(dir, "bad.yaml"), text);
    const before = everything(dir);
    const { status, stdout, stderr } = await midflight(wordsFor("bad.yaml"), { cwd: dir });
    expect(status, stderr).toBe(3);
    expect(stdout).toBe("");
    expect(stderr).toMatch(place);
    expect(stderr).toContain("nothing was touched");
    expect(stderr).not.toMatch(/\n\s+at |node:internal|\.ts:\d|\.js:\d/);
    expect(everything(dir)).toEqual(before);
  });

  test("that is missing, a folder, or below a file says so", async () => {
    const dir = await started();
    mkdirSync(join(dir, "folder.yaml"));
    const before = everything(dir);
    for (const [file, why] of [
      ["missing.yaml", "no such file"],
      ["folder.yaml", "folder"],
      ["plan.yaml/x.yaml", "path"],
    ] as const) {
      const { status, stderr } = await midflight(wordsFor(file), { cwd: dir });
      expect([file, status]).toEqual([file, 3]);
      expect(stderr).toContain(file);
      expect(stderr).toContain(why);
    }
    expect(everything(dir)).toEqual(before);
  });
});

test("all problems of all files come at once", async () => {
  const dir = await started();
  writeFileSync(join(dir, "plan.yaml"), "midflight: 1\nplan: [\n");
  writeFileSync(join(dir, "releases.yaml"), "midflight: 1\nreleases: [\n");
  const { status, stderr } = await midflight(["check", "plan.yaml", "--env", "nowhere"], { cwd: dir });
  expect(status).toBe(3);
  expect(stderr).toMatch(/plan\.yaml:2:7/);
  expect(stderr).toMatch(/releases\.yaml:2:11/);
  expect(stderr).toContain("nowhere.yaml");
  expect(stderr).toContain("3 problems");
});

test("a missing environment variable is named, and nothing is touched", async () => {
  const dir = await started();
  const before = everything(dir);
  for (const args of [["plan"], ["upgrade", ...OVERRIDE]]) {
    const { status, stderr } = await midflight([...args, "plan.yaml", "--env", "production"], { cwd: dir });
    expect(status).toBe(3);
    expect(stderr).toContain("SECRET_MISSING");
    expect(stderr).toContain("ORDERS_DB_URL");
  }
  expect(everything(dir)).toEqual(before);
});

test("a migration without its trio, or of rubbish, is named", async () => {
  const dir = await started();
  writeFileSync(join(dir, "migrations/0002_more.up.sql"), Buffer.from([0, 1, 2, 255]));
  const { status, stderr } = await midflight(["check", "plan.yaml", "--env", "production"], { cwd: dir });
  expect(status).toBe(3);
  expect(stderr).toContain("0002_more.up.sql");
  expect(stderr).toContain("0002_more.down.sql");
});

test("a saved plan that is rubbish is refused in one sentence", async () => {
  const dir = await started();
  for (const text of [
    '{"midflightSavedPlan": 1',
    '{"midflightSavedPlan": 1}',
    '{"midflightSavedPlan": 2, "given": 3}',
    '{"midflightSavedPlan": 1, "given": {"plan": 1}}',
  ]) {
    writeFileSync(join(dir, "saved.json"), text);
    const { status, stderr } = await midflight(["upgrade", "saved.json"], { cwd: dir });
    expect([text, status]).toEqual([text, 3]);
    expect(stderr).toContain("saved.json");
    expect(stderr).not.toMatch(/\n\s+at /);
  }
});

describe("a command line", () => {
  test.each([
    [["chekc"], /Did you mean check\?/],
    [["check", "plan.yaml", "--enw", "x"], /Did you mean --env\?/],
    [["check"], /missing required argument 'plan'/],
    [["plan", "plan.yaml"], /--env/],
    [["check", "a.yaml", "b.yaml"], /too many arguments/],
    [["upgrade", "plan.yaml", "--output", "fancy"], /live, lines, json/],
    [["schema", "constructor"], /plan, environment or releases/],
    [["completion", "toString"], /bash, zsh or fish/],
    [["explain", "NO_SUCH_CODE"], /midflight explain/],
    [["demo", "veneu"], /demo venue/],
    [["demo", "--story", "none"], /good-upgrade/],
    [["demo", "--rate", "0"], /--rate/],
    [["demo", "--rate", "1e9"], /--rate/],
    [["demo", "--port-base", "65500"], /--port-base/],
    [["runs", "prune", "--keep", "-1"], /--keep/],
    [["runs", "destroy"], /runs prune/],
    [["report", "no-such-run"], /RUN_NOT_FOUND_HERE/],
    [["status", "../../etc"], /RUN_NOT_FOUND_HERE/],
    [[], /Usage: midflight/],
  ] as const)("%j ends with 3 and says what to do instead", async (words, told) => {
    const dir = folder();
    const { status, stderr } = await midflight([...words], { cwd: dir });
    expect(status, stderr).toBe(3);
    expect(stderr).toMatch(told);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(everything(dir)).toEqual([]);
  });

  test.each([
    ["1s", [], "where soaks last as long as the plan says"],
    ["soon", [], "a time such as 30s"],
    ["1s", ["--in-cluster"], "leave one of them out"],
  ])("lets nobody hurry in production: --soaks-at-most %s %j", async (time, more, told) => {
    const dir = await started();
    const before = everything(dir);
    const words = ["upgrade", "plan.yaml", "--env", "production", "--yes", "--soaks-at-most", time, ...more];
    const { status, stderr } = await midflight(words, { cwd: dir });
    expect([status, stderr]).toEqual([3, expect.stringContaining(told)]);
    expect(everything(dir)).toEqual(before);
  });

  test("without a plan says which environment is needed", async () => {
    const dir = await started();
    const { status, stderr } = await midflight(["upgrade", "plan.yaml"], { cwd: dir });
    expect(status).toBe(3);
    expect(stderr).toContain("--env");
  });
});
