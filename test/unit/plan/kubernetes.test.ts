import { describe, expect, test } from "vitest";
import { compile } from "../../../src/graph/compile.ts";
import { workloadOf } from "../../../src/graph/graph.ts";
import { checkEnvironment } from "../../../src/plan/check.ts";
import { checkSecrets } from "../../../src/plan/check-secrets.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { parseReleases } from "../../../src/plan/parse-releases.ts";
import {
  checkAllChanged,
  changed,
  ENVIRONMENT,
  located,
  MIGRATIONS,
  PLAN,
  planOf,
  RELEASES,
  type Changes,
} from "./plans.ts";

const AS_PROCESSES =
  "{ driver: process, balancer: { tokyo: http://127.0.0.1:7190, frankfurt: http://127.0.0.1:7290 }, instances: 6 }";
const AS_PODS =
  "{ driver: kubernetes, deployment: gateway, service: gateway, contexts: { tokyo: prod-tokyo, frankfurt: prod-frankfurt }, instances: 6, port: 8080 }";
const IMAGE = `registry/venue/gateway@sha256:${"a".repeat(64)}`;

/** The usual plan in an environment on Kubernetes, with changes in it. */
const onKubernetes = (gateway: string = AS_PODS, plan: Changes["plan"] = []): Changes => ({
  plan,
  environment: [[AS_PROCESSES, gateway]],
  releases: [["{ process:", `{ kubernetes: { image: "${IMAGE}" }, process:`]],
});
const environmentWith = (gateway: string) =>
  located(parseEnvironment(changed(ENVIRONMENT, [[AS_PROCESSES, gateway]]), "production.yaml"));

test("the plan that runs processes runs pods with another environment file, and nothing else changed", () => {
  expect(checkAllChanged(onKubernetes())).toEqual([]);
  const graph = compile({
    plan: planOf(PLAN).value,
    environment: environmentWith(AS_PODS).value,
    releases: located(parseReleases(changed(RELEASES, onKubernetes().releases ?? []), "releases.yaml")).value,
    migrations: MIGRATIONS,
    sha256: (text) => text,
  });
  expect(workloadOf(graph, "gateway")).toMatchObject({
    driver: "kubernetes",
    regions: ["tokyo", "frankfurt"],
    instances: 6,
    target: { release: "gateway@2.0", digest: `sha256:${"a".repeat(64)}` },
  });
});

test("what is left out has its default: the container is named like the Deployment, and pods get two minutes", () => {
  const { gateway } = environmentWith(AS_PODS).value.components;
  expect(gateway).toEqual({
    driver: "kubernetes",
    object: { kind: "Deployment", name: "gateway" },
    named: ["deployment"],
    container: "gateway",
    service: "gateway",
    contexts: { tokyo: "prod-tokyo", frankfurt: "prod-frankfurt" },
    stores: {},
    isEntry: true,
    instances: 6,
    port: 8080,
    readyDeadlineMs: 120_000,
  });
});

test("whoever else manages the Deployment is told to wait only where that is asked for", () => {
  const pausesOf = (more: string): unknown => {
    const { gateway } = environmentWith(AS_PODS.replace("port: 8080", `port: 8080${more}`)).value.components;
    return gateway?.driver === "kubernetes" ? gateway.pausesManagers : "no pods";
  };
  expect([pausesOf(""), pausesOf(", pause: false"), pausesOf(", pause: true")]).toEqual([undefined, undefined, true]);
});

test("pods that take no operation of a user themselves are judged by what was before their change", () => {
  const entryOf = (gateway: string): unknown => {
    const placed = environmentWith(gateway).value.components["gateway"];
    return placed?.driver === "kubernetes" ? placed.isEntry : undefined;
  };
  expect(entryOf(AS_PODS)).toBe(true);
  expect(entryOf(AS_PODS.replace("port: 8080", "port: 8080, entry: false"))).toBe(false);
  const { environment, releases } = onKubernetes(AS_PODS.replace("port: 8080", "port: 8080, entry: false"));
  const graph = compile({
    plan: planOf(PLAN).value,
    environment: located(parseEnvironment(changed(ENVIRONMENT, environment ?? []), "production.yaml")).value,
    releases: located(parseReleases(changed(RELEASES, releases ?? []), "releases.yaml")).value,
    migrations: MIGRATIONS,
    sha256: (text) => text,
  });
  expect(workloadOf(graph, "gateway")?.isBehind).toBe(true);
});

