import { parseAllDocuments } from "yaml";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { JobProgram } from "../../../plan/model.ts";
import { shortHash } from "../api/object-name.ts";
import type { Container, Labels } from "../api/objects.ts";
import { RUN } from "../state/run-objects.ts";

type Variable = { readonly name: string; readonly value?: string };
type JobContainer = Container & { readonly env?: readonly Variable[] };

/** The part of a Job that is read here. What else it holds goes to the API server as it was written. */
type Manifest = {
  readonly metadata?: { readonly name?: string; readonly labels?: Labels; readonly annotations?: Labels };
  readonly spec: {
    readonly activeDeadlineSeconds?: number;
    readonly ttlSecondsAfterFinished?: number;
    readonly template: { readonly spec: { readonly containers: readonly JobContainer[] } };
  };
};

export type JobManifest = {
  /** As the plan names it. */
  readonly path: string;
  readonly manifest: Manifest;
  /** Whose exit status and output count. */
  readonly container: string;
};

/** Throws `JOB_MANIFEST_WRONG`. */
export function parseJobManifest({ manifest: path, container }: JobProgram, text: string): JobManifest {
  const documents = parseAllDocuments(text);
  const [document] = documents;
  if (document === undefined || documents.length !== 1)
    throw wrong(path, `it holds ${documents.length} documents`, "write one Job into it");
  const [flaw] = document.errors;
  if (flaw !== undefined) throw wrong(path, flaw.message, "mend what the parser says");
  const read: unknown = document.toJS();
  if (!isJob(read))
    throw wrong(
      path,
      "it is no Job",
      "begin it with apiVersion: batch/v1 and kind: Job, and give its template containers",
    );
  if (read.metadata?.namespace !== undefined)
    throw wrong(path, `it states the namespace ${read.metadata.namespace}`, "leave it out: the environment names it");
  return { path, manifest: read, container: containerIn(path, read, container) };
}

type Read = Manifest & { readonly metadata?: { readonly namespace?: string } };

function isJob(read: unknown): read is Read {
  if (typeof read !== "object" || read === null) return false;
  const { apiVersion, kind, spec } = read as { apiVersion?: unknown; kind?: unknown; spec?: Partial<Manifest["spec"]> };
  const containers: unknown = spec?.template?.spec?.containers;
  return (
    apiVersion === "batch/v1" &&
    kind === "Job" &&
    Array.isArray(containers) &&
    containers.length > 0 &&
    containers.every((one: Partial<Container> | null) => typeof one?.name === "string")
  );
}

function containerIn(path: string, { spec }: Manifest, wanted: string | undefined): string {
  const names = spec.template.spec.containers.map(({ name }) => name);
  const [first = ""] = names;
  if (wanted === undefined && names.length === 1) return first;
  if (wanted !== undefined && names.includes(wanted)) return wanted;
  throw wanted === undefined
    ? wrong(path, `it has ${names.length} containers: ${names.join(", ")}`, "name the one that counts: container")
    : wrong(path, `it has no container ${wanted}; it has ${names.join(", ")}`, "correct `container` in the plan");
}

const wrong = (path: string, why: string, hint: string): UpgradeError =>
  new UpgradeError("JOB_MANIFEST_WRONG", `${path} is no manifest that can be used: ${why}`, { hint });

/** One try of one effect. */
export type Try = {
  readonly run: string;
  readonly effect: string;
  readonly count: number;
  readonly timeoutMs: number;
  /** Told to every container. */
  readonly env: Readonly<Record<string, string>>;
};

export const EFFECT = "midflight.dev/effect";
export const TRY = "midflight.dev/try";
/** Finds all tries of an effect. */
export const selectorOf = ({ run, effect }: Pick<Try, "run" | "effect">): string =>
  `${RUN}=${shortHash(run)},${EFFECT}=${shortHash(effect)}`;

/** A label of its pods holds the name too: at most 63 characters. */
const MOST_NAME_CHARACTERS = 40;
/** It stays for a day for whoever wants to look, unless the manifest says otherwise. */
const KEPT_S = 86_400;
/** Whoever waits for it ends it at its deadline; the cluster does so a little later, if nobody waits any more. */
const GRACE_S = 30;

/** The Job to make: the manifest, under a name of its own, and ended by the cluster itself if nobody is there to end it. */
export function jobFor({ path, manifest }: JobManifest, one: Try) {
  const { metadata = {}, spec } = manifest;
  const stem = (metadata.name ?? path.split("/").at(-1) ?? "").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const name = `${stem.slice(0, MOST_NAME_CHARACTERS).replaceAll(/^-|-$/g, "")}-${shortHash(`${one.run} ${one.effect}`)}-${one.count}`;
  const labels = {
    "app.kubernetes.io/managed-by": "midflight",
    [RUN]: shortHash(one.run),
    [EFFECT]: shortHash(one.effect),
    [TRY]: String(one.count),
  };
  const variables = Object.entries(one.env).map(([variable, value]): Variable => ({ name: variable, value }));
  const containers = spec.template.spec.containers.map((container) => ({
    ...container,
    env: [...(container.env ?? []), ...variables],
  }));
  return {
    ...manifest,
    metadata: {
      ...metadata,
      name,
      labels: { ...metadata.labels, ...labels },
      annotations: { ...metadata.annotations, [RUN]: one.run, [EFFECT]: one.effect },
    },
    spec: {
      ...spec,
      activeDeadlineSeconds: Math.min(
        spec.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY,
        Math.ceil(one.timeoutMs / 1_000) + GRACE_S,
      ),
      ttlSecondsAfterFinished: spec.ttlSecondsAfterFinished ?? KEPT_S,
      template: { ...spec.template, spec: { ...spec.template.spec, containers } },
    },
  };
}
