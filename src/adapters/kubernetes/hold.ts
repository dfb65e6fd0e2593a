import { canonicalJson } from "../../graph/fingerprint.ts";
import { fenceText, type Fence } from "../../ports/fence.ts";
import type { Deployment, Strategy, Template } from "./api/objects.ts";
import { annotationOps, setAt, type PatchOp } from "./api/patch.ts";
import type { Counts, Placement } from "./placement.ts";
import { recordIn } from "./record.ts";

/**
 * A Deployment that midflight holds says so itself, in one annotation: what it was before, to the last field, and what was ordered last. A
 * conductor that died leaves everything there that is needed to go on, to go back, or to see that somebody else changed it meanwhile.
 */
export type Held = {
  readonly format: 1;
  /** The rollout's own fields as they were, and as they shall be again. */
  readonly rest: Rest;
  readonly before: Variant;
  readonly after?: Variant;
  /** Absent while nothing but this record was written. */
  readonly ordered?: Placement;
  /** Names of pods in the dark whose places the Deployment fills with this order. They go once it has. */
  readonly admitted?: readonly string[];
};

/** Absent: the Deployment did not state it. */
export type Rest = {
  readonly replicas: number;
  readonly strategy?: Strategy;
  readonly minReadySeconds?: number;
  readonly progressDeadlineSeconds?: number;
};

export type Variant = { readonly digest: string; readonly template: Template };

/** What of a Deployment's spec is held. */
export type Fields = Rest & { readonly template: Template };

export const HELD = "midflight.dev/held";
/** The highest fence that ever wrote here. It stays when midflight leaves, so that a late write is still refused. */
export const FENCE = "midflight.dev/fence";

/** New pods never count as available, so the controller stops by itself. The deadline must be longer, and this value means none. */
const NEVER_AVAILABLE_S = 2_147_483_646;
const NO_DEADLINE_S = 2_147_483_647;

/** The record of a Deployment that is held. Throws `KUBERNETES_HOLD_UNREADABLE`. */
export const heldIn = ({ metadata }: Pick<Deployment, "metadata">): Held | undefined =>
  recordIn<Held>(HOLD, metadata, `deployment ${metadata.name}`);

/** Of every kind of object that is held. */
export const HOLD = {
  annotation: HELD,
  isWhole: () => true,
  remedy: "take the annotation away by hand once the rollout is as you want it",
};

/** The first record, before anything is changed. */
export const holdOf = (deployment: Deployment, digest: string): Held => {
  const { template, ...rest } = fieldsOf(deployment);
  return { format: 1, rest, before: { digest, template } };
};

/** How many pods of each template the Deployment was told to have. */
export const countsOf = (held: Held): Counts => held.ordered ?? { before: held.rest.replicas, after: 0 };
export const replicasOf = (held: Held): number => held.ordered?.replicas ?? held.rest.replicas;

export function fieldsOf({ spec }: Deployment): Fields {
  const { replicas = 1, template, strategy, minReadySeconds, progressDeadlineSeconds } = spec;
  return {
    replicas,
    template,
    ...(strategy === undefined ? {} : { strategy }),
    ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
    ...(progressDeadlineSeconds === undefined ? {} : { progressDeadlineSeconds }),
  };
}

/** What the held fields are while this record stands. */
export function heldFields(held: Held): Fields {
  const { ordered, rest, before, after } = held;
  if (ordered === undefined) return { ...rest, template: before.template };
  const { replicas, maxSurge, maxUnavailable } = ordered;
  return {
    replicas,
    template: ordered.template === "before" ? before.template : (after ?? before).template,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } },
    minReadySeconds: NEVER_AVAILABLE_S,
    progressDeadlineSeconds: NO_DEADLINE_S,
  };
}

/** What they are once it is let go: the template that it rolls to stays, everything else is as it was. */
export const freeFields = (held: Held): Fields => ({ ...held.rest, template: heldFields(held).template });

/** What somebody else changed, a line a field; none when all is as it was ordered. */
export const differencesOf = (ordered: object, found: object): readonly string[] => differ("", ordered, found);

function differ(path: string, ordered: unknown, found: unknown): readonly string[] {
  if (canonicalJson(ordered ?? null) === canonicalJson(found ?? null)) return [];
  const [one, other] = [entriesOf(ordered), entriesOf(found)];
  if (one === undefined || other === undefined)
    return [`${path}: ${ENV.test(path) ? "changed" : `${shown(ordered)} → ${shown(found)}`}`];
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return keys.flatMap((key) => differ(path === "" ? key : `${path}.${key}`, one[key], other[key]));
}

/** Containers are told by their names, other lists by place. */
function entriesOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!Array.isArray(value)) return { ...value };
  return Object.fromEntries(value.map((item, index) => [nameIn(item) ?? String(index), item]));
}

const nameIn = (item: unknown): string | undefined =>
  typeof item === "object" && item !== null && "name" in item && typeof item.name === "string" ? item.name : undefined;

/** The value of a pod's variable: it may be a secret. */
const ENV = /\.env(\.|$)/;

const shown = (value: unknown): string => {
  const text = value === undefined ? "nothing" : canonicalJson(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
};

/** What a Deployment shall be next. `held` undefined: nobody holds it any more. */
export type Amendment = { readonly held: Held | undefined; readonly fields: Fields };

/** As a JSON patch that is refused when anybody wrote since the Deployment was read. Only what differs is named. */
export const patchFor = (deployment: Deployment, fence: Fence, { held, fields }: Amendment): readonly PatchOp[] => [
  ...recordOps(deployment, fence, held),
  ...fieldOps(fieldsOf(deployment), fields),
];

/** The version that was read, and both annotations. */
export const recordOps = (
  { metadata }: Pick<Deployment, "metadata">,
  fence: Fence,
  held: unknown,
): readonly PatchOp[] =>
  annotationOps(metadata, {
    [FENCE]: fenceText(fence),
    [HELD]: held === undefined ? undefined : JSON.stringify(held),
  });

const FIELDS = ["template", "replicas", "strategy", "minReadySeconds", "progressDeadlineSeconds"] as const;

const fieldOps = (was: Fields, wanted: Fields): readonly PatchOp[] =>
  FIELDS.filter((name) => canonicalJson(was[name] ?? null) !== canonicalJson(wanted[name] ?? null)).map((name) =>
    setAt(`/spec/${name}`, wanted[name]),
  );

/** `7.42` as it stands in the annotation; zero where nobody ever wrote. */
export function fenceIn({ metadata }: Pick<Deployment, "metadata">): Fence {
  const [epoch, seq] = (metadata.annotations?.[FENCE] ?? "").split(".").map(Number);
  return { epoch: epoch ?? 0, seq: seq ?? 0 };
}

export const isLower = (one: Fence, other: Fence): boolean =>
  one.epoch < other.epoch || (one.epoch === other.epoch && one.seq < other.seq);
