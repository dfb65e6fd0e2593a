import type { ManifestFlaw } from "../../adapters/kubernetes/jobs/job-manifest.ts";
import type { JobProgram } from "../../plan/model.ts";

/** What is wrong with the manifest of a Job, if anything is. Loaded only where a plan has Jobs. */
export async function flawIn(job: JobProgram, text: string): Promise<ManifestFlaw | undefined> {
  const { readJobManifest } = await import("../../adapters/kubernetes/jobs/job-manifest.ts");
  const read = readJobManifest(job, text);
  return "manifest" in read ? undefined : read;
}
