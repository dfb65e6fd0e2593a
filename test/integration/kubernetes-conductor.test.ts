import { afterEach, describe, expect, test } from "vitest";
import { clusterConductor } from "../../src/adapters/kubernetes/jobs/conductor.ts";
import { podKubeconfig } from "../../src/adapters/kubernetes/jobs/pod-kubeconfig.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { ConductorPlace } from "../../src/plan/model.ts";
import { kubeApi, type KubeApi } from "../fakes/kube-api.ts";
import { kubeconfigFor } from "../fakes/kube-place.ts";

// What a conductor in the cluster is given, and what whoever started it hears of it. What Kubernetes does with it is written by the test.
const { signal } = new AbortController();
const apis: KubeApi[] = [];
afterEach(async () => {
  for (const api of apis.splice(0)) await api.close();
});

const PLACE: ConductorPlace = {
  image: "registry/midflight@sha256:1",
  serviceAccount: "conductor",
  context: "tokyo",
  namespace: "upgrades",
};
const RUN = "order-gateway-2-20261121-051200-3f9a";

async function begin(more: Partial<ConductorPlace> = {}) {
  const api = await kubeApi();
  apis.push(api);
  const conductor = clusterConductor({
    place: { ...PLACE, ...more },
    kubeconfig: kubeconfigFor({ tokyo: api.url, osaka: api.url }),
    contexts: ["tokyo", "osaka"],
    clock: systemClock,
  });
  return { api, conductor };
}

const jobIn = (api: KubeApi) => {
  const [job] = api.list("jobs", "upgrades");
  if (job === undefined) throw new Error("there is no job");
  return job;
};

