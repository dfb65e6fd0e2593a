import { localRunner } from "../../adapters/runner/local-runner.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { JobProgram } from "../../plan/model.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Runner } from "../../ports/runner.ts";
import type { Loaded } from "../files/load.ts";
import { programName } from "../files/named-programs.ts";
import type { Secrets } from "./secrets.ts";

/** Runs programs on this machine and, where the plan has any, Jobs in the cluster that the environment names. Throws `JOB_MANIFEST_WRONG`. */
export async function wireRunner(
  loaded: Loaded,
  secrets: Secrets,
  how: { readonly cwd: string; readonly clock: Clock },
): Promise<Runner> {
  const local = localRunner();
  const jobs = jobsIn(loaded);
  const place = loaded.environment.jobs;
  if (jobs.length === 0 || place === undefined) return local;
  const { kubernetesJobs } = await import("../../adapters/kubernetes/jobs/jobs.ts");
  const { context, namespace, kubeconfig } = place;
  const cluster = kubernetesJobs({
    context,
    namespace,
    ...(kubeconfig === undefined ? {} : { kubeconfig: secrets.read(kubeconfig, "the kubeconfig for jobs") }),
    clock: how.clock,
    programs: jobs.map((program) => ({ program, text: textOf(loaded, how.cwd, program.manifest) })),
  });
  return { run: (order, signal) => (order.job === undefined ? local : cluster).run(order, signal) };
}

const jobsIn = ({ plan }: Loaded): readonly JobProgram[] =>
  plan.steps.flatMap((step) => (step.kind === "run" && step.job !== undefined ? [step.job] : []));

/** As it was when the plan was read: whoever changes the file while a run is under way changes nothing. */
function textOf(loaded: Loaded, cwd: string, manifest: string): string {
  const name = programName(cwd, manifest);
  const found = loaded.files.find((file) => file.name === name);
  if (found !== undefined) return found.text;
  throw new UpgradeError(
    "JOB_MANIFEST_WRONG",
    `${manifest} lies neither in the folder where midflight was started nor in that of the plan`,
    { hint: "put it into one of them: it is a part of the plan, and kept with the run" },
  );
}
