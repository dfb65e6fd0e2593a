import { expect, test } from "vitest";
import { causeOf, effectsOf } from "../../../src/engine/move-effects.ts";
import { begin } from "../../../src/engine/begin.ts";
import { compileStep } from "../../../src/graph/compile-step.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { graphOf } from "../engine/graph.ts";
import { changed, checkAllChanged, ENVIRONMENT, located, marked, PLAN, planOf } from "./plans.ts";

const STEP =
  "  - run: { job: { manifest: jobs/tool.yaml, container: tool }, undo: [node, back.mjs] }\n    deadline: 2m\n";
const WITH_JOB = [["steps:\n", `steps:\n${STEP}`]] as const;
const PLACE = [["components:", "jobs: { context: prod, namespace: tools }\ncomponents:"]] as const;

test("a Job is a step with a deadline, and with an undo of its own", () => {
  expect(planOf(changed(PLAN, WITH_JOB)).value.steps.at(0)).toEqual({
    kind: "run",
    argv: [],
    job: { manifest: "jobs/tool.yaml", container: "tool" },
    undo: ["node", "back.mjs"],
    shell: false,
    deadlineMs: 120_000,
    retries: 0,
  });
});

test("where Jobs are made is said by the environment, and asked for only where the plan has any", () => {
  const [problem, ...others] = checkAllChanged({ plan: WITH_JOB });
  expect(others).toEqual([]);
  expect(problem).toMatchObject({ code: "JOBS_UNPLACED", file: "plan.yaml", hint: expect.stringContaining("jobs: {") });
  expect(problem === undefined ? "" : marked(problem)).toBe("job");
  expect(checkAllChanged({ plan: WITH_JOB, environment: PLACE })).toEqual([]);
  expect(located(parseEnvironment(changed(ENVIRONMENT, PLACE), "production.yaml")).value.jobs).toEqual({
    context: "prod",
    namespace: "tools",
  });
});

test("the order to run it names the manifest, and everybody is told of it by that name", () => {
  const plan = planOf(changed(PLAN, WITH_JOB)).value;
  const environment = located(parseEnvironment(ENVIRONMENT, "production.yaml")).value;
  const step = plan.steps.at(0);
  if (step === undefined) throw new Error("the plan has no step");
  const [move] = compileStep({ plan, environment, components: {}, migrations: {} }, step, 0);
  if (move === undefined) throw new Error("the step became no move");
  expect(move.title).toBe("run job jobs/tool.yaml");
  const graph = graphOf();
  const { run } = begin({
    kind: "opened",
    run: "r1",
    graph,
    planFingerprint: "p",
    graphFingerprint: "g",
    version: "test",
    epoch: 1,
  });
  expect(effectsOf(run, move)).toEqual([
    {
      id: "1-run",
      kind: "run",
      argv: [],
      job: { manifest: "jobs/tool.yaml", container: "tool" },
      shell: false,
      timeoutMs: 120_000,
    },
  ]);
  expect(causeOf(graph, move)).toEqual({ kind: "behind", component: "run", what: "the job jobs/tool.yaml" });
});
