import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { EndpointSlice, Labels, Service } from "../api/objects.ts";
import { changeOf, readRecorded, refuseChanged, writeRecorded, type Recorded } from "../recorded.ts";
import type { Sight } from "../sight.ts";
import { list, sourcesOf, type Site } from "../site.ts";
import { TEMPLATE_HASH } from "../template.ts";
import type { Errand } from "../under-fence.ts";
import { pinnedIn, pinPatch, selectorChanges, type Pinned } from "./pinned.ts";

const SERVICE: Recorded<Service, Pinned> = {
  resource: "services",
  nameIn: ({ options: { config } }) => config.service,
  called: "the Service",
  remedy: "put the selector back as it was ordered",
  recordIn: pinnedIn,
  changes: (_, service, pinned) => selectorChanges(pinned, service),
};

export const readService = (site: Site, signal: AbortSignal): Promise<Service> => readRecorded(SERVICE, site, signal);

/** The record of a Service that is as it was ordered; undefined where nobody pinned it. Rejects `FOREIGN_CHANGE` with what somebody else changed. */
export async function readPinned(site: Site, signal: AbortSignal): Promise<Pinned | undefined> {
  const service = await readService(site, signal);
  const pinned = pinnedIn(service);
  if (pinned !== undefined) refuseChanged(SERVICE, site, service, pinned);
  return pinned;
}

/** In words; undefined where the selector is as it was ordered. */
export const selectorChange = (site: Site, service: Service, pinned: Pinned): string | undefined =>
  changeOf(SERVICE, site, service, pinned);

/** Every user whose connection is new reaches pods of this template, and nobody else's: one patch. Repeatable. */
export async function point(hash: string, errand: Errand): Promise<void> {
  await writeRecorded(SERVICE, errand, (service, pinned) => {
    if (pinned?.chosen === hash) return undefined;
    const was = pinned?.was ?? selectorFound(errand.site, service);
    return pinPatch(service, { format: 1, was, chosen: hash, fence: errand.fence }, was);
  });
}

/** The selector is what it was before, and nothing is left of the record. Repeatable. */
export async function unpin(errand: Errand): Promise<void> {
  await writeRecorded(SERVICE, errand, (service, pinned) =>
    pinned === undefined ? undefined : pinPatch(service, undefined, pinned.was),
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
