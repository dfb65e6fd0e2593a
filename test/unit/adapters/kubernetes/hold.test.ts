import { expect, test } from "vitest";
import {
  countsOf,
  differencesOf,
  fenceIn,
  fieldsOf,
  freeFields,
  heldFields,
  heldIn,
  holdOf,
  patchFor,
  type Held,
} from "../../../../src/adapters/kubernetes/hold.ts";
import type { Deployment, Template } from "../../../../src/adapters/kubernetes/api/objects.ts";
import { placementsFor } from "../../../../src/adapters/kubernetes/placement.ts";

const OLD = `registry/gateway@sha256:${"1".repeat(64)}`;
const NEW = `registry/gateway@sha256:${"2".repeat(64)}`;

/** With fields that no type of ours knows. */
const templateOf = (image: string, secret = "s3cret"): Template => {
  const containers = [{ name: "gateway", image, env: [{ name: "VENUE_KEY", value: secret }] }];
  const spec = { schedulingGates: [{ name: "of-tomorrow" }], containers };
  return { metadata: { labels: { app: "gateway" } }, spec };
};

const deploymentOf = (more: Partial<Deployment["spec"]> = {}, annotations?: Record<string, string>): Deployment => ({
  metadata: {
    name: "gateway",
    uid: "u",
    resourceVersion: "77",
    ...(annotations === undefined ? {} : { annotations }),
  },
  spec: {
    replicas: 10,
    selector: { matchLabels: { app: "gateway" } },
    template: templateOf(OLD),
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
    progressDeadlineSeconds: 600,
    ...more,
  },
});

const held = (): Held => ({
  ...holdOf(deploymentOf(), "old"),
  after: { digest: "new", template: templateOf(NEW) },
});
const withTwoNew = (): Held => {
  const ordered = placementsFor({ before: 10, after: 0 }, { before: 10, after: 2 }, 10)[0];
  return { ...held(), ...(ordered === undefined ? {} : { ordered }) };
};

test("holding a Deployment changes what moves its pods, and nothing else", () => {
  expect(heldFields(withTwoNew())).toEqual({
    template: templateOf(NEW),
    replicas: 10,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } },
    minReadySeconds: 2_147_483_646,
    progressDeadlineSeconds: 2_147_483_647,
  });
  expect(countsOf(withTwoNew())).toMatchObject({ before: 10, after: 2 });
});

test("a record that orders nothing yet leaves every field as it was", () => {
  expect(heldFields(held())).toEqual(fieldsOf(deploymentOf()));
  expect(countsOf(held())).toEqual({ before: 10, after: 0 });
});

test("what is let go has its own strategy again, to the last field, and a field that it did not have goes", () => {
  const free = freeFields(withTwoNew());
  expect(free).toEqual({ ...fieldsOf(deploymentOf()), template: templateOf(NEW) });
  const standing = deploymentOf(
    { ...heldFields(withTwoNew()) },
    { "midflight.dev/held": JSON.stringify(withTwoNew()) },
  );
  const ops = patchFor(standing, { epoch: 1, seq: 2 }, { held: undefined, fields: free });
  expect(ops).toContainEqual({ op: "remove", path: "/spec/minReadySeconds" });
  expect(ops).toContainEqual({ op: "remove", path: "/metadata/annotations/midflight.dev~1held" });
  expect(ops).not.toContainEqual(expect.objectContaining({ path: "/spec/replicas" }));
});

test("a record is read back as it was written, also fields of the template that nobody here knows", () => {
  const text = JSON.stringify(withTwoNew());
  expect(heldIn(deploymentOf({}, { "midflight.dev/held": text }))).toEqual(withTwoNew());
  expect(heldIn(deploymentOf())).toBeUndefined();
});

test.each(["", "nonsense", "[]", '{"format":2}'])("a record that says %j is not guessed at", (text) => {
  expect(() => heldIn(deploymentOf({}, { "midflight.dev/held": text }))).toThrow(
    expect.objectContaining({ code: "KUBERNETES_HOLD_UNREADABLE" }),
  );
});

test("every patch is bound to the version that was read, and carries the fence", () => {
  const ops = patchFor(deploymentOf(), { epoch: 7, seq: 42 }, { held: held(), fields: heldFields(held()) });
  expect(ops[0]).toEqual({ op: "replace", path: "/metadata/resourceVersion", value: "77" });
  expect(ops).toContainEqual({ op: "add", path: "/metadata/annotations/midflight.dev~1fence", value: "7.42" });
  expect(ops.filter(({ path }) => path.startsWith("/spec"))).toEqual([]);
});

test("what is as it shall be is not written again", () => {
  const annotations = { "midflight.dev/fence": "7.42", "midflight.dev/held": JSON.stringify(held()) };
  const ops = patchFor(
    deploymentOf({}, annotations),
    { epoch: 7, seq: 42 },
    { held: held(), fields: heldFields(held()) },
  );
  expect(ops).toHaveLength(1);
});

test.each([
  { name: "somebody scales", change: { replicas: 12 }, says: /^replicas: 10 → 12$/ },
  {
    name: "somebody rolls another image",
    change: { template: templateOf("registry/gateway:hotfix") },
    says: /^template\.spec\.containers\.gateway\.image: "registry\/gateway@sha256:1+…? → "registry\/gateway:hotfix"$/,
  },
  {
    name: "somebody changes a variable, which may be a secret",
    change: { template: templateOf(OLD, "an0ther") },
    says: /^template\.spec\.containers\.gateway\.env\.VENUE_KEY\.value: changed$/,
  },
  {
    name: "somebody puts the strategy back",
    change: { strategy: { type: "Recreate" } },
    says: /^strategy\.type: "RollingUpdate" → "Recreate"$/,
  },
])("$name: the difference is said, field by field", ({ change, says }) => {
  expect(differencesOf(fieldsOf(deploymentOf()), fieldsOf(deploymentOf(change)))[0]).toMatch(says);
});

test("two equal Deployments differ in nothing, in whatever order their fields come", () => {
  const turned = JSON.parse(
    `{"template":${JSON.stringify(templateOf(OLD))},"replicas":10,"progressDeadlineSeconds":600,"strategy":{"rollingUpdate":{"maxUnavailable":"25%","maxSurge":"25%"},"type":"RollingUpdate"}}`,
  ) as Deployment["spec"];
  expect(
    differencesOf(fieldsOf(deploymentOf()), fieldsOf({ ...deploymentOf(), spec: { ...turned, selector: {} } })),
  ).toEqual([]);
});

test("the fence that was written last is read from the Deployment, and zero where nobody ever wrote", () => {
  expect(fenceIn(deploymentOf({}, { "midflight.dev/fence": "7.42" }))).toEqual({ epoch: 7, seq: 42 });
  expect(fenceIn(deploymentOf())).toEqual({ epoch: 0, seq: 0 });
});
