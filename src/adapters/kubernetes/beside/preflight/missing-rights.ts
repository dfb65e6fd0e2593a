import { ApiFailure, GROUPS, pluralOf, ruleFor, thing, type Verb } from "../../api/api-failure.ts";
import type { Wanted } from "../rbac.ts";
import type { Api } from "../../api/api.ts";

/** Where it is asked. */
type Site = { readonly api: Api };

/**
 * What this user may not do of what an upgrade asks for: the API server says so before anything begins, also of what only an undo needs.
 * Whoever may not even ask that is told by the first request that is refused.
 */
export async function missingRights(
  site: Pick<Site, "api">,
  wanted: readonly Wanted[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const told = await Promise.all(
    wanted.map(async (one) => {
      const verbs: Verb[] = [];
      // One after the other: few connections, and all of this is a moment.
      for (const verb of one.right.verbs) if (!(await isAllowed(site, one, verb, signal))) verbs.push(verb);
      return verbs.length === 0 ? [] : [sentence(site, one, verbs)];
    }),
  );
  return told.flat();
}

type Review = { readonly status?: { readonly allowed?: boolean } };

async function isAllowed(
  { api }: Pick<Site, "api">,
  { right: { resource, subresource }, name }: Wanted,
  verb: Verb,
  signal: AbortSignal,
): Promise<boolean> {
  const body = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: {
      resourceAttributes: {
        namespace: api.namespace,
        group: GROUPS[resource],
        resource: pluralOf(resource),
        subresource,
        name,
        verb,
      },
    },
  };
  try {
    const { status } = await api.send<Review>({ verb: "create", resource: "selfsubjectaccessreviews", body }, signal);
    return status?.allowed !== false;
  } catch (error) {
    if (error instanceof ApiFailure) return true;
    throw error;
  }
}

function sentence({ api }: Pick<Site, "api">, { right, name }: Wanted, verbs: readonly Verb[]): string {
  const asked = { ...right, ...(name === undefined ? {} : { name }), namespace: api.namespace };
  return `may not ${verbs.join(", ")} ${thing(asked)} of ${api.context}; ${ruleFor(asked, verbs)}`;
}
