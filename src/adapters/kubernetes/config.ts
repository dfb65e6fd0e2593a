import { hash } from "node:crypto";
import { canonicalJson } from "../../graph/fingerprint.ts";
import type { KubernetesRelease } from "../../plan/model.ts";
import type { Template } from "./api/objects.ts";

/** 64 hex digits. */
export const sha256 = (text: string): string => hash("sha256", text, "hex");

/** Name of a ConfigMap or Secret → sha256 of its data. */
export type Config = NonNullable<KubernetesRelease["config"]>;

/** A ConfigMap or a Secret that a pod reads. */
export type Reference = { readonly resource: "configmaps" | "secrets"; readonly name: string };

/** `limits-3fa9c1d2e4`: what stands under this name can only be what the digest says, and an old template keeps its own. */
export const copyOf = (name: string, digest: string): string =>
  `${name}-${digest.replace(/^sha256:/, "").slice(0, 10)}`;

/** Names of all copies that a release reads. */
export const copiesOf = (release: KubernetesRelease | undefined): readonly string[] =>
  Object.entries(release?.config ?? {}).map(([name, digest]) => copyOf(name, digest));

export const isCopyOf = (copy: string, name: string): boolean =>
  copy === name || (copy.startsWith(`${name}-`) && /^[0-9a-f]{10}$/.test(copy.slice(name.length + 1)));

/** Of canonical JSON over both kinds of data, as the API server gives them: of a Secret they are base64. */
export const dataDigest = ({ data = {}, binaryData = {} }: ConfigData): string =>
  `sha256:${sha256(canonicalJson({ data, binaryData }))}`;

export type ConfigData = {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
};

/** The same template, reading the copies that a release names instead of what it reads now. */
export const withConfig = (template: Template, config: Config): Template => ({
  ...template,
  // Names become other names, and nothing else changes.
  spec: renamed(template.spec, ({ name }) => {
    const [known, digest] = Object.entries(config).find(([one]) => isCopyOf(name, one)) ?? [];
    return known === undefined || digest === undefined ? name : copyOf(known, digest);
  }) as Template["spec"],
});

/** Everything that pods of this spec read, with repetitions. */
export function referencesIn(spec: unknown): readonly Reference[] {
  const found: Reference[] = [];
  renamed(spec, (reference) => {
    found.push(reference);
    return reference.name;
  });
  return found;
}

/** A release that is more than its image. */
export type Configured = { readonly digest: string; readonly image: string; readonly config: Config };

/** The release that pods of this image and spec are: one whose config they read, or the image alone. */
export const releaseDigest = (
  image: string | undefined,
  spec: unknown,
  configured: readonly Configured[] = [],
): string | undefined => configured.find((one) => one.image === image && reads(spec, one.config))?.digest ?? image;

function reads(spec: unknown, config: Config): boolean {
  const names = new Set(referencesIn(spec).map(({ name }) => name));
  return Object.entries(config).every(([name, digest]) => names.has(copyOf(name, digest)));
}

/** Keys of a pod's spec below which a ConfigMap or a Secret is named: in volumes, in `env` and in `envFrom`. */
const HOLDERS: ReadonlyMap<string, Reference["resource"]> = new Map<string, Reference["resource"]>([
  ["configMap", "configmaps"],
  ["configMapRef", "configmaps"],
  ["configMapKeyRef", "configmaps"],
  ["secret", "secrets"],
  ["secretRef", "secrets"],
  ["secretKeyRef", "secrets"],
]);

function renamed(value: unknown, rename: (reference: Reference) => string, resource?: Reference["resource"]): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => [
      key,
      resource !== undefined && typeof item === "string" && (key === "name" || key === "secretName")
        ? rename({ resource, name: item })
        : renamed(item, rename, HOLDERS.get(key)),
    ]),
  );
}
