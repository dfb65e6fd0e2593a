import type { Fence } from "../../ports/fence.ts";
import { isFailure, RESOURCES } from "./api/api-failure.ts";
import type { Ask } from "./api/api.ts";
import {
  differencesOf,
  fenceIn,
  fieldsOf,
  heldFields,
  heldIn,
  isLower,
  patchFor,
  type Amendment,
  type Held,
} from "./hold.ts";
import { managersOf, scalersOf, type Manager } from "./beside/managers.ts";
import type { Autoscaler, Deployment, Listed, Metadata, PodSet } from "./api/objects.ts";
import type { PatchOp } from "./api/patch.ts";
import { fenced, foreignChange } from "./refusals.ts";
import { objectText, readObject, type Site } from "./site.ts";

/** What a Deployment shall be, decided on what it is. Undefined: nothing but the fence is written. */
export type Decide = (deployment: Deployment, held: Held | undefined) => Amendment | undefined;

/** Its status is written by its controller all the time while it rolls, and each write is a conflict. */
const TRIES = 20;

/**
 * Reads the Deployment, decides, and writes only if nobody wrote meanwhile; otherwise it reads again. The fence travels in the same write.
 * Rejects: `FENCED`, `FOREIGN_CHANGE` (a held field is not as it was ordered).
 */
export const amend = (site: Site, fence: Fence, decide: Decide, signal: AbortSignal): Promise<Deployment> =>
  amendObject(
    site,
    fence,
    async (deployment: Deployment) => {
      const held = heldIn(deployment);
      if (held !== undefined)
        await refuseForeign(site, deployment, differencesOf(heldFields(held), fieldsOf(deployment)), signal);
      return patchFor(deployment, fence, decide(deployment, held) ?? { held, fields: fieldsOf(deployment) });
    },
    signal,
  );

/** The same for every kind of object. `patchTo`: what it shall be, with the version that was read as its first line. */
export async function amendObject<O extends Deployment | PodSet>(
  site: Site,
  fence: Fence,
  patchTo: (object: O) => Promise<readonly PatchOp[]>,
  signal: AbortSignal,
): Promise<O> {
  const { read, written } = await writeFenced(site, fence, {
    // The kind of the component's object is that of everything that is asked for it.
    known: () => site.informer.object() as O | undefined,
    read: () => readObject<O>(site, signal),
    bodyFor: async (object) => {
      const body = await patchTo(object);
      return body.length > 1 ? body : undefined;
    },
    write: (ask) => site.api.send<O>(ask, signal),
  });
  return written ?? read;
}

/**
 * Reads, decides, and writes only if nobody wrote meanwhile; otherwise it reads again. `known`: what may be tried without reading; a no is said of
 * what was read alone. `bodyFor` undefined: there is nothing to write. Rejects `FENCED` before it decides.
 */
export async function writeFenced<R extends { readonly metadata: Metadata }, W>(
  site: Site,
  fence: Fence,
  steps: {
    readonly known?: () => R | undefined;
    readonly read: () => Promise<R>;
    readonly bodyFor: (read: R) => Promise<readonly PatchOp[] | undefined>;
    readonly write: (ask: Ask) => Promise<W>;
  },
): Promise<{ readonly read: R; readonly written: W | undefined }> {
  const { kind, name } = site.options.config.object;
  const askFor = async (read: R): Promise<Ask | undefined> => {
    const known = fenceIn(read);
    // Whoever is newer may have changed what we see: then it is not foreign, we are late.
    if (isLower(fence, known)) throw fenced(site, site.frame.component, fence, known);
    const body = await steps.bodyFor(read);
    const query = { fieldManager: "midflight" };
    return body === undefined ? undefined : { verb: "patch", resource: RESOURCES[kind], name, query, body };
  };
  const write = async (ask: Ask, isLast: boolean): Promise<W | undefined> => {
    try {
      return await steps.write(ask);
    } catch (error) {
      if (isFailure(error, 409) && !isLast) return undefined;
      throw error;
    }
  };
  const known = steps.known?.();
  if (known !== undefined) {
    const ask = await askFor(known).catch(() => undefined);
    const written = ask === undefined ? undefined : await write(ask, false);
    if (written !== undefined) return { read: known, written };
  }
  for (let turn = 1; ; turn += 1) {
    const read = await steps.read();
    const ask = await askFor(read);
    if (ask === undefined) return { read, written: undefined };
    const written = await write(ask, turn === TRIES);
    if (written !== undefined) return { read, written };
  }
}

/** Rejects `FOREIGN_CHANGE` for fields that are not as they were ordered, with whoever may have changed them. */
export async function refuseForeign(
  site: Site,
  { metadata }: { readonly metadata: Metadata },
  differences: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (differences.length === 0) return;
  const isScaled = differences.some((line) => line.startsWith("replicas:"));
  const suspects = [...managersOf(metadata), ...(isScaled ? await autoscalersOf(site, signal) : [])];
  throw foreignChange(
    site,
    { what: objectText(site), changes: differences, suspects },
    "put it back as it was ordered",
  );
}

/** None as well when this user may not read them: they only explain. */
export async function autoscalersOf({ api, options }: Site, signal: AbortSignal): Promise<readonly Manager[]> {
  const listed = await api
    .send<Listed<Autoscaler>>({ verb: "list", resource: "horizontalpodautoscalers" }, signal)
    .catch(() => ({ items: [] }));
  return scalersOf(options.config.object, listed.items ?? []);
}
