import { spawnSync } from "node:child_process";
import { down, Unable, up } from "./cluster.ts";
import { placesOf } from "./places.ts";

/** Makes a cluster, runs the suite on it, and takes it down. Where none can be made it says so, and that is no failure. */
const places = placesOf("suite");
const say = (line: string): void => void process.stderr.write(`${line}\n`);

let status = 0;
try {
  const mayInstall = process.argv.includes("--install");
  const files = process.argv.slice(2).filter((word) => word !== "--install");
  await up({ places, regions: ["tokyo", "frankfurt"], hasNode: true, mayInstall, say });
  const { status: ended } = spawnSync(
    "vitest",
    ["run", "--project", "cluster-beside", "--project", "cluster", ...files],
    {
      stdio: "inherit",
      env: { ...process.env, MIDFLIGHT_CLUSTER: places.name },
    },
  );
  status = ended ?? 1;
} catch (error) {
  if (!(error instanceof Unable)) throw error;
  say(`skipped: the cluster suite (test/cluster): ${error.message}`);
} finally {
  await down(places);
}
process.exitCode = status;
