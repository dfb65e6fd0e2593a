import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubernetesJobs } from "../../../src/adapters/kubernetes/jobs/jobs.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import type { Runner } from "../../../src/ports/runner.ts";
import { findGround, type Ground } from "../driver/place.ts";

// Jobs by the real Job controller and a real kubelet.
const { signal } = new AbortController();
const job = { manifest: "jobs/tool.yaml" };
let ground: Ground;
beforeAll(async () => {
  ground = await findGround();
}, 180_000);
afterAll(async () => {
  const ours = encodeURIComponent("app.kubernetes.io/managed-by=midflight");
  await ground?.api.call(
    "DELETE",
    `/apis/batch/v1/namespaces/tokyo/jobs?labelSelector=${ours}&propagationPolicy=Background`,
  );
  ground?.api.close();
});

const manifestOf = (script: string): string =>
  JSON.stringify({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "tool" },
    spec: {
      backoffLimit: 0,
      template: {
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: "tool",
              image: ground.images["1.0"],
              imagePullPolicy: "Never",
              command: ["/usr/bin/node", "-e", script],
            },
          ],
        },
      },
    },
  });

const runnerOf = (script: string): Runner =>
  kubernetesJobs({
    context: ground.facts.name,
    namespace: "tokyo",
    kubeconfig: ground.places.kubeconfig,
    clock: systemClock,
    programs: [{ program: job, text: manifestOf(script) }],
  });

let runs = 0;
const orderOf = (timeoutMs = 60_000) => ({
  argv: [],
  job,
  shell: false,
  timeoutMs,
  cwd: "/",
  env: { MIDFLIGHT_RUN: `jobs-${process.pid}-${(runs += 1)}`, MIDFLIGHT_EFFECT: "1-run", MIDFLIGHT_FENCE: "1.1" },
});

type Jobs = {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  }[];
};
const jobsOf = async (run: string): Promise<readonly string[]> => {
  const { items } = (await ground.api.call("GET", "/apis/batch/v1/namespaces/tokyo/jobs")) as Jobs;
  return items
    .filter(({ metadata }) => metadata.annotations?.["midflight.dev/run"] === run)
    .map(({ metadata }) => metadata.name);
};

describe("a Job of a real cluster", () => {
  test("runs to its end, and tells what it printed and for which run", async () => {
    const order = orderOf();
    const script = "console.log(`moved for ${process.env.MIDFLIGHT_RUN}`)";
    const { output } = await runnerOf(script).run(order, signal);
    expect(output).toBe(`moved for ${order.env.MIDFLIGHT_RUN}\n`);
    // Asked again, as after a crash, it is not run again.
    expect(await runnerOf(script).run(order, signal)).toMatchObject({ output });
    expect(await jobsOf(order.env.MIDFLIGHT_RUN)).toHaveLength(1);
  }, 60_000);

  test("that fails tells its exit status and last lines, and is tried anew", async () => {
    const order = orderOf();
    const runner = runnerOf("console.error('no such table: orders'); process.exit(3)");
    await expect(runner.run(order, signal)).rejects.toMatchObject({
      code: "RUN_FAILED",
      message: expect.stringMatching(/exited with status 3[^]*no such table: orders$/),
    });
    await expect(runnerOf("").run(order, signal)).resolves.toMatchObject({ output: "" });
    expect(await jobsOf(order.env.MIDFLIGHT_RUN)).toHaveLength(2);
  }, 60_000);

  test("that is called off is gone with its pod when the call returns", async () => {
    const order = orderOf();
    const calledOff = new AbortController();
    const running = runnerOf("console.log('begun'); setInterval(() => {}, 1e6)").run(order, calledOff.signal);
    await expect
      .poll(async () => (await jobsOf(order.env.MIDFLIGHT_RUN)).length, { timeout: 15_000, interval: 200 })
      .toBe(1);
    calledOff.abort(new Error("called off"));
    await expect(running).rejects.toThrow("called off");
    expect(await jobsOf(order.env.MIDFLIGHT_RUN)).toEqual([]);
  }, 90_000);

  test("that does not end in time is deleted", async () => {
    const order = orderOf(3_000);
    await expect(runnerOf("setInterval(() => {}, 1e6)").run(order, signal)).rejects.toMatchObject({
      code: "RUN_TIMED_OUT",
      message: expect.stringContaining("did not end within 3 s and was deleted"),
    });
  }, 90_000);
});
