import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Fence } from "../../../ports/fence.ts";
import { differencesOf, setAt, type PatchOp } from "../hold.ts";
import { backendsOf, placesIn, type Backends, type Entries, type HttpRoute } from "./http-route.ts";

/**
 * A route whose weights midflight writes says so itself, in one annotation: every backend's weight as it was found, those that were ordered last, and
 * what an instance of each release takes by them. It goes when the route is as it was again.
 */
export type Weighed = {
  readonly format: 1;
  readonly was: Backends;
  /** Absent: the weights are as they were found. */
  readonly now?: Weights;
  /** Hash of a template → share that each of its pods takes. Whoever is not named takes nothing. */
  readonly pcts: Readonly<Record<string, number>>;
  /** The highest that ever wrote here while the record stands. */
  readonly fence: Fence;
};

/** In every rule that names both Services. */
export type Weights = Readonly<Record<keyof Entries, number>>;

export const WEIGHED = "midflight.dev/weighed";

/** Undefined where nobody weighs it. Throws `KUBERNETES_HOLD_UNREADABLE`. */
export function weighedIn({ metadata }: HttpRoute): Weighed | undefined {
  const text = metadata.annotations?.[WEIGHED];
  if (text === undefined) return undefined;
  const parsed = parsedOf(text);
  if (parsed?.format === 1 && Array.isArray(parsed.was) && typeof parsed.pcts === "object") return parsed as Weighed;
  throw new UpgradeError(
    "KUBERNETES_HOLD_UNREADABLE",
    `the annotation ${WEIGHED} of httproute ${metadata.name} is not a record that this version can read`,
    {
      hint: "use the version of midflight that wrote it, or put the weights back and take the annotation away by hand",
    },
  );
}

function parsedOf(text: string): Partial<Weighed> | null | undefined {
  try {
    return JSON.parse(text) as Partial<Weighed> | null;
  } catch {
    return undefined;
  }
}

/** Every backend's weight while this record stands. */
export const backendsBy = ({ was, now }: Weighed, { own, beside }: Entries): Backends =>
  now === undefined
    ? was
    : was.map((refs) =>
        refs.map((one) => {
          if (one.name === own) return { name: own, weight: now.own };
          return one.name === beside ? { name: beside, weight: now.beside } : one;
        }),
      );

/** What differs between two states of a route, a line a weight. */
export const weightChanges = (ordered: Backends, found: Backends): readonly string[] =>
  differencesOf(readable(ordered), readable(found));

const readable = (backends: Backends): object =>
  Object.fromEntries(
    backends.map((refs, rule) => [
      `rule ${rule + 1}`,
      Object.fromEntries(refs.map(({ name, weight = 1 }) => [name, { weight }])),
    ]),
  );

/**
 * As a JSON patch that is refused when anybody wrote since the route was read: the record and all weights in one. `weighed` undefined: as it was,
 * and no record is left.
 */
export function weightPatch(route: HttpRoute, entries: Entries, { weighed, was }: Written): readonly PatchOp[] {
  const { annotations, resourceVersion } = route.metadata;
  const record = weighed === undefined ? undefined : JSON.stringify(weighed);
  const found = backendsOf(route);
  const wanted = weighed === undefined ? was : backendsBy(weighed, entries);
  return [
    { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
    ...(annotations === undefined ? [{ op: "add" as const, path: "/metadata/annotations", value: {} }] : []),
    ...(annotations?.[WEIGHED] === record
      ? []
      : [setAt(`/metadata/annotations/${WEIGHED.replace("/", "~1")}`, record)]),
    ...placesIn(route, entries).flatMap(({ rule, ref }): readonly PatchOp[] => {
      const weight = wanted[rule]?.[ref]?.weight;
      return found[rule]?.[ref]?.weight === weight
        ? []
        : [setAt(`/spec/rules/${rule}/backendRefs/${ref}/weight`, weight)];
    }),
  ];
}

type Written = { readonly weighed: Weighed | undefined; readonly was: Backends };
