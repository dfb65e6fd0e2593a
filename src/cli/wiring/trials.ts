import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { identify } from "../../adapters/postgres/identify.ts";
import { postgresTrials } from "../../adapters/postgres/trials/trials.ts";
import { workloadOf } from "../../graph/graph.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { EnvironmentComponent, StoreTrials } from "../../plan/model.ts";
import type { StoreIdentity, Trials } from "../../ports/trials.ts";
import type { ListedRelease } from "../../rehearsal/trial/order.ts";
import { readStatements } from "../../rehearsal/trial/read-statements.ts";
import type { Standing } from "../../rehearsal/stage.ts";
import type { CliIo } from "../io.ts";
import type { Loaded } from "../files/load.ts";
import type { State } from "../run/state.ts";
import { Secrets } from "./secrets.ts";

/** The PostgreSQL stores that a plan migrates. */
export const storesOf = (loaded: Loaded): readonly string[] =>
  Object.keys(loaded.plan.components).filter((name) => loaded.environment.components[name]?.driver === "postgres");

/** Trials on clones of one of demo's stores, as the environment file says; where it says nothing, nobody is sent away for the copy. */
export function wireTrials(loaded: Loaded, store: string, io: CliIo, state: State): Trials {
  const secrets = new Secrets(io.env, dirname(loaded.environment.file));
  const url = urlOf(loaded, store, secrets);
  const placed = loaded.environment.components[store];
  const given = placed?.driver === "postgres" ? placed.trials : undefined;
  const { rows, mask, sessions }: StoreTrials = given ?? { rows: "all", mask: [], sessions: "ask" };
  const roles = rolesOf(loaded, store, secrets);
  return postgresTrials({ url, roles, content: { rows, mask }, sessions, clock: state.clock });
}

/** Which servers production's stores are. Read in sessions that cannot write. */
export function identitiesOf(production: Loaded, io: CliIo, signal: AbortSignal): Promise<readonly StoreIdentity[]> {
  const secrets = new Secrets(io.env, dirname(production.environment.file));
  return Promise.all(storesOf(production).map((store) => identify(urlOf(production, store, secrets), signal)));
}

/** The statements of what runs in demo now and of what the plan brings, from the lists in the releases' folders; none where there is no list. */
export async function listedReleases(
  loaded: Loaded,
  store: string,
  standing: Standing,
): Promise<readonly ListedRelease[]> {
  const users = Object.entries(loaded.plan.components).filter(([, { needs }]) => needs.includes(store));
  const sides = users.flatMap(([component]) => {
    const target = workloadOf(loaded.graph, component)?.target.release;
    const old = Object.entries(standing.workloads)
      .filter(([place]) => place.startsWith(`${component}/`))
      .flatMap(([, { instances }]) => instances.map(({ release }) => release));
    return [
      ...[...new Set(old)].map((release) => ({ component, side: "old" as const, release })),
      ...(target === undefined ? [] : [{ component, side: "new" as const, release: target }]),
    ];
  });
  const listed = await Promise.all(
    sides.map(async (side): Promise<readonly ListedRelease[]> => {
      const folder = loaded.releases.releases[side.release]?.process?.path;
      if (folder === undefined) return [{ ...side, queries: [] }];
      const file = join(folder, "statements.json");
      const text = await readFile(file, "utf8").catch(() => undefined);
      return [{ ...side, queries: text === undefined ? [] : readStatements(text, file) }];
    }),
  );
  return listed.flat();
}

export function urlOf(loaded: Loaded, store: string, secrets: Secrets): string {
  const placed = loaded.environment.components[store];
  return placed?.driver === "postgres" ? secrets.read(placed.url, `the URL of ${store}`) : "";
}

/** By which address each component comes to the store: for processes the one among their variables that leads to the same database. */
export function rolesOf(loaded: Loaded, store: string, secrets: Secrets): Readonly<Record<string, string>> {
  const place = placeOf(urlOf(loaded, store, secrets));
  const isHere = (url: string): boolean => placeOf(url) !== undefined && placeOf(url) === place;
  const addressOf = (name: string, placed: EnvironmentComponent): string | undefined => {
    if (placed.driver === "process")
      return Object.entries(placed.env)
        .map(([variable, value]) => secrets.read(value, `${variable} of ${name}`))
        .find((value) => isHere(value));
    const stated = placed.driver === "kubernetes" ? placed.stores[store] : undefined;
    if (stated === undefined) return undefined;
    const url = secrets.read(stated, `${store} of ${name}`);
    // Clones stand on the store's own server.
    if (!isHere(url)) throw elsewhere(name, store);
    return url;
  };
  return Object.fromEntries(
    Object.entries(loaded.environment.components).flatMap(([name, placed]): [string, string][] => {
      const found = addressOf(name, placed);
      return found === undefined ? [] : [[name, found]];
    }),
  );
}

const elsewhere = (component: string, store: string): UpgradeError =>
  new UpgradeError(
    "TRIAL_REFUSED",
    `the address of ${store} in \`stores\` of ${component} leads elsewhere than that of ${store} itself`,
    { hint: "write the same host, port and database in both: only the user and the password differ" },
  );

const placeOf = (url: string): string | undefined => {
  if (!/^postgres(ql)?:/.test(url) || !URL.canParse(url)) return undefined;
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
};
