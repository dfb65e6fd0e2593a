import { afterEach, describe, expect, test } from "vitest";
import { kubernetesJobs } from "../../src/adapters/kubernetes/jobs/jobs.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { UpgradeError } from "../../src/errors/upgrade-error.ts";
import type { Runner } from "../../src/ports/runner.ts";
import { kubeApi, type KubeApi } from "../fakes/kube-api.ts";
import { kubeconfigFor } from "../fakes/kube-place.ts";

// Jobs over real HTTP; what the Job controller and the kubelet would do is written by the test. The real ones: test/cluster/jobs.
const { signal } = new AbortController();
const apis: KubeApi[] = [];
afterEach(async () => {
  for (const api of apis.splice(0)) await api.close();
});

const MANIFEST = `apiVersion: batch/v1
kind: Job
metadata:
  name: metadata-tool
  labels: { team: orders }
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: tool
          image: registry/tool@sha256:0000000000000000000000000000000000000000000000000000000000000000
          env: [{ name: MODE, value: forward }]
`;
const job = { manifest: "jobs/metadata.yaml" };

async function begin(text = MANIFEST): Promise<{ readonly api: KubeApi; readonly runner: () => Runner }> {
  const api = await kubeApi();
  apis.push(api);
  /** A conductor of its own. */
  const runner = () =>
    kubernetesJobs({
      context: "venue",
      namespace: "venue",
      kubeconfig: kubeconfigFor({ venue: api.url }),
      clock: systemClock,
      programs: [{ program: job, text }],
    });
  return { api, runner };
}

const orderOf = (timeoutMs = 10_000) => ({
  argv: [],
  job,
  shell: false,
  timeoutMs,
  cwd: "/",
  env: {
    PATH: "/bin",
    ORDERS_DB_URL: "postgres://secret",
    MIDFLIGHT_RUN: "r1",
    MIDFLIGHT_EFFECT: "2-run",
    MIDFLIGHT_FENCE: "1.7",
    MIDFLIGHT_ENVIRONMENT: "production",
  },
});

const jobsIn = (api: KubeApi) => api.list("jobs", "venue");

/** Resolves with the name of the newest Job once there are so many. */
async function made(api: KubeApi, count: number): Promise<string> {
  await expect.poll(() => jobsIn(api).length).toBe(count);
  return jobsIn(api).at(-1)?.metadata.name ?? "";
}

/** What the controller writes when a Job is over, and the pod that it leaves. */
function end(api: KubeApi, name: string, how: { readonly exitStatus: number; readonly output: string }): void {
  const pod = `${name}-x1`;
  api.put("pods", "venue", {
    metadata: { name: pod, labels: { "job-name": name } },
    spec: { containers: [{ name: "tool" }] },
    status: {
      phase: how.exitStatus === 0 ? "Succeeded" : "Failed",
      containerStatuses: [{ name: "tool", state: { terminated: { exitCode: how.exitStatus } } }],
    },
  });
  api.print("venue", pod, how.output);
  const [type, message] = how.exitStatus === 0 ? ["Complete", "done"] : ["Failed", "Job has reached the backoff limit"];
  const found = jobsIn(api).find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`there is no job ${name}`);
  api.put("jobs", "venue", { ...found, status: { conditions: [{ type, status: "True", message }] } });
}

