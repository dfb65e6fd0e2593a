import { describe, expect, test } from "vitest";
import {
  copyOf,
  dataDigest,
  isCopyOf,
  referencesIn,
  releaseDigest,
  sha256,
  withConfig,
} from "../../../../src/adapters/kubernetes/config.ts";
import type { Template } from "../../../../src/adapters/kubernetes/api/objects.ts";
import { kubernetesDigest } from "../../../../src/graph/release-digest.ts";

const LIMITS = `sha256:${"a".repeat(64)}`;
const KEYS = `sha256:${"b".repeat(64)}`;

/** Every way in which a pod reads a ConfigMap or a Secret, and names that look alike and are none. */
const everyWay = (limits: string, keys: string) => ({
  metadata: { labels: { app: "gateway" } },
  spec: {
    imagePullSecrets: [{ name: "keys" }],
    containers: [
      {
        name: "gateway",
        image: "registry/gateway:1",
        env: [
          { name: "limits", value: "limits" },
          { name: "MOST", valueFrom: { configMapKeyRef: { name: limits, key: "most" } } },
          { name: "KEY", valueFrom: { secretKeyRef: { name: keys, key: "key", optional: true } } },
        ],
        envFrom: [{ configMapRef: { name: limits } }, { secretRef: { name: keys }, prefix: "K_" }],
      },
    ],
    initContainers: [{ name: "keys", envFrom: [{ secretRef: { name: keys } }] }],
    volumes: [
      { name: "limits", configMap: { name: limits, items: [{ key: "most", path: "limits" }] } },
      { name: "keys", secret: { secretName: keys } },
      {
        name: "both",
        projected: { sources: [{ configMap: { name: limits } }, { secret: { name: keys } }] },
      },
    ],
  },
});

describe("a template that reads ConfigMaps and Secrets", () => {
  test("reads the copies of a release wherever it read the names, and is the same in all else", () => {
    const read = withConfig(everyWay("limits", "keys"), { limits: LIMITS, keys: KEYS });
    expect(read).toEqual(everyWay("limits-aaaaaaaaaa", "keys-bbbbbbbbbb"));
  });

  test("reads the next copies where it read copies before", () => {
    const before: Template = everyWay("limits-0123456789", "keys-bbbbbbbbbb");
    expect(withConfig(before, { limits: LIMITS })).toEqual(everyWay("limits-aaaaaaaaaa", "keys-bbbbbbbbbb"));
  });

  test("names each of them, with its kind", () => {
    const names = referencesIn(everyWay("limits", "keys").spec).map(({ resource, name }) => `${resource}/${name}`);
    expect(new Set(names)).toEqual(new Set(["configmaps/limits", "secrets/keys"]));
    expect(names).toHaveLength(9);
  });
});

test.each([
  { copy: "limits", is: true },
  { copy: "limits-aaaaaaaaaa", is: true },
  { copy: "limits-aaaaaaaaa", is: false },
  { copy: "limits-of-tokyo-1", is: false },
  { copy: "other-aaaaaaaaaa", is: false },
])("$copy is taken for limits or a copy of it: $is", ({ copy, is }) => {
  expect(isCopyOf(copy, "limits")).toBe(is);
});

test("the digest of data is that of canonical JSON, whatever the order of its keys", () => {
  const text = '{"binaryData":{},"data":{"least":"1","most":"2"}}';
  expect(dataDigest({ data: { most: "2", least: "1" } })).toBe(`sha256:${sha256(text)}`);
  expect(dataDigest({ data: { most: "2", least: "1" }, binaryData: {} })).toBe(`sha256:${sha256(text)}`);
  expect(dataDigest({ data: { most: "3", least: "1" } })).not.toBe(`sha256:${sha256(text)}`);
});

describe("what a release of pods is", () => {
  const image = `sha256:${"1".repeat(64)}`;
  const release = { image: `registry/gateway@${image}`, config: { limits: LIMITS } };

  test("without config it is its image, whichever registry it comes from", () => {
    expect(kubernetesDigest({ image: `other/gateway@${image}` }, sha256)).toBe(image);
  });

  test("other config makes another release of the same image", () => {
    const digests = [LIMITS, KEYS].map((limits) => kubernetesDigest({ ...release, config: { limits } }, sha256));
    expect(new Set([image, ...digests]).size).toBe(3);
  });

  test("pods are told by what they read: another copy, or none, is another release", () => {
    const digest = kubernetesDigest(release, sha256) ?? "none";
    const configured = [{ digest, image, config: release.config }];
    const specOf = (limits: string) => everyWay(limits, "keys").spec;
    expect(releaseDigest(image, specOf(copyOf("limits", LIMITS)), configured)).toBe(digest);
    expect(releaseDigest(image, specOf("limits"), configured)).toBe(image);
    expect(releaseDigest(image, specOf(copyOf("limits", KEYS)), configured)).toBe(image);
    expect(releaseDigest("sha256:other", specOf(copyOf("limits", LIMITS)), configured)).toBe("sha256:other");
  });
});
