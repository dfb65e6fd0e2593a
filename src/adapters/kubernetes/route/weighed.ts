import type { Fence } from "../../../ports/fence.ts";
import { annotationOps, setAt, type PatchOp } from "../api/patch.ts";
import { differencesOf } from "../hold.ts";
import { recordIn, type RecordKind } from "../record.ts";
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

const RECORD: RecordKind<Weighed> = {
  annotation: WEIGHED,
  isWhole: ({ was, pcts }) => Array.isArray(was) && typeof pcts === "object",
  remedy: "put the weights back and take the annotation away by hand",
};

/** Undefined where nobody weighs it. Throws `KUBERNETES_HOLD_UNREADABLE`. */
export const weighedIn = ({ metadata }: HttpRoute): Weighed | undefined =>
  recordIn(RECORD, metadata, `httproute ${metadata.name}`);

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
  const found = backendsOf(route);
  const wanted = weighed === undefined ? was : backendsBy(weighed, entries);
  return [
    ...annotationOps(route.metadata, { [WEIGHED]: weighed === undefined ? undefined : JSON.stringify(weighed) }),
    ...placesIn(route, entries).flatMap(({ rule, ref }): readonly PatchOp[] => {
      const weight = wanted[rule]?.[ref]?.weight;
      return found[rule]?.[ref]?.weight === weight
        ? []
        : [setAt(`/spec/rules/${rule}/backendRefs/${ref}/weight`, weight)];
    }),
  ];
}

type Written = { readonly weighed: Weighed | undefined; readonly was: Backends };
