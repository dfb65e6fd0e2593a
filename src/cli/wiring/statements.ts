import { dirname } from "node:path";
import type { Drill } from "../../rehearsal/drill.ts";
import type { Stage } from "../../rehearsal/stage.ts";
import { countStatements } from "../../rehearsal/trial/forgotten.ts";
import type { CliIo } from "../io.ts";
import type { Loaded } from "../files/load.ts";
import { Secrets } from "./secrets.ts";

/** Counts, while the plan is walked, what the releases send to each store that they bring a list for. */
export async function countStatementsOf(
  demo: Loaded,
  io: CliIo,
  stage: Stage,
  signal: AbortSignal,
): Promise<() => Promise<readonly Drill[]>> {
  const { listedReleases, rolesOf, storesOf, urlOf } = await import("./trials.ts");
  const { postgresStatementLog } = await import("../../adapters/postgres/statement-log.ts");
  const secrets = new Secrets(io.env, dirname(demo.environment.file));
  const standing = await stage.look(signal);
  const ends = await Promise.all(
    storesOf(demo).map(async (store) => {
      const releases = (await listedReleases(demo, store, standing)).filter(({ queries }) => queries.length > 0);
      const roles = Object.values(rolesOf(demo, store, secrets)).map((role) =>
        decodeURIComponent(new URL(role).username),
      );
      if (releases.length === 0 || roles.length === 0) return () => Promise.resolve([]);
      return countStatements(
        { store, roles, releases, log: postgresStatementLog(urlOf(demo, store, secrets)) },
        signal,
      );
    }),
  );
  return async () => (await Promise.all(ends.map((end) => end()))).flat();
}
