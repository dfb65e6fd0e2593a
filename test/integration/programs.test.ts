import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { clear } from "../../src/cli/run/clear.ts";
import type { CliIo } from "../../src/cli/io.ts";
import { loadCopies } from "../../src/cli/files/load-copies.ts";
import { checkAlone, loadFiles } from "../../src/cli/files/load.ts";
import { fileState } from "../../src/cli/wiring/state.ts";
import { BadInput } from "../../src/errors/problem.ts";
import { certifiedFiles, factsOf } from "../../src/rehearsal/certificate/certify.ts";
import { certificateFor, factsOfFiles, keep, trustNewKey } from "../support/certificates.ts";
import { scratch } from "../support/scratch.ts";

const folder = scratch();

const PLAN = `midflight: 1
plan: programs
components:
  app: { release: app@2.0 }
steps:
  - run: { argv: [node, ./tools/warm.mjs, --table=tools/rows.txt], undo: [./tools/cool.sh] }
  - run: { argv: ["cat tools/rows.txt | ./tools/count.sh > /dev/null"], shell: true }
  - roll: app
    dark: none
backups:
  mend: [{ run: [sh, tools/mend.sh] }]
guard: { operations: [order] }
`;
const ENVIRONMENT = `midflight: 1
environment: production
class: production
regions: { tokyo: { probe: { okx: { rest: http://127.0.0.1:7110, accounts: { env: PROBES } } } } }
components:
  app: { driver: command, observe: [./ops/look.sh], apply: [sh, ops/apply.sh], undo: [sh, ops/apply.sh, back], ready: ["true"] }
`;
const RELEASES = `midflight: 1
releases:
  app@2.0: { command: { digest: "sha256:${"0".repeat(64)}" } }
`;
const PLANS_OWN = [
  "programs/tools/cool.sh",
  "programs/tools/count.sh",
  "programs/tools/mend.sh",
  "programs/tools/rows.txt",
  "programs/tools/warm.mjs",
];

/** A plan whose programs lie beside it, in a folder of its own. */
function place() {
  const dir = folder();
  const put = (file: string, text: string | Buffer) => {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
  };
  put("plans/plan.yaml", PLAN);
  put("plans/production.yaml", ENVIRONMENT);
  put("plans/releases.yaml", RELEASES);
  for (const file of ["tools/warm.mjs", "tools/rows.txt", "tools/cool.sh", "tools/count.sh", "tools/mend.sh"])
    put(file, "#!/bin/sh\n");
  for (const file of ["ops/look.sh", "ops/apply.sh"]) put(file, "#!/bin/sh\n");
  const files = { plan: join(dir, "plans/plan.yaml"), environment: join(dir, "plans/production.yaml") };
  const io = { cwd: dir, env: {}, say: () => {} } as unknown as CliIo;
  const load = () => loadFiles(io, { ...files, releases: join(dir, "plans/releases.yaml") });
  return { dir, put, files, io, load };
}
const problemsOf = (loading: Promise<unknown>) =>
  loading.then(
    () => [],
    (error: unknown) => (error instanceof BadInput ? error.problems : Promise.reject(error as Error)),
  );

