import { appendFile, cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Fault, Story } from "./stories/story.ts";
import type { Venue } from "./venue/venue.ts";

/** The files that one story's upgrade reads: the shipped plans, with this seed's fault in them. */
export type Workspace = {
  readonly dir: string;
  readonly plan: string;
  /** Of the production environment. Its ports are no venue's until they are placed. */
  readonly environment: string;
  /** Of the demo environment, likewise. */
  readonly demo: string;
  readonly releases: string;
};

/** Gateways per region in the shipped environment files. */
const INSTANCES = 6;

/** Ports of the shipped environment files, by what listens there. */
const PLACEHOLDERS = {
  production: { tokyo: { public: 7110, admin: 7190 }, frankfurt: { public: 7210, admin: 7290 } },
  demo: { tokyo: { public: 8110, admin: 8190 }, frankfurt: { public: 8210, admin: 8290 } },
} as const;

export async function prepareWorkspace(
  shipped: string,
  dir: string,
  story: Pick<Story, "plan">,
  fault: Fault,
): Promise<Workspace> {
  const plans = join(dir, "plans");
  await mkdir(dir, { recursive: true });
  await cp(shipped, plans, { recursive: true });
  await lendModules(shipped, dir);
  const environment = join(plans, "production.yaml");
  // Made beside the file by whoever rehearses first.
  await appendFile(environment, "trusts: [keys/rehearsal.pub.json]\n");
  const releases = join(plans, "releases.yaml");
  await writeFile(
    releases,
    (await readFile(releases, "utf8")).replaceAll(
      "../dist/releases/",
      `${join(dirname(shipped), "dist", "releases")}/`,
    ),
  );
  if (fault.shards !== undefined) await breakShards(plans, fault.shards);
  return { dir, plan: join(plans, story.plan), environment, demo: join(plans, "demo.yaml"), releases };
}

/** Writes a venue's ports and the number of its gateways into an environment file. */
export async function place(environment: string, venue: Venue, instances = INSTANCES): Promise<void> {
  await writeFile(
    environment,
    placed(await readFile(environment, "utf8"), venue).replace(`instances: ${INSTANCES}`, `instances: ${instances}`),
  );
}

/** A plan's own programs may import what midflight itself stands on. */
async function lendModules(shipped: string, dir: string): Promise<void> {
  const modules = join(dirname(shipped), "node_modules");
  if (existsSync(modules)) await symlink(modules, join(dir, "node_modules")).catch(() => {});
}

const placed = (text: string, venue: Venue): string =>
  Object.entries(PLACEHOLDERS[venue.env]).reduce((known, [region, ports]) => {
    const at = venue.ports.balancers[region] ?? ports;
    return known
      .replaceAll(`127.0.0.1:${ports.public}`, `127.0.0.1:${at.public}`)
      .replaceAll(`127.0.0.1:${ports.admin}`, `127.0.0.1:${at.admin}`);
  }, text);

/** The migration names the shards that it hits on one line. */
async function breakShards(plans: string, shards: readonly number[]): Promise<void> {
  const folder = join(plans, "migrations", "orders-2023");
  for (const kind of ["up", "verify", "down"]) {
    const file = join(folder, `0002_split_tiers.${kind}.sql`);
    const text = await readFile(file, "utf8");
    await writeFile(file, withShards(text, shards));
  }
}

/** Replaces the list in `-- shards: 3,7` and in `values (3), (7)`. */
export const withShards = (text: string, shards: readonly number[]): string =>
  text
    .replaceAll(/-- shards: [\d, ]+/g, `-- shards: ${shards.join(",")}`)
    .replaceAll(/values \(\d\)(,\s*\(\d\))*/g, `values ${shards.map((shard) => `(${shard})`).join(", ")}`);
