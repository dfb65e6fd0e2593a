import { isNode, parseAllDocuments } from "yaml";
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
    readonly template: {
      readonly spec: { readonly containers: readonly JobContainer[]; readonly restartPolicy?: string };
    };
  };
};

export type JobManifest = {
  /** As the plan names it. */
  readonly path: string;
  readonly manifest: Manifest;
  /** Whose exit status and output count. */
  readonly container: string;
};

/** What keeps a manifest from being used. `at`: offsets in its text, where YAML gives any. */
export type ManifestFlaw = {
  readonly why: string;
  readonly hint: string;
  readonly at?: { readonly start: number; readonly end: number };
};

/** Throws `JOB_MANIFEST_WRONG`. */
export function parseJobManifest(program: JobProgram, text: string): JobManifest {
  const read = readJobManifest(program, text);
  if ("manifest" in read) return read;
  throw new UpgradeError("JOB_MANIFEST_WRONG", `${program.manifest} is no manifest that can be used: ${read.why}`, {
    hint: read.hint,
  });
}

/** The manifest, or the first thing that is wrong with it. Pure, so that a plan is checked as it is carried out. */
export function readJobManifest({ manifest: path, container }: JobProgram, text: string): JobManifest | ManifestFlaw {
  const documents = parseAllDocuments(text);
  const [document, second] = documents;
  if (document === undefined || documents.length !== 1)
    return {
      why: `it holds ${documents.length} documents`,
      hint: "write one Job into it",
      ...(second === undefined ? {} : { at: { start: second.range[0], end: second.range[0] } }),
    };
  const [flaw] = document.errors;
  if (flaw !== undefined)
    return {
      why: flaw.message.split("\n")[0] ?? flaw.message,
      hint: "mend what the parser says",
      at: { start: flaw.pos[0], end: flaw.pos[1] },
    };
  const read: unknown = document.toJS();
  const at = (...keys: readonly string[]): Pick<ManifestFlaw, "at"> => {
    const node = document.getIn(keys, true);
    return isNode(node) && node.range != null ? { at: { start: node.range[0], end: node.range[1] } } : {};
  };
  if (!isJob(read))
    return {
      why: `it is no Job${kindText(read)}`,
      hint: "begin it with apiVersion: batch/v1 and kind: Job, and give its template containers",
      ...at("kind"),
    };
  const { metadata = {}, spec } = read;
  if (metadata.namespace !== undefined)
    return {
      why: `it states the namespace ${metadata.namespace}`,
      hint: "leave it out: the environment names it",
      ...at("metadata", "namespace"),
    };
  if (metadata.generateName !== undefined)
    return {
      why: `it states the generateName ${metadata.generateName}`,
      hint: "leave it out: a Job is named after its run and step, so that a conductor that comes again finds it; metadata.name may begin the name",
      ...at("metadata", "generateName"),
    };
  const { restartPolicy } = spec.template.spec;
  if (restartPolicy !== "Never" && restartPolicy !== "OnFailure")
    return {
      why:
        restartPolicy === undefined
          ? "its template states no restartPolicy, and Always is none for a Job"
          : `its template states the restartPolicy ${restartPolicy}`,
      hint: "write restartPolicy: Never, or OnFailure",
      ...at("spec", "template", "spec", ...(restartPolicy === undefined ? [] : ["restartPolicy"])),
    };
  const names = spec.template.spec.containers.map(({ name }) => name);
  const [first = ""] = names;
  if (container === undefined && names.length === 1) return { path, manifest: read, container: first };
  if (container !== undefined && names.includes(container)) return { path, manifest: read, container };
  return {
    ...(container === undefined
      ? { why: `it has ${names.length} containers: ${names.join(", ")}`, hint: "name the one that counts: container" }
      : {
          why: `it has no container ${container}; it has ${names.join(", ")}`,
          hint: "correct `container` in the plan",
        }),
    ...at("spec", "template", "spec", "containers"),
  };
}

const kindText = (read: unknown): string => {
  const { apiVersion, kind } = (typeof read === "object" && read !== null ? read : {}) as Record<string, unknown>;
  return typeof kind !== "string" || (kind === "Job" && apiVersion === "batch/v1")
    ? ""
    : `, but ${kind} of ${typeof apiVersion === "string" ? apiVersion : "no apiVersion"}`;
};

type Read = Manifest & {
  readonly metadata?: { readonly namespace?: string; readonly generateName?: string };
};

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