test.each<{ name: string; changes: Changes; code: string; says: RegExp; hint: RegExp }>([
  {
    name: "a region that is none",
    changes: onKubernetes(AS_PODS.replace("frankfurt:", "frankfrt:")),
    code: "REGION_UNKNOWN",
    says: /no region "frankfrt"/,
    hint: /did you mean "frankfurt"/,
  },
  {
    name: "no region at all",
    changes: onKubernetes(AS_PODS.replace(/contexts: \{[^}]*\}/, "contexts: {}")),
    code: "REGION_UNKNOWN",
    says: /gateway has no context in any region/,
    hint: /context in the kubeconfig/,
  },
  {
    name: "a store that is none",
    changes: onKubernetes(AS_PODS.replace("port: 8080", "port: 8080, stores: { orders-bd: { env: GATEWAY_DB_URL } }")),
    code: "COMPONENT_UNKNOWN",
    says: /no store "orders-bd"/,
    hint: /did you mean "orders-db"/,
  },
  {
    name: "a release that names no image",
    changes: { environment: [[AS_PROCESSES, AS_PODS]] },
    code: "RELEASE_UNKNOWN",
    says: /says nothing for the driver kubernetes/,
    hint: /add `kubernetes`/,
  },
  {
    name: "a share of traffic, which no Service can give",
    changes: onKubernetes(AS_PODS, [
      [
        "  - migrate: orders-db\n    phase: contract",
        "  - shift: gateway\n    to: 50%\n  - migrate: orders-db\n    phase: contract",
      ],
    ]),
    code: "DRIVER_CANNOT",
    says: /a Service sends every pod the same/,
    hint: /needs the driver process/,
  },
  {
    name: "a batch of more pods than there are",
    changes: onKubernetes(AS_PODS.replace("instances: 6", "instances: 1")),
    code: "BATCH_TOO_LARGE",
    says: /batch 2 is more than the 1 instance/,
    hint: /at most 1/,
  },
  {
    name: "no surplus where the floor needs it",
    changes: onKubernetes(AS_PODS, [["batch: 1, surge: 1", "batch: 1, surge: 0"]]),
    code: "FLOOR_BROKEN",
    says: /leaves 83% of gateway/,
    hint: /make surge 1/,
  },
])("$name is refused", ({ changes, code, says, hint }) => {
  expect(checkAllChanged(changes)).toContainEqual(
    expect.objectContaining({ code, message: expect.stringMatching(says), hint: expect.stringMatching(hint) }),
  );
});

test("a kubeconfig in the file itself is a secret, and the path to one is none", () => {
  const inline = AS_PODS.replace("port: 8080", 'port: 8080, kubeconfig: "apiVersion: v1\\nkind: Config"');
  const byPath = AS_PODS.replace("port: 8080", "port: 8080, kubeconfig: /etc/midflight/kubeconfig");
  expect(checkEnvironment(environmentWith(inline)).map(({ code }) => code)).toEqual(["SECRET_IN_FILE"]);
  expect(checkEnvironment(environmentWith(byPath))).toEqual([]);
});

test("how pods come to a store is a secret, and asked for before anything starts", () => {
  const stating = (value: string) =>
    environmentWith(AS_PODS.replace("port: 8080", `port: 8080, stores: { orders-db: ${value} }`));
  expect(checkEnvironment(stating('"postgres://gateway:hush@db/orders"')).map(({ code }) => code)).toEqual([
    "SECRET_IN_FILE",
  ]);
  const named = stating("{ env: GATEWAY_DB_URL }");
  expect(checkEnvironment(named)).toEqual([]);
  expect(
    checkSecrets(named, { PROBES_TOKYO: "[]", PROBES_FRANKFURT: "[]", ORDERS_DB_URL: "postgres://x" }),
  ).toMatchObject([
    { code: "SECRET_MISSING", message: expect.stringContaining("by which gateway comes to orders-db") },
  ]);
});