describe("the programs of a plan", () => {
  test("are files of the plan: those of its steps, undos and backup plans, and what they are told to read", async () => {
    const loaded = await place().load();
    const names = certifiedFiles(loaded.files).map(({ name }) => name);
    expect(names).toEqual(["plan.yaml", ...PLANS_OWN, "releases.yaml"]);
  });

  test.each(PLANS_OWN.map((name) => name.slice("programs/".length)))(
    "make it another plan when a byte of %s changes",
    async (file) => {
      const { load, dir, put } = place();
      const before = await load();
      put(file, `${readFileSync(join(dir, file), "utf8")} `);
      const after = await load();
      expect(after.planFingerprint).not.toBe(before.planFingerprint);
    },
  );

  test.each([
    { name: "that is no text", before: Buffer.from([0xff, 0x00, 0x80]), after: Buffer.from([0xff, 0x00, 0x81]) },
    { name: "by its byte order mark", before: Buffer.from("\uFEFFecho"), after: Buffer.from("echo") },
    { name: "larger than any text", before: Buffer.alloc(3_000_001, "x"), after: Buffer.alloc(3_000_002, "x") },
    { name: "that is empty", before: Buffer.alloc(0), after: Buffer.from("\n") },
  ])("tell a file from another one: $name", async ({ before, after }) => {
    const { load, put } = place();
    put("tools/mend.sh", before);
    const { planFingerprint } = await load();
    put("tools/mend.sh", after);
    expect((await load()).planFingerprint).not.toBe(planFingerprint);
  });

  test("that changed since the rehearsal keep a certificate from clearing it, by name", async () => {
    const { load, put, files, io, dir } = place();
    const key = trustNewKey(files.environment);
    const state = join(dir, "state");
    await keep(state, await certificateFor(files, key));
    const order = { io, state: fileState(state), permit: { kind: "certificate" } as const, facts: factsOfFiles };
    expect((await clear({ ...order, loaded: await load() }))?.clearance.kind).toBe("certificate");
    put("tools/mend.sh", "#!/bin/sh\nrm -rf /\n");
    await expect(clear({ ...order, loaded: await load() })).rejects.toMatchObject({
      code: "CERTIFICATE_MISMATCH",
      message: expect.stringContaining("programs/tools/mend.sh changed since the rehearsal") as unknown,
    });
  });

  test("that are not there are a problem of the line that starts them, in a check as in a run", async () => {
    const { load, put, io, files } = place();
    put("plans/plan.yaml", PLAN.replace("./tools/warm.mjs", "./tools/gone.mjs").replace("tools/mend.sh", "gone.sh"));
    const problems = await problemsOf(load());
    expect(problems).toMatchObject([
      { code: "PROGRAM_UNREADABLE", line: 6, message: "there is no file ./tools/gone.mjs" },
      { code: "PROGRAM_UNREADABLE", line: 11, message: "there is no file gone.sh" },
    ]);
    expect((await checkAlone(io, files.plan, undefined)).problems).toEqual(problems);
  });

  test("are no problem of a check that is made in another folder, as long as they lie as seen from one above the plan", async () => {
    const { io, dir, files } = place();
    const elsewhere = { ...io, cwd: join(dir, "plans") };
    expect((await checkAlone(elsewhere, files.plan, undefined)).problems).toEqual([]);
    const loading = loadFiles(elsewhere, { ...files, releases: join(dir, "plans/releases.yaml") });
    expect((await problemsOf(loading)).map(({ code }) => code)).toContain("PROGRAM_UNREADABLE");
  });

  test("may name what is not there yet, folders, addresses and what lies elsewhere", async () => {
    const { load, put } = place();
    const words =
      '[node, ./tools/warm.mjs, --out, ./made-later.txt, ./tools, "http://a/b", /etc/hostname, ../x, "a b", "--"]';
    put("plans/plan.yaml", PLAN.replace("[node, ./tools/warm.mjs, --table=tools/rows.txt]", words));
    const names = certifiedFiles((await load()).files).map(({ name }) => name);
    expect(names).toEqual(["plan.yaml", ...PLANS_OWN, "releases.yaml"]);
  });

  test("above the working folder are read where they lie in the plan's folder", async () => {
    const { dir, put, files } = place();
    cpSync(join(dir, "tools"), join(dir, "plans/tools"), { recursive: true });
    put("plans/plan.yaml", PLAN.replaceAll("tools/", "../plans/tools/").replaceAll("./../", "../"));
    put("below/x", "");
    put("plans/production.yaml", ENVIRONMENT.replaceAll("./ops", "/ops").replaceAll("sh, ops", "sh, /ops"));
    const io = { cwd: join(dir, "below") } as CliIo;
    const loaded = await loadFiles(io, { ...files, releases: join(dir, "plans/releases.yaml") });
    expect(certifiedFiles(loaded.files).map(({ name }) => name)).toContain("programs/up/plans/tools/mend.sh");
  });

  test("and the manifest of a Job with them, which must be there", async () => {
    const { load, put } = place();
    const job = "  - run: { job: { manifest: jobs/tool.yaml } }\n  - roll: app";
    put("plans/plan.yaml", PLAN.replace("  - roll: app", job));
    const where = "jobs: { context: prod, namespace: tools }\ncomponents:";
    put("plans/production.yaml", ENVIRONMENT.replace("components:", where));
    const [problem] = await problemsOf(load());
    expect(problem).toMatchObject({ code: "PROGRAM_UNREADABLE", message: "there is no file jobs/tool.yaml" });
    put(
      "jobs/tool.yaml",
      "apiVersion: batch/v1\nkind: Job\nspec: { template: { spec: { restartPolicy: Never, containers: [{ name: tool, image: tool }] } } }\n",
    );
    expect(certifiedFiles((await load()).files).map(({ name }) => name)).toContain("programs/jobs/tool.yaml");
  });

  test("are kept with the run, so that what it was given is known without them", async () => {
    const { load, dir, put } = place();
    put("tools/mend.sh", Buffer.from([0xff, 0x00]));
    const loaded = await load();
    const { store } = fileState(join(dir, "state"));
    const journal = await store.create("r");
    for (const file of loaded.files) await store.putFile("r", `input/${file.name}`, file.text);
    await store.putFile("r", "input.json", JSON.stringify({ ...loaded.given, cwd: dir }));
    await journal.close();
    put("tools/mend.sh", "other");
    put("ops/apply.sh", "other");
    const copies = await loadCopies(store, "r");
    expect(copies.planFingerprint).toBe(loaded.planFingerprint);
    expect(copies.graph).toEqual(loaded.graph);
  });

  test("and of a run whose conductor may be anywhere, what files name lies among the copies", async () => {
    const { load, dir } = place();
    const loaded = await load();
    const { store } = fileState(join(dir, "state"));
    const journal = await store.create("r");
    for (const file of loaded.files) await store.putFile("r", `input/${file.name}`, file.text);
    const { cwd: _, ...given } = loaded.given;
    await store.putFile("r", "input.json", JSON.stringify(given));
    await journal.close();
    const copies = await loadCopies(store, "r");
    expect(copies.environment.file).toBe(store.pathOf("r", "input/environment.yaml"));
    expect(copies.given.cwd).toBeUndefined();
    expect(copies.planFingerprint).toBe(loaded.planFingerprint);
  });
});

