import type { KubernetesObject } from "../../../plan/model.ts";
import { RESOURCES, type Resource } from "../api/api-failure.ts";
import type { Managed, Metadata } from "../api/objects.ts";
import { annotationPath, ofVersion, type PatchOp } from "../api/patch.ts";

/** By what a manager is told to wait: a value at a place of an object, which is put back as it was. */
export type Switch = {
  /** As `managersOf` names it. */
  readonly manager: string;
  readonly resource: Resource;
  readonly name: string;
  /** Absent: that of the managed object. */
  readonly namespace?: string;
  readonly at: { readonly annotation: string } | { readonly spec: string };
  readonly value: string | boolean;
};

/** On a paused object: for whom it waits, and what it was before. */
export const PAUSED = "midflight.dev/paused";
type Paused = { readonly format: 1; readonly runs: readonly string[]; readonly was: unknown };

/** Where Argo CD keeps its applications, unless their name says another namespace. */
const ARGO_NAMESPACE = "argocd";

/**
 * The managers of an object that can be told to wait. Flux leaves alone an object that says so itself. What Argo CD or a Flux Helm release
 * manages cannot say it: their own object does. Helm by itself changes nothing until somebody runs it.
 */
export function switchesOf(
  { kind, name }: KubernetesObject,
  { labels = {}, annotations = {} }: Pick<Metadata, "labels" | "annotations">,
): readonly Switch[] {
  const argo = annotations["argocd.argoproj.io/tracking-id"]?.split(":")[0] ?? labels["argocd.argoproj.io/instance"];
  const kustomization = labels["kustomize.toolkit.fluxcd.io/name"];
  const release = labels["helm.toolkit.fluxcd.io/name"];
  return [
    ...(argo === undefined ? [] : [argoSwitch(argo)]),
    ...(kustomization === undefined
      ? []
      : [
          {
            manager: `the Flux kustomization ${kustomization}`,
            resource: RESOURCES[kind],
            name,
            at: { annotation: "kustomize.toolkit.fluxcd.io/reconcile" },
            value: "disabled",
          },
        ]),
    ...(release === undefined ? [] : [helmSwitch(release, labels["helm.toolkit.fluxcd.io/namespace"])]),
  ];
}

/** `team_venue` is the application venue in the namespace team. */
function argoSwitch(argo: string): Switch {
  const [namespace, application] = argo.includes("_") ? argo.split("_") : [ARGO_NAMESPACE, argo];
  return {
    manager: `the Argo CD application ${argo}`,
    resource: "applications",
    name: application ?? argo,
    namespace: namespace ?? ARGO_NAMESPACE,
    at: { annotation: "argocd.argoproj.io/skip-reconcile" },
    value: "true",
  };
}

const helmSwitch = (release: string, namespace: string | undefined): Switch => ({
  manager: `the Flux Helm release ${release}`,
  resource: "helmreleases",
  name: release,
  ...(namespace === undefined ? {} : { namespace }),
  at: { spec: "suspend" },
  value: true,
});

/** For whom an object waits; nobody where it does not. */
export const waitsFor = (object: Managed): readonly string[] => pausedIn(object)?.runs ?? [];

/** Undefined when it waits for this run already. */
export function pausePatch(object: Managed, one: Switch, run: string): readonly PatchOp[] | undefined {
  const known = pausedIn(object);
  if (known?.runs.includes(run) === true) return undefined;
  const paused: Paused = {
    format: 1,
    runs: [...(known?.runs ?? []), run],
    was: known === undefined ? (valueIn(object, one) ?? null) : known.was,
  };
  return [
    ofVersion(object.metadata.resourceVersion),
    ...(object.metadata.annotations === undefined
      ? [{ op: "add" as const, path: "/metadata/annotations", value: {} }]
      : []),
    { op: "add", path: annotationPath(PAUSED), value: JSON.stringify(paused) },
    ...(known === undefined ? [{ op: "add" as const, path: pathOf(one), value: one.value }] : []),
  ];
}

/** `run` undefined: whoever it waits for. Undefined when there is nothing to give back. What somebody else set meanwhile is left to him. */
export function giveBackPatch(object: Managed, one: Switch, run: string | undefined): readonly PatchOp[] | undefined {
  const known = pausedIn(object);
  if (known === undefined || (run !== undefined && !known.runs.includes(run))) return undefined;
  const left = run === undefined ? [] : known.runs.filter((other) => other !== run);
  if (left.length > 0) {
    const value = JSON.stringify({ ...known, runs: left });
    return [ofVersion(object.metadata.resourceVersion), { op: "add", path: annotationPath(PAUSED), value }];
  }
  const isOurs = valueIn(object, one) === one.value;
  return [
    ofVersion(object.metadata.resourceVersion),
    { op: "remove", path: annotationPath(PAUSED) },
    ...(isOurs ? [restored(pathOf(one), known.was)] : []),
  ];
}

const restored = (path: string, was: unknown): PatchOp =>
  was === null ? { op: "remove", path } : { op: "add", path, value: was };

const pathOf = ({ at }: Switch): string => ("annotation" in at ? annotationPath(at.annotation) : `/spec/${at.spec}`);

const valueIn = ({ metadata, spec }: Managed, { at }: Switch): unknown =>
  "annotation" in at ? metadata.annotations?.[at.annotation] : spec?.[at.spec];

/** One that somebody edited into something else counts as none: then nobody knows what to put back. */
function pausedIn({ metadata }: Managed): Paused | undefined {
  const text = metadata.annotations?.[PAUSED];
  if (text === undefined) return undefined;
  try {
    const parsed = JSON.parse(text) as Partial<Paused> | null;
    return parsed?.format === 1 && Array.isArray(parsed.runs) ? (parsed as Paused) : undefined;
  } catch {
    return undefined;
  }
}
