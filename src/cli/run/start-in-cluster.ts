import { readFile } from "node:fs/promises";
import { dirname, posix, resolve } from "node:path";
import { begin } from "../../engine/begin.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { ConductorPlace, Environment } from "../../plan/model.ts";
import { valuesOf } from "../../plan/values-of.ts";
import { liveFacts } from "../facts/collect-facts.ts";
import type { Loaded } from "../files/load.ts";
import type { CliIo } from "../io.ts";
import { wireConductor, type WiredConductor } from "../wiring/conductor.ts";
import { wireLease } from "../wiring/lease.ts";
import { clear } from "./clear.ts";
import type { Permit } from "./permit.ts";
import { leaseKeys } from "./lease-keys.ts";
import { keepInputs, newRunId, openedBy } from "./start-run.ts";
import { holderOf, type State } from "./state.ts";

export type ClusterOrder = {
  readonly io: CliIo;
  readonly loaded: Loaded;
  readonly state: State;
  readonly permit: Permit;
};

/**
 * Opens a run as `upgrade` does, up to its first fact, and leaves it to a conductor in the cluster, which resumes it.
 * Rejects `INCLUSTER_IMPOSSIBLE`, and what keeps an upgrade from starting.
 */
export async function startInCluster(
  order: ClusterOrder,
): Promise<{ readonly run: string; readonly conductor: WiredConductor }> {
  const { io, loaded, state, permit } = order;
  const place = placeFor(loaded, state);
  const conductor = await wireConductor(loaded.environment, place);
  const keys = await trustedFiles(loaded.environment);
  const cleared = await clear({ io, loaded, state, permit, facts: (one) => liveFacts(io, one, state.dir) });
  const run = newRunId(loaded, state.clock.now());
  const { signal } = new AbortController();
  const leases = await wireLease(loaded, state, io.env);
  const lease = await leases.acquire(leaseKeys(loaded), holderOf(run), signal);
  try {
    const journal = await state.store.create(run);
    await keepInputs(state, run, loaded, { given: COPIES, cleared });
    for (const { name, text } of keys) await state.store.putFile(run, `input/${name}`, text);
    const opened = openedBy(loaded, { run, epoch: lease.epoch, cleared });
    const at = state.clock.now();
    await journal.append({ at, fact: { ...opened, at }, effects: begin(opened).effects });
    await journal.close();
  } finally {
    // For the conductor to take, by a higher epoch.
    await lease.release();
  }
  await conductor.start({ run, where: state.where }, signal);
  return { run, conductor };
}

/** Without a folder: a conductor, wherever it is, has the copies of the run. */
const COPIES = { plan: "plan.yaml", environment: "environment.yaml", releases: "releases.yaml" };

function placeFor({ environment, plan }: Loaded, state: State): ConductorPlace {
  if (environment.inCluster === undefined)
    throw impossible(
      `${environment.file} does not say where`,
      "add inCluster: { image: …, serviceAccount: …, context: …, namespace: … }",
    );
  const { stateCluster } = environment;
  if (stateCluster === undefined || state.where !== `kubernetes:${stateCluster.context}/${stateCluster.namespace}`)
    throw impossible(
      `its journal would be kept in ${state.where}`,
      "write state: { kubernetes: { context: …, namespace: … } } into the environment file, and leave --state out",
    );
  for (const name of Object.keys(plan.components)) {
    const component = environment.components[name];
    if (component?.driver === "process")
      throw impossible(`${name} is processes of a machine`, "start it there, without --in-cluster");
    if (component?.driver === "kubernetes" && typeof component.kubeconfig === "string")
      throw impossible(
        `the kubeconfig of ${name} is a file of this machine`,
        "leave it out, or write { env: NAME } and put it into the Secret of inCluster.env",
      );
  }
  for (const [region, { probe }] of Object.entries(environment.regions))
    if (typeof probe?.in?.kubeconfig === "string")
      throw impossible(
        `the kubeconfig for the probes of ${region} is a file of this machine`,
        "leave it out, or write { env: NAME } and put it into the Secret of inCluster.env",
      );
  const file = valuesOf(environment).find(({ value }) => typeof value === "object" && "file" in value);
  if (file !== undefined)
    throw impossible(
      `${file.what} is read from a file of this machine`,
      "write { env: NAME } instead, and put it into the Secret of inCluster.env",
    );
  return environment.inCluster;
}

/** The public keys that certificates are checked by, once more by the conductor. They are kept with the run. */
async function trustedFiles(
  environment: Environment,
): Promise<readonly { readonly name: string; readonly text: string }[]> {
  return Promise.all(
    environment.trusts.map(async (path) => {
      const name = posix.normalize(path);
      if (posix.isAbsolute(name) || name.startsWith(".."))
        throw impossible(
          `${path} under trusts lies outside the folder of ${environment.file}`,
          "move it beside that file",
        );
      try {
        return { name, text: await readFile(resolve(dirname(environment.file), path), "utf8") };
      } catch (cause) {
        throw new UpgradeError(
          "INCLUSTER_IMPOSSIBLE",
          `the conductor cannot run in the cluster: ${path} cannot be read`,
          {
            hint: "check the path under `trusts`, relative to the environment file",
            cause,
          },
        );
      }
    }),
  );
}

const impossible = (why: string, hint: string): UpgradeError =>
  new UpgradeError("INCLUSTER_IMPOSSIBLE", `the conductor cannot run in the cluster: ${why}`, { hint });