describe("what an environment says of releases", () => {
  const OWN = `releases:
  app@1.0: { command: { digest: "sha256:${"1".repeat(64)}" } }
  app@2.0: { process: { digest: "sha256:${"2".repeat(64)}", path: ./app-2.0, run: [node, main.js] } }
`;

  test("is known with what releases.yaml says, is a fact of its environment, and no part of the plan", async () => {
    const { load, put, dir } = place();
    const before = await load();
    put("plans/production.yaml", `${ENVIRONMENT}${OWN}`);
    const after = await load();
    expect(after.releases.releases).toMatchObject({
      "app@1.0": { command: { digest: `sha256:${"1".repeat(64)}` } },
      "app@2.0": {
        command: { digest: `sha256:${"0".repeat(64)}` },
        process: { path: join(dir, "plans/app-2.0") },
      },
    });
    expect(after.planFingerprint).toBe(before.planFingerprint);
    expect(factsOf(after.graph).map(({ id }) => id)).toEqual([
      "graph",
      "releases",
      ...factsOf(before.graph)
        .map(({ id }) => id)
        .slice(1),
    ]);
  });

  test("that changed since the rehearsal keeps a certificate from clearing it, and is named", async () => {
    const { load, put, files, io, dir } = place();
    put("plans/production.yaml", `${ENVIRONMENT}${OWN}`);
    const key = trustNewKey(files.environment);
    const state = join(dir, "state");
    await keep(state, await certificateFor(files, key));
    const order = { io, state: fileState(state), permit: { kind: "certificate" } as const, facts: factsOfFiles };
    expect((await clear({ ...order, loaded: await load() }))?.clearance.kind).toBe("certificate");
    const text = readFileSync(files.environment, "utf8");
    // What a run goes back to, and none of its steps.
    put("plans/production.yaml", text.replace("1".repeat(64), "3".repeat(64)));
    await expect(clear({ ...order, loaded: await load() })).rejects.toMatchObject({
      code: "CERTIFICATE_MISMATCH",
      message: expect.stringContaining("`releases` in the environment file is not what was rehearsed") as unknown,
    });
  });

  test("is kept with the run: what it was given stays, whoever edits the file", async () => {
    const { load, put, dir } = place();
    put("plans/production.yaml", `${ENVIRONMENT}${OWN}`);
    const loaded = await load();
    const { store } = fileState(join(dir, "state"));
    const journal = await store.create("r");
    for (const file of loaded.files) await store.putFile("r", `input/${file.name}`, file.text);
    await store.putFile("r", "input.json", JSON.stringify({ ...loaded.given, cwd: dir }));
    await journal.close();
    put("plans/production.yaml", ENVIRONMENT);
    const copies = await loadCopies(store, "r");
    expect(copies.releases.releases).toEqual(loaded.releases.releases);
    expect(copies.graph).toEqual(loaded.graph);
  });
});

describe("the programs of a command driver", () => {
  test("are facts of their environment and no part of the plan", async () => {
    const { load, put } = place();
    const before = await load();
    put("ops/apply.sh", "#!/bin/sh\nexit 1\n");
    const after = await load();
    expect(after.planFingerprint).toBe(before.planFingerprint);
    const changed = factsOf(after.graph).filter(
      ({ id, value }) => factsOf(before.graph).find((one) => one.id === id)?.value !== value,
    );
    expect(changed.map(({ id }) => id)).toEqual(["graph", "program/app/ops/apply.sh"]);
  });

  test("that are not there are a problem of the environment file", async () => {
    const { load, put } = place();
    put("plans/production.yaml", ENVIRONMENT.replace("./ops/look.sh", "./ops/gone.sh"));
    expect(await problemsOf(load())).toMatchObject([{ code: "PROGRAM_UNREADABLE", line: 6 }]);
  });

  test.skipIf(process.getuid?.() === 0)("that may not be read say so", async () => {
    const { load, dir } = place();
    chmodSync(join(dir, "ops/look.sh"), 0o000);
    expect(await problemsOf(load())).toMatchObject([{ message: "./ops/look.sh cannot be read (EACCES)" }]);
  });
});
