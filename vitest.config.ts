import { defineConfig } from "vitest/config";

/** Real processes, stores and API servers, and nobody in them who has a deadline: three files at a time, because they wait a third of their time. */
const PARTS = [
  "test/contract/{journal,journal-crash,lease,metadata}.test.ts",
  "test/integration/{build,corpus-runs,facts,forgotten-statements,journal,lease,programs,rebuild-bands,trials}.test.ts",
  "test/integration/{dark,kubernetes,metadata,postgres}-*.test.ts",
  "test/integration/trial-{corpus,trace}.test.ts",
  "test/integration/kubernetes.test.ts",
  "test/cli/{bad-input,check-migrations,kubernetes,output,parity,shelf}.test.ts",
];

/** Deadlines, and hardly any work: one keeps a fifth to half of a core busy, so that three at a time do not measure each other. */
const IDLE = [
  "test/cli/guard-http.test.ts",
  "test/contract/watcher.test.ts",
  "test/integration/{command,command-source,guard-clocks,guard-thread,guard-venue,http-probes}.test.ts",
  "test/integration/{probe-connections,prober,probes,prometheus-source,traffic}.test.ts",
  "test/unit/demo/traffic/start.test.ts",
];

/** Small venues of their own with a little traffic, where how fast the machine is is not the question: two at a time. */
const SMALL = ["test/cli/{certificate,crash,guard,journey,places,rehearse,rehearse-pair,signals,sources}.test.ts"];

/** Real processes, PostgreSQL and users with deadlines: one file at a time, or two cores measure each other. */
const SYSTEM = [
  "test/integration/**/*.test.ts",
  "test/contract/**/*.test.ts",
  "test/cli/**/*.test.ts",
  "test/stories/**/*.test.ts",
];

/** Needs a real Kubernetes cluster: `npm run test:cluster` makes one. */
const CLUSTER = "test/cluster/**/*.test.ts";

/** Of those, who wait for a cluster most of their time, and leave its nodes, its API server and the clocks of users alone: three files at a time. */
const CLUSTER_BESIDE = [
  "test/cluster/{jobs,state}/*.test.ts",
  "test/cluster/driver/{beside,commands,contract,engine,regions,rights,route,sets,switch}.test.ts",
];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    setupFiles: ["test/support/property-seed.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...SYSTEM, ...IDLE, CLUSTER, "node_modules/**"],
          maxWorkers: 2,
        },
      },
      // A shared machine may stand still for a while. What fails twice has something to say; what was told again is printed.
      { extends: true, test: { name: "parts", include: PARTS, maxWorkers: 3, retry: 1 } },
      { extends: true, test: { name: "small", include: SMALL, maxWorkers: 2, retry: 1 } },
      { extends: true, test: { name: "idle", include: IDLE, maxWorkers: 3, retry: 1 } },
      {
        extends: true,
        test: {
          name: "system",
          include: SYSTEM,
          exclude: [...PARTS, ...SMALL, ...IDLE, "node_modules/**"],
          fileParallelism: false,
          retry: 1,
        },
      },
      {
        extends: true,
        test: {
          name: "cluster-beside",
          include: CLUSTER_BESIDE,
          maxWorkers: 3,
          retry: 1,
          // One after the other, also where both are told in one command.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "cluster",
          include: [CLUSTER],
          exclude: [...CLUSTER_BESIDE, "node_modules/**"],
          fileParallelism: false,
          retry: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
