import { basename, join } from "node:path";
import { BadInput } from "../../errors/problem.ts";
import { readMigrations } from "../../plan/migrations.ts";
import type { Migration } from "../../plan/model.ts";
import { parseEnvironment } from "../../plan/parse-environment.ts";
import { parsePlan } from "../../plan/parse-plan.ts";
import { parseReleases } from "../../plan/parse-releases.ts";
import type { RunStore } from "../../ports/journal.ts";
import { assemble, readSql, type Given, type Loaded } from "./load.ts";
import { driverFolder, PROGRAMS, readCopiedPrograms } from "./named-programs.ts";

/** What a run was given, from the copies beside its journal: an edited file changes nothing. */
export async function loadCopies(store: RunStore, run: string): Promise<Loaded> {
  const root = join(await store.folder(run), "input");
  const kept = JSON.parse((await store.getFile(run, "input.json")) ?? "{}") as Given;
  const where = kept.cwd === undefined ? copiesIn(root) : kept;
  const text = async (name: string) => (await store.getFile(run, `input/${name}`)) ?? "";
  const bytes = async (name: string) => new TextEncoder().encode(await text(name));
  const plan = parsePlan(await bytes("plan.yaml"), join(root, "plan.yaml"));
  const environment = parseEnvironment(await bytes("environment.yaml"), join(root, "environment.yaml"));
  const releases = parseReleases(await bytes("releases.yaml"), join(root, "releases.yaml"));
  const broken = [plan, environment, releases].flatMap((one) => (one.ok ? [] : one.problems));
  if (!plan.ok || !environment.ok || !releases.ok) throw new BadInput(broken);
  const migrations: Record<string, readonly Migration[]> = {};
  const texts: { name: string; text: string }[] = [];
  for (const [name, component] of Object.entries(plan.located.value.components)) {
    if (component.migrations === undefined) continue;
    const files = (await readSql(join(root, "migrations", name))) ?? [];
    migrations[name] = readMigrations(files, component.migrations).migrations;
    texts.push(
      ...files.map((file) => ({
        name: `migrations/${name}/${basename(file.name)}`,
        text: new TextDecoder().decode(file.bytes),
      })),
    );
  }
  const drivers = Object.keys(environment.located.value.components).map((name) =>
    readCopiedPrograms(root, driverFolder(name)),
  );
  return assemble(
    {
      plan: plan.located,
      environment: environment.located,
      releases: releases.located,
      migrations,
      planTexts: [...texts, ...(await readCopiedPrograms(root, PROGRAMS))],
      driverTexts: (await Promise.all(drivers)).flat(),
    },
    where.cwd ?? root,
    where,
  );
}

/** Of a run whose conductor may be anywhere: what it was given lies where its copies are laid out. */
const copiesIn = (root: string): Given => ({
  plan: join(root, "plan.yaml"),
  environment: join(root, "environment.yaml"),
  releases: join(root, "releases.yaml"),
});
