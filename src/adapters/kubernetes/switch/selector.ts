import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { fenceText, type Fence } from "../../../ports/fence.ts";
import { amend } from "../amend.ts";
import { isFailure } from "../api/api-failure.ts";
import type { EndpointSlice, Labels, Service } from "../api/objects.ts";
import { managersOf } from "../beside/managers.ts";
import type { PatchOp } from "../api/patch.ts";
import { isLower } from "../hold.ts";
import type { Sight } from "../sight.ts";
import { list, sourcesOf, type Site } from "../site.ts";
import { TEMPLATE_HASH } from "../template.ts";
import type { Errand } from "../under-fence.ts";
import { fenceOf, pinnedIn, pinPatch, selectorChanges, type Pinned } from "./pinned.ts";

/** Endpoints and their controllers do not write to a Service; somebody else may. */
const TRIES = 20;

export const readService = ({ api, options: { config } }: Site, signal: AbortSignal): Promise<Service> =>
  api.send<Service>({ verb: "get", resource: "services", name: config.service }, signal);

/** The record of a Service that is as it was ordered; undefined where nobody pinned it. Rejects `FOREIGN_CHANGE` with what somebody else changed. */
export async function readPinned(site: Site, signal: AbortSignal): Promise<Pinned | undefined> {
  const service = await readService(site, signal);
  const pinned = pinnedIn(service);
  if (pinned !== undefined) refuseChanged(site, service, pinned);
  return pinned;
}

/** In words; undefined where the selector is as it was ordered. */
export function changeOf(site: Site, service: Service, pinned: Pinned): string | undefined {
  const changes = selectorChanges(pinned, service);
  if (changes.length === 0) return undefined;
  const suspects = managersOf(service.metadata).map(({ name }) => name);
  const by = suspects.length === 0 ? "" : ` (it is managed by ${suspects.join(" and ")})`;
  return `service ${service.metadata.name} in ${site.api.context} was changed by somebody else while midflight held it: ${changes.join("; ")}${by}`;
}

function refuseChanged(site: Site, service: Service, pinned: Pinned): void {
  const text = changeOf(site, service, pinned);
  if (text === undefined) return;
  const pauses = managersOf(service.metadata).map(({ pause }) => `${pause}; `);
  throw new UpgradeError("FOREIGN_CHANGE", text, {
    hint: `${pauses.join("")}put the selector back as it was ordered, then \`midflight resume\``,
  });
}

/** Every user whose connection is new reaches pods of this template, and nobody else's: one patch. Repeatable. */
export const point = (hash: string, errand: Errand): Promise<void> =>
  write(errand, (service, pinned) => {
    if (pinned?.chosen === hash) return undefined;
    const was = pinned?.was ?? selectorFound(errand.site, service);
    return pinPatch(service, { format: 1, was, chosen: hash, fence: errand.fence }, was);
  });

/** The selector is what it was before, and nothing is left of the record. Repeatable. */
export const unpin = (errand: Errand): Promise<void> =>
  write(errand, (service, pinned) => (pinned === undefined ? undefined : pinPatch(service, undefined, pinned.was)));

/** Reads, decides, and writes only if nobody wrote meanwhile. Whoever is late is told by the Deployment's fence, and by the one in the record. */
async function write(
  { site, fence, signal }: Errand,
  patchOf: (service: Service, pinned: Pinned | undefined) => readonly PatchOp[] | undefined,
): Promise<void> {
  const { service: name } = site.options.config;
  for (let turn = 1; ; turn += 1) {
    const service = await readService(site, signal);
    const pinned = pinnedIn(service);
    if (pinned !== undefined) {
      refuseLate(site, fence, pinned);
      refuseChanged(site, service, pinned);
    }
    const body = patchOf(service, pinned);
    if (body === undefined) return;
    try {
      const query = { fieldManager: "midflight" };
      await site.api.send({ verb: "patch", resource: "services", name, query, body }, signal);
      return;
    } catch (error) {
      if (!isFailure(error, 409) || turn === TRIES) throw error;
      // Whoever wrote may be the next conductor.
      await amend(site, fence, () => undefined, signal);
    }
  }
}

function refuseLate({ frame }: Site, fence: Fence, pinned: Pinned): void {
  if (!isLower(fence, pinned.fence)) return;
  throw new UpgradeError(
    "FENCED",
    `a write with fence ${fenceText(fence)} was refused for the Service of ${frame.component} in ${frame.region}, where ${fenceOf(pinned)} was seen`,
    { hint: "look at `midflight status` to see who acts now" },
  );
}

function selectorFound({ api }: Site, { metadata: { name }, spec }: Service): Labels {
  const selector = spec?.selector ?? {};
  if (Object.keys(selector).length === 0)
    throw refused(`service ${name} in ${api.context} selects no pods, so that nothing of it can be switched`);
  if (selector[TEMPLATE_HASH] !== undefined)
    throw refused(
      `service ${name} in ${api.context} names a template itself (${TEMPLATE_HASH}: ${selector[TEMPLATE_HASH]})`,
    );
  return selector;
}

const refused = (text: string): UpgradeError =>
  new UpgradeError("KUBERNETES_REFUSED", text, {
    hint: "let the Service select the pods by labels of their own, or take `traffic` out of the environment file",
  });

/** Pods of others that the Service sends users to would be cut off by a switch. Rejects `KUBERNETES_REFUSED`. */
export async function refuseShared(site: Site, { deployment, pods, dark }: Sight, signal: AbortSignal): Promise<void> {
  const slices = await list<EndpointSlice>(site, sourcesOf(site.options.config, deployment).slices, signal);
  const own = new Set([...pods, ...dark].map(({ pod }) => pod.metadata.name));
  const others = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.terminating !== true)
    .flatMap(({ targetRef }) => (targetRef?.name === undefined || own.has(targetRef.name) ? [] : [targetRef.name]));
  if (others.length === 0) return;
  throw new UpgradeError(
    "KUBERNETES_REFUSED",
    `service ${site.options.config.service} in ${site.api.context} sends users to pods that are not of deployment ${deployment.metadata.name} too: ${[...new Set(others)].join(", ")}; a switch would cut them off`,
    { hint: "give the Deployment a Service of its own, or take `traffic` out of the environment file" },
  );
}