test("a kubeconfig that is named by a variable is asked for before anything starts", () => {
  const named = environmentWith(AS_PODS.replace("port: 8080", "port: 8080, kubeconfig: { env: KUBECONFIG_PROD }"));
  expect(
    checkSecrets(named, { PROBES_TOKYO: "[]", PROBES_FRANKFURT: "[]", ORDERS_DB_URL: "postgres://x" }),
  ).toMatchObject([{ code: "SECRET_MISSING", message: expect.stringContaining("the kubeconfig of gateway") }]);
});

const AS_STATEFUL = AS_PODS.replace("deployment: gateway", "statefulSet: gateway");
const AS_DAEMON = AS_PODS.replace("deployment: gateway", "daemonSet: gateway");
const IN_PLACE: NonNullable<Changes["plan"]> = [
  ["batch: 1, surge: 1", "batch: 1, surge: 0"],
  ["batch: 2, surge: 2", "batch: 2, surge: 0"],
  ["floor: 100%", "floor: 60%"],
];

test.each([
  { key: "statefulSet", gateway: AS_STATEFUL, kind: "StatefulSet" },
  { key: "daemonSet", gateway: AS_DAEMON, kind: "DaemonSet" },
])("pods may belong to a $kind, in a plan that says that capacity falls", ({ key, gateway, kind }) => {
  expect(environmentWith(gateway).value.components["gateway"]).toMatchObject({
    object: { kind, name: "gateway" },
    named: [key],
    container: "gateway",
  });
  expect(checkAllChanged(onKubernetes(gateway, IN_PLACE))).toEqual([]);
});

