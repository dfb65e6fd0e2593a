import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { digestOfFolder } from "../../../src/adapters/process/digest.ts";
import { compile } from "../../../src/graph/compile.ts";
import { checkTogether } from "../../../src/plan/check.ts";
import { jsonSchemas } from "../../../src/plan/json-schema.ts";
import type { Located } from "../../../src/plan/located.ts";
import { readMigrations } from "../../../src/plan/migrations.ts";
import type { Migration, Plan } from "../../../src/plan/model.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { parsePlan } from "../../../src/plan/parse-plan.ts";
import { parseReleases } from "../../../src/plan/parse-releases.ts";
import { located } from "./plans.ts";

const PLANS = fileURLToPath(new URL("../../../plans/", import.meta.url));
const bytes = (name: string) => readFileSync(join(PLANS, name));
const files = readdirSync(PLANS).filter((name) => name.endsWith(".yaml"));
const marked = (mark: string) => files.filter((name) => new RegExp(`^${mark}:`, "m").test(bytes(name).toString()));

const releases = located(parseReleases(bytes("releases.yaml"), "plans/releases.yaml"));
const environments = marked("environment").map((name) => located(parseEnvironment(bytes(name), `plans/${name}`)));

const migrationsOf = ({ value }: Located<Plan>): Readonly<Record<string, readonly Migration[]>> =>
  Object.fromEntries(
    Object.entries(value.components).flatMap(([name, component]) => {
      if (component.migrations === undefined) return [];
      const folder = join(PLANS, component.migrations);
      const read = readMigrations(
        readdirSync(folder).map((file) => ({ name: file, bytes: readFileSync(join(folder, file)) })),
        component.migrations,
      );
      expect(read.problems).toEqual([]);
      return [[name, read.migrations]];
    }),
  );

test("every file in plans/ is a plan, an environment or the releases", () => {
  expect([...marked("plan"), ...marked("environment"), ...marked("releases")].toSorted()).toEqual(files.toSorted());
});

test.each(marked("plan"))("%s is in order and compiles for every environment", (name) => {
  const plan = located(parsePlan(bytes(name), `plans/${name}`));
  const migrations = migrationsOf(plan);
  expect(plan.value.name).toBe(name.replace(".yaml", ""));
  for (const environment of environments) {
    expect(checkTogether({ plan, environment, releases, migrations })).toEqual([]);
    const graph = compile({
      plan: plan.value,
      environment: environment.value,
      releases: releases.value,
      migrations,
      sha256: (text) => text,
    });
    expect(graph.moves.length).toBeGreaterThan(plan.value.steps.length);
  }
});

test("the plan of the design is shipped as it stands there", () => {
  const { value } = located(parsePlan(bytes("order-gateway-2.yaml"), "plan"));
  expect(value.steps.map((step) => step.kind)).toEqual(["migrate", "roll", "approve", "migrate"]);
  expect(value.guard).toMatchObject({
    operations: ["order", "amend", "cancel"],
    baselineAtMostPct: 0.1,
    slowerThanMs: 250,
    budgetFailedOperations: 200,
  });
});

test.each(files)("an editor finds the schema of %s", (name) => {
  const schema = /^# yaml-language-server: \$schema=\.\/(.*)$/m.exec(bytes(name).toString())?.[1];
  expect(schema).toBeDefined();
  expect(existsSync(join(PLANS, schema ?? ""))).toBe(true);
});

test.each(Object.entries(jsonSchemas()))(
  "plans/%s.schema.json is what the code generates (npm run generate)",
  (name, schema) => {
    expect(JSON.parse(bytes(`${name}.schema.json`).toString())).toEqual(JSON.parse(JSON.stringify(schema)));
    expect(schema["$schema"]).toBe("http://json-schema.org/draft-07/schema#");
  },
);

test("every key that may be written is described to editors", () => {
  const undescribed = Object.entries(jsonSchemas()).flatMap(([name, schema]) => keysWithout(schema, name));
  expect(undescribed).toEqual([]);
});

function keysWithout(schema: unknown, path: string): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties, ...rest } = schema as {
    readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
  };
  const own = Object.entries(properties ?? {}).flatMap(([key, child]) => [
    ...(child.description === undefined ? [`${path}.${key}`] : []),
    ...keysWithout(child, `${path}.${key}`),
  ]);
  return [
    ...own,
    ...Object.entries(rest).flatMap(([key, child]) =>
      typeof child === "object" ? keysWithout(child, `${path}/${key}`) : [],
    ),
  ];
}

const dist = fileURLToPath(new URL("../../../dist/releases/", import.meta.url));

test.runIf(existsSync(dist))(
  "the digests of the releases are those of what the build makes (npm run generate)",
  async () => {
    for (const [name, release] of Object.entries(releases.value.releases)) {
      expect(`${name} ${release.process?.digest ?? ""}`).toBe(
        `${name} ${await digestOfFolder(join(PLANS, release.process?.path ?? ""))}`,
      );
    }
  },
);
