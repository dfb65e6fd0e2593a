import type { Condition, Metadata } from "../api/objects.ts";

/** The part of the Gateway API's HTTPRoute that is read here. */
export type HttpRoute = {
  readonly metadata: Metadata;
  readonly spec?: { readonly rules?: readonly RouteRule[] };
  readonly status?: { readonly parents?: readonly RouteParent[] };
};

export type RouteRule = {
  readonly backendRefs?: readonly BackendRef[];
  readonly filters?: readonly { readonly type?: string }[];
  readonly sessionPersistence?: unknown;
};

export type BackendRef = {
  readonly name: string;
  readonly namespace?: string;
  readonly kind?: string;
  readonly group?: string;
  readonly weight?: number;
  readonly filters?: readonly unknown[];
};

/** What a gateway says of a route that it serves. */
export type RouteParent = {
  readonly parentRef?: { readonly name?: string };
  readonly controllerName?: string;
  readonly conditions?: readonly (Condition & { readonly observedGeneration?: number })[];
};

/** The Services that a route weighs: the component's own, and the one beside it. */
export type Entries = { readonly own: string; readonly beside: string };

const rulesOf = ({ spec }: HttpRoute): readonly RouteRule[] => spec?.rules ?? [];

const isService = ({ kind = "Service", group = "" }: BackendRef): boolean => kind === "Service" && group === "";

const isNamed = (ref: BackendRef, service: string, namespace: string | undefined): boolean =>
  isService(ref) && ref.name === service && (ref.namespace === undefined || ref.namespace === namespace);

/** A weight that is not stated counts as one. */
const weightOf = ({ weight = 1 }: BackendRef): number => weight;

/** A place of a weight in a route. */
export type RefPlace = { readonly rule: number; readonly ref: number; readonly of: keyof Entries };

/** Where the weights of both Services stand. */
export const placesIn = (route: HttpRoute, { own, beside }: Entries): readonly RefPlace[] =>
  rulesOf(route).flatMap(({ backendRefs = [] }, rule) =>
    backendRefs.flatMap((one, ref): readonly RefPlace[] => {
      if (isNamed(one, own, route.metadata.namespace)) return [{ rule, ref, of: "own" }];
      return isNamed(one, beside, route.metadata.namespace) ? [{ rule, ref, of: "beside" }] : [];
    }),
  );

/** Who gets how much by each rule, as text that tells a difference: `rule 1, gateway` → weight. A weight that is not stated is undefined. */
export type Backends = readonly (readonly Backend[])[];
export type Backend = { readonly name: string; readonly weight?: number };

export const backendsOf = (route: HttpRoute): Backends =>
  rulesOf(route).map(({ backendRefs = [] }) =>
    backendRefs.map((ref) => ({
      name: isService(ref) && ref.namespace === undefined ? ref.name : JSON.stringify({ ...ref, weight: undefined }),
      ...(ref.weight === undefined ? {} : { weight: ref.weight }),
    })),
  );

/** Why shares of this route cannot be given to the two Services, a sentence each. */
export function unfitIn(route: HttpRoute, entries: Entries): readonly string[] {
  const { name, namespace } = route.metadata;
  const { own, beside } = entries;
  const its = rulesOf(route).flatMap((rule, index) => {
    const refs = rule.backendRefs ?? [];
    const isOurs = refs.some((ref) => isNamed(ref, own, namespace) || isNamed(ref, beside, namespace));
    return isOurs ? [{ rule, refs, where: `rule ${index + 1} of httproute ${name}` }] : [];
  });
  if (its.length === 0) return [`httproute ${name} sends nobody to ${own}, so that no share of it can be given`];
  return its.flatMap(({ rule, refs, where }): readonly string[] => {
    const owns = refs.filter((ref) => isNamed(ref, own, namespace));
    const besides = refs.filter((ref) => isNamed(ref, beside, namespace));
    const others = refs.filter((ref) => !owns.includes(ref) && !besides.includes(ref));
    const [one, other] = [owns[0], besides[0]];
    if (others.length > 0)
      return [
        `${where} sends users to ${others.map((ref) => ref.name).join(", ")} too, so that a share of ${own} is no share of all`,
      ];
    if (one === undefined || other === undefined || refs.length !== 2)
      return [`${where} does not name both ${own} and ${beside}, each once, among its backendRefs`];
    const redirect = rule.filters?.some(({ type }) => type === "RequestRedirect") === true;
    return [
      ...(weightOf(other) === 0
        ? []
        : [`${where} gives ${beside} the weight ${weightOf(other)} while no upgrade runs: it must be 0`]),
      ...(weightOf(one) > 0 ? [] : [`${where} gives ${own} the weight 0, so that it takes no users`]),
      ...(redirect ? [`${where} redirects everybody, and no backend is reached`] : []),
      ...(rule.sessionPersistence === undefined
        ? []
        : [
            `${where} keeps users at a backend (sessionPersistence), so that neither a share nor a withdrawal reaches them`,
          ]),
      ...(JSON.stringify(one.filters ?? []) === JSON.stringify(other.filters ?? [])
        ? []
        : [
            `${where} has other filters for ${own} than for ${beside}, so that users of the new release would be answered otherwise`,
          ]),
    ];
  });
}

/** What a gateway has not yet done with this generation of a route; undefined where all have taken it. */
export type Untaken = {
  readonly text: string;
  /** Waiting does not help: it said no to this very generation. */ readonly isRefused: boolean;
};

const WANTED = ["Accepted", "ResolvedRefs"] as const;

export function untakenIn(route: HttpRoute): Untaken | undefined {
  const { name, generation = 0 } = route.metadata;
  const parents = route.status?.parents ?? [];
  if (parents.length === 0) return { text: `no gateway has taken httproute ${name}`, isRefused: false };
  for (const { parentRef, controllerName, conditions = [] } of parents) {
    const who = `gateway ${parentRef?.name ?? "?"} (${controllerName ?? "?"})`;
    for (const type of WANTED) {
      const found = conditions.find((one) => one.type === type);
      const seen = found?.observedGeneration ?? 0;
      if (found === undefined || seen < generation)
        return {
          text: `${who} has read generation ${seen} of httproute ${name}, which is at ${generation}`,
          isRefused: false,
        };
      if (found.status !== "True")
        return {
          text: `${who} says of httproute ${name}: ${type} is ${found.status}, ${found.reason ?? "?"}${found.message ? `: ${found.message}` : ""}`,
          isRefused: true,
        };
    }
  }
  return undefined;
}