test.each<{ name: string; changes: Changes; code: string; says: RegExp; hint: RegExp; line: RegExp }>([
  {
    name: "pods that belong to nothing",
    changes: onKubernetes(
      AS_PODS.replace("deployment: gateway, ", "").replace("instances", "container: app, instances"),
    ),
    code: "KEY_MISSING",
    says: /gateway does not say what its pods belong to/,
    hint: /add one of deployment, statefulSet, daemonSet/,
    line: /gateway: \{ driver: kubernetes/,
  },
  {
    name: "pods that belong to two things",
    changes: onKubernetes(AS_PODS.replace("deployment: gateway", "deployment: gateway, daemonSet: agent")),
    code: "KEY_UNKNOWN",
    says: /gateway says 2 of them/,
    hint: /make it 2 components/,
    line: /daemonSet: agent/,
  },
  {
    name: "a surge of a StatefulSet",
    changes: onKubernetes(AS_STATEFUL),
    code: "DRIVER_CANNOT",
    says: /a StatefulSet's next pod takes the place of the one before it, so gateway has no surge/,
    hint: /write `surge: 0`, and under `components` the `floor`/,
    line: /surge: 1/,
  },
  {
    name: "a surge of a DaemonSet",
    changes: onKubernetes(AS_DAEMON),
    code: "DRIVER_CANNOT",
    says: /a DaemonSet has one pod on each node/,
    hint: /surge: 0/,
    line: /surge: 1/,
  },
  {
    name: "a floor that pods replaced in place cannot hold",
    changes: onKubernetes(AS_STATEFUL, IN_PLACE.slice(0, 2)),
    code: "FLOOR_BROKEN",
    says: /leaves 83% of gateway/,
    hint: /^write `floor: 83%` for it$/,
    line: /surge: 0/,
  },
])("$name is refused, at its place", ({ changes, code, says, hint, line }) => {
  expect(checkAllChanged(changes)).toContainEqual(
    expect.objectContaining({
      code,
      message: expect.stringMatching(says),
      hint: expect.stringMatching(hint),
      source: expect.stringMatching(line),
    }),
  );
});

test.each([
  { wrong: "statefulset: gateway", meant: "statefulSet" },
  { wrong: "deployment: gateway, readyDeadlin: 1m", meant: "readyDeadline" },
])("a misspelt key of a component is told with the one that was meant: $meant", ({ wrong, meant }) => {
  const gateway = AS_PODS.replace("deployment: gateway", wrong);
  const parsed = parseEnvironment(changed(ENVIRONMENT, [[AS_PROCESSES, gateway]]), "production.yaml");
  expect(parsed.ok ? [] : parsed.problems).toMatchObject([
    { code: "KEY_UNKNOWN", message: expect.stringContaining("has no key"), hint: `did you mean "${meant}"?` },
  ]);
});

describe("config of a release", () => {
  const DIGEST = `sha256:${"c".repeat(64)}`;
  const withConfig = (config: string) =>
    parseReleases(
      changed(RELEASES, [["{ process:", `{ kubernetes: { image: "${IMAGE}", config: ${config} }, process:`]]),
      "releases.yaml",
    );

  test("makes it another one than its image alone", () => {
    const targetOf = (releases: ReturnType<typeof withConfig>) =>
      workloadOf(
        compile({
          plan: planOf(PLAN).value,
          environment: environmentWith(AS_PODS).value,
          releases: located(releases).value,
          migrations: MIGRATIONS,
          sha256: (text) => `hash of ${text}`,
        }),
        "gateway",
      )?.target.digest;
    expect(targetOf(withConfig("{}"))).toBe(`sha256:${"a".repeat(64)}`);
    expect(targetOf(withConfig(`{ limits: "${DIGEST}" }`))).toBe(
      `sha256:hash of {"config":{"limits":"${DIGEST}"},"image":"sha256:${"a".repeat(64)}"}`,
    );
  });

  test("is named by digests and nothing else", () => {
    const parsed = withConfig("{ limits: latest }");
    expect(parsed.ok ? [] : parsed.problems).toMatchObject([
      { code: "VALUE_WRONG", message: expect.stringContaining('"limits" must be a digest') },
    ]);
  });
});

test("without a proof, pods of a Deployment come with their admission, and old ones leave with the next; a proof needs them in the dark first", () => {
  const movesOf = (plans: Changes["plan"] = []) => {
    const { environment = [], releases = [] } = onKubernetes();
    const graph = compile({
      plan: planOf(changed(PLAN, plans)).value,
      environment: located(parseEnvironment(changed(ENVIRONMENT, environment), "production.yaml")).value,
      releases: located(parseReleases(changed(RELEASES, releases), "releases.yaml")).value,
      migrations: MIGRATIONS,
      sha256: (text) => text,
    });
    const second = graph.moves.filter(({ id }) => id.includes("/wave-2/"));
    return second.flatMap((move) => ("keep" in move ? [`${move.kind} ${move.fresh}, keep ${move.keep}`] : []));
  };
  expect(movesOf().slice(0, 3)).toEqual(["start 2, keep 6", "admit 2, keep 6", "retire 2, keep 4"]);
  expect(movesOf([["- roll: gateway\n", "- roll: gateway\n    dark: none\n"]])).toEqual([
    "admit 2, keep 6",
    "admit 4, keep 4",
    "admit 6, keep 2",
    "retire 6, keep 0",
  ]);
});

test("a roll in place proves a batch in the dark, gives it the places, and says once that nobody old is left", () => {
  const { plan: plans = [], environment = [], releases = [] } = onKubernetes(AS_STATEFUL, IN_PLACE);
  const graph = compile({
    plan: planOf(changed(PLAN, plans)).value,
    environment: located(parseEnvironment(changed(ENVIRONMENT, environment), "production.yaml")).value,
    releases: located(parseReleases(changed(RELEASES, releases), "releases.yaml")).value,
    migrations: MIGRATIONS,
    sha256: (text) => text,
  });
  expect(workloadOf(graph, "gateway")?.isInPlace).toBe(true);
  const second = graph.moves.filter(({ id }) => id.includes("/wave-2/"));
  expect(second.flatMap((move) => ("keep" in move ? [`${move.kind} ${move.fresh}, keep ${move.keep}`] : []))).toEqual([
    "start 2, keep 6",
    "admit 2, keep 4",
    "start 4, keep 4",
    "admit 4, keep 2",
    "start 6, keep 2",
    "admit 6, keep 0",
    "retire 6, keep 0",
  ]);
});