describe("a Job as a step", () => {
  test("is made as it was written, told which run it works for, and its output is told", async () => {
    const { api, runner } = await begin();
    const ran = runner().run(orderOf(), signal);
    const name = await made(api, 1);
    expect(name).toMatch(/^metadata-tool-[0-9a-f]{12}-1$/);
    expect(name.length).toBeLessThanOrEqual(63);
    const [found] = jobsIn(api);
    expect(found).toMatchObject({
      metadata: {
        labels: { team: "orders", "midflight.dev/try": "1" },
        annotations: { "midflight.dev/run": "r1", "midflight.dev/effect": "2-run" },
      },
      spec: { backoffLimit: 0, activeDeadlineSeconds: 40, ttlSecondsAfterFinished: 86_400 },
    });
    expect(JSON.stringify(found)).not.toContain("secret");
    expect(found).toMatchObject({
      spec: {
        template: {
          spec: {
            containers: [
              {
                env: [
                  { name: "MODE", value: "forward" },
                  { name: "MIDFLIGHT_RUN", value: "r1" },
                  { name: "MIDFLIGHT_EFFECT", value: "2-run" },
                  { name: "MIDFLIGHT_FENCE", value: "1.7" },
                  { name: "MIDFLIGHT_ENVIRONMENT", value: "production" },
                ],
              },
            ],
          },
        },
      },
    });
    end(api, name, { exitStatus: 0, output: "moved 12 rows\n" });
    expect(await ran).toMatchObject({ output: "moved 12 rows\n" });
  });

  test("of a conductor that died is waited for by the next one, and one that succeeded counts", async () => {
    const { api, runner } = await begin();
    void runner()
      .run(orderOf(), signal)
      .catch(() => undefined);
    const name = await made(api, 1);
    const second = runner().run(orderOf(), signal);
    end(api, name, { exitStatus: 0, output: "once\n" });
    expect(await second).toMatchObject({ output: "once\n" });
    expect(await runner().run(orderOf(), signal)).toMatchObject({ output: "once\n" });
    expect(jobsIn(api)).toHaveLength(1);
  });

  test("that fails is told with its exit status and last lines, and is tried anew under the next number", async () => {
    const { api, runner } = await begin();
    const first = runner().run(orderOf(), signal);
    end(api, await made(api, 1), { exitStatus: 3, output: "connecting\nno such table: orders\n" });
    await expect(first).rejects.toMatchObject({
      code: "RUN_FAILED",
      message: expect.stringMatching(
        /the job jobs\/metadata\.yaml \(jobs\/metadata-tool-\S+ in namespace venue of venue\) exited with status 3 .*\n.*\nno such table: orders$/,
      ),
    });
    const second = runner().run(orderOf(), signal);
    const name = await made(api, 2);
    expect(name).toMatch(/-2$/);
    end(api, name, { exitStatus: 0, output: "" });
    expect(await second).toMatchObject({ output: "" });
  });

  test("whose creation was answered by nobody is made once", async () => {
    const { api, runner } = await begin();
    api.lose("POST", "jobs");
    const ran = runner().run(orderOf(), signal);
    end(api, await made(api, 1), { exitStatus: 0, output: "once\n" });
    expect(await ran).toMatchObject({ output: "once\n" });
  });

  test("that does not end in time is deleted, with what holds it up", async () => {
    const { api, runner } = await begin();
    const ran = runner()
      .run(orderOf(1_000), signal)
      .catch((error: unknown) => error);
    const name = await made(api, 1);
    api.put("pods", "venue", {
      metadata: { name: `${name}-x1`, labels: { "job-name": name } },
      spec: { containers: [{ name: "tool" }] },
      status: {
        phase: "Pending",
        conditions: [{ type: "PodScheduled", status: "False", message: "0/1 nodes are available" }],
      },
    });
    await expect.poll(() => jobsIn(api).length, { timeout: 5_000 }).toBe(0);
    api.remove("pods", "venue", `${name}-x1`);
    expect(await ran).toMatchObject({
      code: "RUN_TIMED_OUT",
      message: expect.stringMatching(/did not end within 1 s and was deleted: .*0\/1 nodes are available/),
    });
  });

  test("whose image cannot be had is not waited for", async () => {
    const { api, runner } = await begin();
    const ran = runner()
      .run(orderOf(600_000), signal)
      .catch((error: unknown) => error);
    const name = await made(api, 1);
    api.put("pods", "venue", {
      metadata: { name: `${name}-x1`, labels: { "job-name": name } },
      spec: { containers: [{ name: "tool" }] },
      status: {
        phase: "Pending",
        containerStatuses: [{ name: "tool", state: { waiting: { reason: "ImagePullBackOff", message: "not found" } } }],
      },
    });
    await expect.poll(() => jobsIn(api).length, { timeout: 5_000 }).toBe(0);
    api.remove("pods", "venue", `${name}-x1`);
    expect(await ran).toMatchObject({
      code: "RUN_FAILED",
      message: expect.stringMatching(/cannot start, and was deleted: .*cannot pull its image.*not found/),
    });
  });

  test("is deleted when the step is called off, and left to whoever took over", async () => {
    const { api, runner } = await begin();
    const calledOff = new AbortController();
    const first = runner().run(orderOf(), calledOff.signal);
    await made(api, 1);
    calledOff.abort(new Error("called off"));
    await expect(first).rejects.toThrow("called off");
    expect(jobsIn(api)).toEqual([]);
    const overtaken = new AbortController();
    const second = runner().run(orderOf(), overtaken.signal);
    await made(api, 1);
    overtaken.abort(new UpgradeError("LEASE_LOST", "another conductor acts", { hint: "look" }));
    await expect(second).rejects.toMatchObject({ code: "LEASE_LOST" });
    expect(jobsIn(api)).toHaveLength(1);
  });

  test("that somebody deletes is said to be so", async () => {
    const { api, runner } = await begin();
    const ran = runner().run(orderOf(), signal);
    const name = await made(api, 1);
    await expect.poll(() => api.asked.filter((line) => line === "WATCH jobs").length).toBe(1);
    api.remove("jobs", "venue", name);
    await expect(ran).rejects.toMatchObject({
      code: "RUN_FAILED",
      message: expect.stringContaining("was deleted by somebody"),
    });
  });

  test.each([
    { status: 403, message: "forbidden", code: "KUBERNETES_FORBIDDEN", hint: 'resources: ["jobs"], verbs: ["create"]' },
    { status: 422, message: "restartPolicy", code: "KUBERNETES_REFUSED", hint: "API server says" },
    { status: 503, message: "down", code: "JOBS_UNREACHABLE", hint: "kubectl" },
  ])("that cannot be made ($status) is explained", async ({ status, message, code, hint }) => {
    const { api, runner } = await begin();
    api.refuse({ method: "POST", kind: "jobs", status, message });
    await expect(runner().run(orderOf(), signal)).rejects.toMatchObject({ code, hint: expect.stringContaining(hint) });
  });

  test.each([
    { name: "is no Job", text: "kind: Pod\napiVersion: v1\n", says: /it is no Job/ },
    { name: "is no YAML", text: "kind: [", says: /no manifest that can be used/ },
    { name: "is empty", text: "", says: /it holds 0 documents/ },
    { name: "holds two", text: `${MANIFEST}---\n${MANIFEST}`, says: /it holds 2 documents/ },
    {
      name: "states a namespace",
      text: MANIFEST.replace("name: metadata-tool", "name: metadata-tool\n  namespace: prod"),
      says: /states the namespace prod/,
    },
    {
      name: "wants a name made for it",
      text: MANIFEST.replace("name: metadata-tool", "generateName: metadata-tool-"),
      says: /states the generateName metadata-tool-/,
    },
    {
      name: "would start again for ever",
      text: MANIFEST.replace("restartPolicy: Never", "priority: 1"),
      says: /no restartPolicy/,
    },
    {
      name: "has two containers and none is named",
      text: `${MANIFEST}        - { name: second, image: x }\n`,
      says: /it has 2 containers: tool, second/,
    },
  ])("whose manifest $name is refused before anything begins", async ({ text, says }) => {
    const { runner } = await begin(text);
    expect(runner).toThrow(
      expect.objectContaining({ code: "JOB_MANIFEST_WRONG", message: expect.stringMatching(says) }),
    );
  });
});
