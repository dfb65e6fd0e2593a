import { UpgradeError } from "../../errors/upgrade-error.ts";
import { kubernetesDigest } from "../../graph/release-digest.ts";
import type { WorkloadState } from "../../ports/workload.ts";
import { ApiFailure, isFailure, RESOURCES } from "./api/api-failure.ts";
import {
  copyOf,
  dataDigest,
  isCopyOf,
  referencesIn,
  sha256,
  type Config,
  type ConfigData,
  type Reference,
} from "./config.ts";
import { HELD } from "./hold.ts";
import type { Metadata, Template } from "./api/objects.ts";
import type { Site } from "./site.ts";

/**
 * Whether everything that the new release reads is there, asked with the first look at a region and so before anything begins. A region
 * that runs the release already, or that a run holds, is past that: whoever goes back there needs nothing of the new release.
 */
export function configCheck(): (site: Site, state: WorkloadState, signal: AbortSignal) => Promise<void> {
  const cleared = new Set<string>();
  return async (site, { region, instances }, signal) => {
    const { target, releases, config } = site.options;
    const release = target === undefined ? undefined : releases[target];
    if (release?.config === undefined || cleared.has(region)) return;
    const digest = kubernetesDigest(release, sha256);
    if (instances.some((one) => one.digest === digest)) return;
    const { kind, name } = config.object;
    const { metadata, spec } = await site.api.send<{
      readonly metadata: Metadata;
      readonly spec: { readonly template: Template };
    }>({ verb: "get", resource: RESOURCES[kind], name }, signal);
    if (metadata.annotations?.[HELD] !== undefined) return;
    await checkConfig(site, spec.template, release.config, signal);
    cleared.add(region);
  };
}

/** Every ConfigMap and Secret of a release is there as an immutable copy with the data that it states. Rejects `RELEASE_CONFIG_MISMATCH` with all that is wrong. */
export async function checkConfig(site: Site, template: Template, config: Config, signal: AbortSignal): Promise<void> {
  const references = referencesIn(template.spec);
  const found = await Promise.all(
    Object.entries(config).map(([name, digest]) => problemOf(site, references, { name, digest }, signal)),
  );
  const problems = found.flatMap((problem) => (problem === undefined ? [] : [problem]));
  if (problems.length === 0) return;
  throw new UpgradeError(
    "RELEASE_CONFIG_MISMATCH",
    `${site.frame.component} in ${site.frame.region} would not read the config of its release: ${problems.join("; ")}`,
    { hint: "make the immutable copies that are missing, or correct `config` in releases.yaml" },
  );
}

type Entry = { readonly name: string; readonly digest: string };

async function problemOf(
  site: Site,
  references: readonly Reference[],
  { name, digest }: Entry,
  signal: AbortSignal,
): Promise<string | undefined> {
  const own = references.filter((reference) => isCopyOf(reference.name, name));
  const resources = [...new Set(own.map(({ resource }) => resource))];
  const [resource] = resources;
  if (resource === undefined) return `the pod template reads no ConfigMap or Secret ${name}`;
  if (resources.length > 1) return `the pod template reads a ConfigMap and a Secret that are both called ${name}`;
  const copy = copyOf(name, digest);
  const seen = await read(site, { resource, name: copy }, signal);
  if (seen === undefined) return `there is no ${resource}/${copy}`;
  if (!seen.isImmutable) return `${resource}/${copy} is not immutable, so it can change under the same name`;
  return seen.digest === digest ? undefined : `${resource}/${copy} holds other data: its digest is ${seen.digest}`;
}

type Copy = { readonly isImmutable: boolean; readonly digest: string };

/** Nothing but the digest of the data leaves this function: they may be secret. */
async function read({ api }: Site, { resource, name }: Reference, signal: AbortSignal): Promise<Copy | undefined> {
  try {
    const found = await api.send<ConfigData & { readonly immutable?: boolean }>(
      { verb: "get", resource, name },
      signal,
    );
    return { isImmutable: found.immutable === true, digest: dataDigest(found) };
  } catch (error) {
    if (isFailure(error, 404)) return undefined;
    // What could not be parsed may be quoted in the reason.
    if (error instanceof ApiFailure && error.status === 0)
      throw new ApiFailure(error.asked, 0, "did not answer in full");
    throw error;
  }
}
