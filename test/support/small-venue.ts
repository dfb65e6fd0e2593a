import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { midflightSurface } from "../../src/cli/demo/surface.ts";
import type { CliIo } from "../../src/cli/io.ts";
import type { Estate } from "../../src/demo/surface.ts";
import { startUsers, type Users } from "../../src/demo/users.ts";
import { USER_UIDS } from "../../src/demo/venue/accounts.ts";
import { startEnvironment } from "../../src/demo/environment.ts";
import type { Venue } from "../../src/demo/venue/venue.ts";
import { place, prepareWorkspace } from "../../src/demo/workspace.ts";

const shipped = fileURLToPath(new URL("../../plans", import.meta.url));

/** A real venue with a few gateways in each region and a little traffic, and files to upgrade it by. */
export type SmallVenue = {
  /** Also the working folder of commands. */
  readonly dir: string;
  readonly plan: string;
  readonly environment: string;
  readonly state: string;
  readonly env: Readonly<Record<string, string>>;
  readonly venue: Venue;
  readonly estate: Estate;
  readonly users: Users;
  /** Release names and weights behind each balancer, sorted. */
  serving(): Promise<Readonly<Record<string, readonly string[]>>>;
  stop(): Promise<void>;
};

/** By default both regions go at once, in one batch, and no contract bars the way back. */
export const QUICK = {
  contract: false,
  /** Gateways in each region. */
  instances: 2,
  batch: 2,
  fault: {} as Readonly<Record<string, number>>,
  release: "gateway@2.0",
  /** Few: they trade all the time, and most of a test is not about them. Probes are the evidence, while a run lasts. */
  ratePerSec: 40,
  name: "venue",
  /** Also brings up the demo environment, to rehearse in. */
  withDemo: false,
};

/** `prepare` is called before anything is written to the state folder. */
export async function startSmallVenue(
  wish: Partial<typeof QUICK> & { readonly prepare?: (state: string) => void } = {},
): Promise<SmallVenue> {
  const { contract, instances, batch, fault, release, ratePerSec, name, withDemo } = { ...QUICK, ...wish };
  const dir = await mkdtemp(join(tmpdir(), `midflight-cli ${name}-`));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const workspace = await prepareWorkspace(shipped, join(dir, "work"), { plan: "small.yaml" }, { text: "none" });
  await writeFile(workspace.plan, planOf({ release, contract, batch }));
  // The first release is started by the shipped plan, whose batches may be larger than a region of ours.
  const shippedPlan = join(workspace.dir, "plans", "good-upgrade.yaml");
  const text = await readFile(shippedPlan, "utf8");
  await writeFile(shippedPlan, text.replaceAll(/(batch|surge): 2/g, `$1: ${Math.min(2, instances)}`));
  const state = join(workspace.dir, "plans", ".midflight");
  const { venue, estate } = await startEnvironment(
    {
      dir: join(dir, "venue"),
      env: "production",
      keySeed: "small",
      prepare: async (started) => {
        await place(workspace.environment, started, instances);
        wish.prepare?.(state);
        return workspace;
      },
      midflight: (variables) =>
        midflightSurface(silent(workspace.dir, { ...variables, FAULT: JSON.stringify(fault) }), "json"),
    },
    stack,
  );
  const env: Record<string, string> = { ...venue.variables, FAULT: JSON.stringify(fault) };
  if (withDemo) {
    const demo = await startEnvironment(
      {
        dir: join(dir, "demo"),
        env: "demo",
        keySeed: "small",
        prepare: async (started) => {
          await place(workspace.demo, started, instances);
          return { environment: workspace.demo, releases: workspace.releases };
        },
        midflight: (variables) => midflightSurface(silent(workspace.dir, { ...env, ...variables }), "json"),
      },
      stack,
    );
    Object.assign(env, demo.venue.variables);
  }
  const at = (region: string) => ({ rest: venue.regions[region]?.rest ?? "", ws: venue.regions[region]?.ws ?? "" });
  const users = await startUsers(
    {
      regions: { tokyo: at("tokyo"), frankfurt: at("frankfurt") },
      keySeed: venue.keySeed,
      uids: USER_UIDS.slice(0, 60),
      ratePerSec,
      seed: "small",
    },
    () => {},
  );
  const stopUsers = onceOnly(async () => void (await users.stop().catch(() => {})));
  stack.defer(stopUsers);
  const moved = stack.move();
  return {
    dir: workspace.dir,
    plan: workspace.plan,
    environment: workspace.environment,
    state,
    env,
    venue,
    estate,
    users,
    serving: () => serving(venue),
    stop: () => moved.disposeAsync(),
  };
}

const silent = (cwd: string, env: Readonly<Record<string, string>>): CliIo => ({
  cwd,
  env,
  print: () => {},
  say: () => {},
  stdout: { isTTY: false, columns: 0 },
  stderr: { isTTY: false },
  stdin: { isTTY: false },
  question: () => Promise.resolve(undefined),
  onSignal: () => () => {},
  version: "0.0.0",
  node: process.version,
});

const onceOnly = (act: () => Promise<void>): (() => Promise<void>) => {
  let running: Promise<void> | undefined;
  return () => (running ??= act());
};

async function serving(venue: Venue): Promise<Readonly<Record<string, readonly string[]>>> {
  const regions = Object.entries(venue.regions).map(async ([region, { admin }]): Promise<[string, string[]]> => {
    const { backends } = (await (await fetch(`${admin}/backends`)).json()) as {
      readonly backends: readonly { readonly id: string; readonly release: string; readonly weight: number }[];
    };
    return [region, backends.map((one) => `${one.release} ${one.weight}`).toSorted()];
  });
  return Object.fromEntries(await Promise.all(regions));
}

const planOf = ({
  release,
  contract,
  batch,
}: Pick<typeof QUICK, "release" | "contract" | "batch">): string => `midflight: 1
plan: small
summary: A small upgrade
components:
  orders-db: { migrations: ./migrations/orders }
  gateway: { release: ${release}, needs: [orders-db], floor: 100% }
steps:
  - migrate: orders-db
    phase: expand
  - roll: gateway
    dark: { exclude: 20%, confidence: 95% }
    drain: { notice: 200ms, deadline: 3s }
    waves: [{ regions: [tokyo, frankfurt], batch: ${batch}, surge: ${batch}, soak: 1s }]
${
  contract
    ? `  - soak: 1s
  - migrate: orders-db
    phase: contract
    irreversible: true
    backup: rebuild
`
    : ""
}guard:
  operations: [order, amend, cancel]
  falseAlarms: 1 per 30 days
  baseline: { atMost: 0.2% }
  probes: 60/s
  deadline: 2s                  # how fast this machine is, is not the question here
  slowerThan: 2s
  budget: { failedOperations: 500 }
rehearsal: { soak: 2s, drillSoak: 100ms, validFor: 1h }
${contract ? `backups:\n  rebuild: [{ run: [node, ./plans/backup/rebuild-bands.mjs], timeout: 1m }, { verify: gateway }]\n` : ""}`;