describe("a conductor in the cluster", () => {
  test("is a Job that is started again wherever it dies, and made once for a run", async () => {
    const { api, conductor } = await begin({ env: "venue-env" });
    api.lose("POST", "jobs");
    await conductor.start({ run: RUN, where: "kubernetes:tokyo/upgrades" }, signal);
    await conductor.start({ run: RUN, where: "kubernetes:tokyo/upgrades" }, signal);
    expect(api.list("jobs", "upgrades")).toHaveLength(1);
    const job = jobIn(api);
    expect(job.metadata.name).toMatch(/^order-gateway-2-20261121-051200-3f9a-[0-9a-f]{12}$/);
    expect(job.metadata.name.length).toBeLessThanOrEqual(63);
    expect(job).toMatchObject({
      spec: {
        template: {
          spec: {
            serviceAccountName: "conductor",
            restartPolicy: "OnFailure",
            tolerations: [
              { key: "node.kubernetes.io/not-ready", effect: "NoExecute", tolerationSeconds: 5 },
              { key: "node.kubernetes.io/unreachable", effect: "NoExecute", tolerationSeconds: 5 },
            ],
            securityContext: { runAsNonRoot: true },
            containers: [
              {
                image: PLACE.image,
                args: ["conduct", RUN, "--state", "kubernetes:tokyo/upgrades"],
                workingDir: "/midflight",
                env: [{ name: "MIDFLIGHT_KUBECONFIG", value: expect.stringContaining("$(KUBERNETES_SERVICE_HOST)") }],
                envFrom: [{ secretRef: { name: "venue-env" } }],
              },
            ],
          },
        },
      },
    });
  });

  test("gets the kubeconfig of a Secret where one is named", async () => {
    const { api, conductor } = await begin({ kubeconfig: "all-regions" });
    await conductor.start({ run: RUN, where: "kubernetes:tokyo/upgrades" }, signal);
    expect(jobIn(api)).toMatchObject({
      spec: {
        template: {
          spec: {
            containers: [{ env: [{ name: "KUBECONFIG", value: "/etc/midflight/config" }] }],
            volumes: [{ name: "work" }, { name: "kubeconfig", secret: { secretName: "all-regions" } }],
          },
        },
      },
    });
  });

  test("that cannot start is heard of, once, while it is waited for", async () => {
    const { api, conductor } = await begin();
    await conductor.start({ run: RUN, where: "kubernetes:tokyo/upgrades" }, signal);
    const { name } = jobIn(api).metadata;
    const said: string[] = [];
    const stop = new AbortController();
    const heeded = conductor.heed(RUN, (trouble) => said.push(trouble), stop.signal).catch((error: unknown) => error);
    const pod = (restartCount: number) =>
      api.put("pods", "upgrades", {
        metadata: { name: `${name}-x1`, labels: { "job-name": name } },
        spec: { containers: [{ name: "midflight" }] },
        status: {
          phase: "Pending",
          containerStatuses: [
            {
              name: "midflight",
              restartCount,
              state: { waiting: { reason: "ErrImagePull", message: "no such image" } },
            },
          ],
        },
      });
    pod(0);
    await expect.poll(() => said).toHaveLength(1);
    pod(1);
    expect(said[0]).toMatch(/^the conductor's pod .*cannot pull its image: no such image$/);
    stop.abort(new Error("enough"));
    expect(await heeded).toMatchObject({ message: "enough" });
    expect(said).toHaveLength(1);
  });

  test("that Kubernetes gave up is told with its last words", async () => {
    const { api, conductor } = await begin();
    await conductor.start({ run: RUN, where: "kubernetes:tokyo/upgrades" }, signal);
    const job = jobIn(api);
    const { name } = job.metadata;
    const heeded = conductor.heed(RUN, () => undefined, signal).catch((error: unknown) => error);
    api.put("pods", "upgrades", {
      metadata: { name: `${name}-x1`, labels: { "job-name": name } },
      spec: { containers: [{ name: "midflight" }] },
      status: { phase: "Failed" },
    });
    api.print("upgrades", `${name}-x1`, "error SECRET_MISSING: the URL of a store\n");
    const conditions = [{ type: "Failed", status: "True", message: "Job has reached the specified backoff limit" }];
    api.put("jobs", "upgrades", { ...job, status: { conditions } });
    expect(await heeded).toMatchObject({
      code: "CONDUCTOR_FAILED",
      message: expect.stringMatching(/conducts no more: .*backoff limit; its last lines:\nerror SECRET_MISSING/),
    });
  });

  test("that somebody deleted is told to be gone", async () => {
    const { api, conductor } = await begin();
    await conductor.start({ run: RUN, where: "kubernetes:tokyo/upgrades" }, signal);
    const heeded = conductor.heed(RUN, () => undefined, signal).catch((error: unknown) => error);
    await expect.poll(() => api.asked.filter((line) => line === "WATCH jobs").length).toBe(1);
    api.remove("jobs", "upgrades", jobIn(api).metadata.name);
    expect(await heeded).toMatchObject({
      code: "CONDUCTOR_FAILED",
      message: expect.stringContaining("it was deleted"),
    });
  });
});

describe("the kubeconfig of a pod", () => {
  const config = kubeconfigFor({ tokyo: "https://one", osaka: "https://one", frankfurt: "https://two" });

  test("knows the contexts of its own cluster by their names, each with its namespace", () => {
    const made = JSON.parse(podKubeconfig(config, "tokyo", ["osaka", "tokyo"])) as {
      readonly contexts: readonly { readonly name: string; readonly context: { readonly namespace: string } }[];
    };
    expect(made.contexts.map(({ name, context }) => [name, context.namespace])).toEqual([
      ["tokyo", "tokyo"],
      ["osaka", "osaka"],
    ]);
  });

  test.each([
    {
      contexts: ["osaka", "frankfurt"],
      says: "frankfurt is another cluster than that of tokyo",
      hint: "inCluster.kubeconfig",
    },
    { contexts: ["nagoya"], says: "no context nagoya", hint: "correct its name" },
  ])(
    "is refused for $contexts: nothing may be upgraded in another place than is written",
    ({ contexts, says, hint }) => {
      expect(() => podKubeconfig(config, "tokyo", contexts)).toThrow(
        expect.objectContaining({
          code: "INCLUSTER_IMPOSSIBLE",
          message: expect.stringContaining(says),
          hint: expect.stringContaining(hint),
        }),
      );
    },
  );
});
