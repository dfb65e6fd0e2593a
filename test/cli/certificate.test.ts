import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { CliIo } from "../../src/cli/io.ts";
import { signingKey } from "../../src/cli/files/keys.ts";
import type { Passed } from "../../src/rehearsal/certificate/certify.ts";
import type { SigningKey } from "../../src/rehearsal/certificate/key.ts";
import { certificateFor, factsWith, keep, strangeKey, trustNewKey } from "../support/certificates.ts";
import { midflight, OVERRIDE, start, type Ended } from "../support/cli.ts";
import { forgeJournal } from "../support/forged-journal.ts";
import { startSmallVenue, type SmallVenue } from "../support/small-venue.ts";

const PLAN = "plans/small.yaml";
const UPGRADE = ["upgrade", PLAN, "--env", "plans/production.yaml"];
const STATE = ["--state", "plans/.midflight"];
const OLD = { tokyo: ["gateway@1.0 100", "gateway@1.0 100"], frankfurt: ["gateway@1.0 100", "gateway@1.0 100"] };
const NEW = { tokyo: ["gateway@2.0 100", "gateway@2.0 100"], frankfurt: ["gateway@2.0 100", "gateway@2.0 100"] };

let place: SmallVenue;
let key: SigningKey;
beforeAll(async () => {
  place = await startSmallVenue({ name: "certificate" });
  key = trustNewKey(place.environment);
  const told = `notify: [{ command: [sh, -c, "cat >> notified.ndjson"], on: [tripped] }]\n`;
  writeFileSync(place.environment, `${readFileSync(place.environment, "utf8")}${told}`);
}, 60_000);
afterAll(async () => {
  await place?.stop();
}, 30_000);
beforeEach(() => {
  rmSync(join(place.state, "certificates"), { recursive: true, force: true });
});

const call = (args: readonly string[]): Promise<Ended> =>
  midflight(args, { cwd: place.dir, env: place.env, limitMs: 90_000 });
const at = (file: string): string => join(place.dir, file);
const runs = (): readonly string[] =>
  existsSync(join(place.state, "runs")) ? readdirSync(join(place.state, "runs")) : [];
const folderOf = (run: string): string => join(place.state, "runs", run);
const codeIn = ({ stderr }: Ended): string => /error (\w+):/.exec(stderr)?.[1] ?? stderr;
/** Files with the facts of the venue as it stands. */
const real = (files: { readonly plan: string; readonly environment: string }) => ({
  ...files,
  facts: factsWith(place.env, place.dir),
});
const issue = (change?: (passed: Passed) => Passed, by = key): Promise<string> =>
  certificateFor(real(place), by, change);

/** What somebody gets who calls this: the code of the refusal, and that nothing was touched by it. */
async function refusal(args: readonly string[]): Promise<unknown> {
  const before = runs();
  const ended = await call(args);
  const hasTrace = /\n\s+at /.test(ended.stderr);
  return { status: ended.status, code: codeIn(ended), isUntouched: runs().length === before.length, hasTrace };
}
const refused = (code: string, status = 5): unknown => ({ status, code, isUntouched: true, hasTrace: false });

/** Lets `act` find a file changed, and puts it back. */
async function withChanged(file: string, change: (text: string) => string, act: () => Promise<void>): Promise<void> {
  const before = readFileSync(at(file), "utf8");
  writeFileSync(at(file), change(before));
  try {
    await act();
  } finally {
    writeFileSync(at(file), before);
  }
}

describe("production without a certificate", () => {
  test("is not touched, whatever the order of flags and the name of the environment", async () => {
    for (const args of [
      UPGRADE,
      ["upgrade", "--env", "production", PLAN],
      ["--no-input", "upgrade", "--yes", "-e", "./plans/../plans/production.yaml", PLAN],
      [...UPGRADE, "--yes", "--json", "--output", "lines"],
      [...UPGRADE, "--state", "elsewhere"],
    ])
      expect(await refusal(args)).toEqual(refused("CERTIFICATE_MISSING"));
    expect(existsSync(at("elsewhere/runs"))).toBe(false);
    expect(await place.serving()).toEqual(OLD);
  }, 40_000);

  test("is not touched by half an override", async () => {
    for (const args of [
      [...UPGRADE, "--without-certificate"],
      [...UPGRADE, "--because", "it burns"],
      ["upgrade", "--because", "", "--without-certificate", PLAN, "--env", "production"],
      [...UPGRADE, "--without-certificate", "--because", " \u200b\n. "],
      [...UPGRADE, "--without-certificate", "--because", "x".repeat(501)],
      [...UPGRADE, "--certificate", "plans/small.yaml", ...OVERRIDE],
      ["resume", "--without-certificate", ...STATE],
    ])
      expect(await refusal(args)).toEqual(refused("USAGE", 3));
    expect((await call([...UPGRADE, "--certificate", PLAN])).stderr).toContain("CERTIFICATE_MALFORMED");
    expect((await call([...UPGRADE, "--certificate", "no-such-file"])).status).toBe(3);
    expect(await place.serving()).toEqual(OLD);
  }, 40_000);

  test("is not touched through a saved plan either", async () => {
    expect((await call(["plan", ...UPGRADE.slice(1), "--out", "saved.json"])).status).toBe(0);
    expect(await refusal(["upgrade", "saved.json"])).toEqual(refused("CERTIFICATE_MISSING"));
    const text = await issue((passed) => ({ ...passed, validFrom: passed.validFrom - 2 * passed.validForMs }));
    await keep(place.state, text);
    expect(await refusal(["upgrade", "saved.json", "--yes"])).toEqual(refused("CERTIFICATE_EXPIRED"));
  }, 40_000);
});

describe("a certificate that does not fit is refused, says why, and nothing is touched:", () => {
  const HOUR_MS = 3_600_000;
  test.each([
    {
      name: "its time has not come",
      code: "CERTIFICATE_TOO_EARLY",
      says: /valid from/,
      change: (passed: Passed) => ({ ...passed, validFrom: passed.validFrom + HOUR_MS }),
    },
    {
      name: "a drill failed",
      code: "CERTIFICATE_INCOMPLETE",
      says: /"the whole plan" failed/,
      change: (passed: Passed) => ({
        ...passed,
        drills: passed.drills.map((one) => ({ ...one, outcome: "failed" as const })),
      }),
    },
    {
      name: "its soak was shorter than the plan asks",
      code: "CERTIFICATE_INCOMPLETE",
      says: /healthy for/,
      change: (passed: Passed) => ({ ...passed, soak: { askedMs: 0, healthyMs: 0 } }),
    },
    {
      name: "a fact of production that the plan depends on changed",
      code: "CERTIFICATE_MISMATCH",
      says: /release\/gateway@2\.0 was sha256:0/,
      change: (passed: Passed) => ({
        ...passed,
        production: {
          ...passed.production,
          facts: passed.production.facts.map(({ id }) => ({ id, value: `sha256:${"0".repeat(64)}` })),
        },
      }),
    },
    {
      name: "it is for another environment",
      code: "CERTIFICATE_MISMATCH",
      says: /for environment staging/,
      change: (passed: Passed) => ({
        ...passed,
        production: { ...passed.production, graph: { ...passed.production.graph, environment: "staging" } },
      }),
    },
  ])(
    "$name",
    async ({ code, says, change }) => {
      writeFileSync(at("given.json"), await issue(change));
      expect(await refusal([...UPGRADE, "--certificate", "given.json"])).toEqual(refused(code));
      const verified = await call(["certificate", "verify", "given.json", PLAN, "--env", "production", "--json"]);
      expect(verified.status).toBe(5);
      expect(JSON.parse(verified.stdout)).toMatchObject({
        isCleared: false,
        code,
        message: expect.stringMatching(says) as unknown,
      });
    },
    20_000,
  );

  test.each([
    { file: PLAN, change: (text: string) => text.replace("soak: 1s", "soak: 2s"), says: "plan.yaml changed" },
    { file: "plans/releases.yaml", change: (text: string) => `${text}# a comment\n`, says: "releases.yaml changed" },
    {
      file: "plans/migrations/orders/0001_price_bands.down.sql",
      change: (text: string) => `${text}\n`,
      says: "0001_price_bands.down.sql changed",
    },
    {
      file: "plans/production.yaml",
      change: (text: string) => text.replace("instances: 2", "instances: 3"),
      says: "another graph",
    },
  ])(
    "$file changed since",
    async ({ file, change, says }) => {
      const path = await keep(place.state, await issue());
      await withChanged(file, change, async () => {
        // Found by itself, and named.
        for (const args of [UPGRADE, [...UPGRADE, "--certificate", path]]) {
          expect(await refusal(args)).toEqual(refused("CERTIFICATE_MISMATCH"));
          expect((await call(args)).stderr).toContain(says);
        }
      });
      expect((await call(["certificate", "verify", path, PLAN, "--env", "production"])).status).toBe(0);
    },
    30_000,
  );

  test("nobody trusts its key, or it was touched", async () => {
    await keep(place.state, await issue(undefined, strangeKey()));
    expect(await refusal(UPGRADE)).toEqual(refused("CERTIFICATE_UNTRUSTED"));
    await keep(place.state, await issue(undefined, { ...strangeKey(), id: key.id }));
    expect(await refusal(UPGRADE)).toEqual(refused("CERTIFICATE_FORGED"));
    const text = await issue();
    writeFileSync(at("given.json"), `${text}\n`);
    expect(await refusal([...UPGRADE, "--certificate", "given.json"])).toEqual(refused("CERTIFICATE_MALFORMED"));
    await withChanged(
      "plans/production.yaml",
      (env) => env.replace("trusts: [./keys/rehearsal.pub.json]\n", ""),
      async () => {
        writeFileSync(at("given.json"), text);
        expect(await refusal([...UPGRADE, "--certificate", "given.json"])).toEqual(refused("CERTIFICATE_UNTRUSTED"));
      },
    );
  }, 30_000);

  test("whoever signed it may not start what it clears, where the environment says so", async () => {
    const { username } = userInfo();
    const text = await issue((passed) => ({ ...passed, signer: { ...passed.signer, user: username } }));
    writeFileSync(at("given.json"), text);
    await withChanged(
      "plans/production.yaml",
      (env) => `${env}approval: { notBySigner: true }\n`,
      async () => {
        for (const yes of [[], ["--yes"]])
          expect(await refusal([...UPGRADE, "--certificate", "given.json", ...yes])).toEqual(
            refused("APPROVER_SIGNED"),
          );
      },
    );
  }, 20_000);
});

describe("with its certificate", () => {
  let run = "";
  const restored: (() => void)[] = [];
  const damaged = (act: () => void): void => {
    const copy = `${folderOf(run)}.copy`;
    cpSync(folderOf(run), copy, { recursive: true });
    restored.push(() => {
      rmSync(folderOf(run), { recursive: true });
      cpSync(copy, folderOf(run), { recursive: true });
      rmSync(copy, { recursive: true });
    });
    act();
  };

  test("an upgrade begins, and its journal, status and copy say which it was", async () => {
    const text = await issue();
    await keep(place.state, text);
    const conductor = start(UPGRADE, { cwd: place.dir, env: place.env, limitMs: 60_000 });
    await conductor.says(/move-started +prove/, 60_000);
    process.kill(conductor.pid, "SIGKILL");
    expect((await conductor.ended).stdout).toMatch(
      /run-opened .* with certificate [0-9a-f]{12}, signed by alice@build-1/,
    );
    const status = await call(["status", "--json", ...STATE]);
    const told = JSON.parse(status.stdout) as { readonly run: string };
    expect(told).toMatchObject({ clearance: { kind: "certificate", key: "rehearsal", keyId: key.id } });
    run = told.run;
    expect(readFileSync(join(folderOf(run), "certificate.json"), "utf8")).toBe(text);
  }, 90_000);

  type Clear = Readonly<Record<string, unknown>>;
  const claiming =
    (clearance: Clear | undefined, graph: Clear = {}) =>
    () =>
      forgeJournal(folderOf(run), (line, index) => {
        if (index > 0) return line;
        const { clearance: _clearance, ...fact } = line.fact;
        const opened = { ...fact, graph: { ...(fact["graph"] as Clear), ...graph } };
        return { ...line, fact: clearance === undefined ? opened : { ...opened, clearance } };
      });
  const claim = { kind: "certificate", sha256: "0".repeat(64), key: "k", keyId: "0", signer: "a@b", validUntil: "9" };

  test.each([
    {
      name: "its copy of the certificate is gone",
      code: "CERTIFICATE_MISSING",
      damage: () => rmSync(join(folderOf(run), "certificate.json")),
    },
    {
      name: "its copy was touched",
      code: "CERTIFICATE_MALFORMED",
      damage: () => writeFileSync(join(folderOf(run), "certificate.json"), "{}"),
    },
    { name: "its journal claims another certificate", code: "CERTIFICATE_MISMATCH", damage: claiming(claim) },
    { name: "its journal claims none at all", code: "CERTIFICATE_MISSING", damage: claiming(undefined) },
    {
      name: "its journal claims to be of class demo",
      code: "CERTIFICATE_MISSING",
      damage: claiming(undefined, { class: "demo" }),
    },
    {
      name: "its journal tells of another graph",
      code: "CERTIFICATE_MISMATCH",
      damage: () =>
        forgeJournal(folderOf(run), (line, index) =>
          index > 0
            ? line
            : { ...line, fact: { ...line.fact, graph: { ...(line.fact["graph"] as Clear), summary: "x" } } },
        ),
    },
    {
      name: "its copy of the plan was edited",
      code: "CERTIFICATE_MISMATCH",
      damage: () =>
        writeFileSync(
          join(folderOf(run), "input/plan.yaml"),
          readFileSync(join(folderOf(run), "input/plan.yaml"), "utf8").replace("soak: 1s", "soak: 2s"),
        ),
    },
  ])(
    "a run is not resumed when $name",
    async ({ code, damage }) => {
      damaged(damage);
      try {
        const ended = await call(["resume", run, ...STATE]);
        expect({ status: ended.status, code: codeIn(ended) }, ended.stdout + ended.stderr).toEqual({ status: 5, code });
      } finally {
        for (const restore of restored.splice(0)) restore();
      }
    },
    30_000,
  );

  test("a run is resumed and promoted, and its report names the certificate", async () => {
    const resumed = await call(["resume", run, ...STATE]);
    expect(resumed.status, resumed.stdout + resumed.stderr).toBe(0);
    expect(await place.serving()).toEqual(NEW);
    expect(readFileSync(join(folderOf(run), "report.md"), "utf8")).toMatch(
      /Certificate: `[0-9a-f]{64}`, signed by alice@build-1/,
    );
  }, 90_000);

  test("a rollback asks for none", async () => {
    rmSync(join(folderOf(run), "certificate.json"));
    const back = await call(["rollback", run, ...STATE]);
    expect(back.status, back.stdout + back.stderr).toBe(1);
    expect(await place.serving()).toEqual(OLD);
  }, 90_000);
});

describe("in an emergency", () => {
  test("a run that lost its certificate goes on with a reason, which takes the certificate's place", async () => {
    await keep(place.state, await issue());
    const conductor = start(UPGRADE, { cwd: place.dir, env: place.env, limitMs: 60_000 });
    await conductor.says(/move-started +prove/, 60_000);
    process.kill(conductor.pid, "SIGKILL");
    await conductor.ended;
    const { run } = JSON.parse((await call(["status", "--json", ...STATE])).stdout) as { readonly run: string };
    rmSync(join(folderOf(run), "certificate.json"));
    const resumed = await call(["resume", run, "--because", "half of it stands", "--without-certificate", ...STATE]);
    expect(resumed.status, resumed.stdout + resumed.stderr).toBe(0);
    const line = `WITHOUT A CERTIFICATE, by ${userInfo().username}, because: half of it stands`;
    expect(resumed.stdout).toContain(line);
    expect((await call(["status", ...STATE])).stdout).toContain(line);
    expect(readFileSync(at("notified.ndjson"), "utf8")).toContain(line);
    expect((await call(["rollback", run, ...STATE])).status).toBe(1);
  }, 120_000);

  test("an override runs, and its reason stands in the journal, status and report, and is sent to who asked for less", async () => {
    const reason = "orders fail since 05:50, the rehearsal takes too long";
    const ended = await call([...UPGRADE, "--without-certificate", "--because", ` ${reason}\n`]);
    expect(ended.status, ended.stdout + ended.stderr).toBe(0);
    const { run } = JSON.parse((await call(["status", "--json", ...STATE])).stdout) as { readonly run: string };
    const line = `WITHOUT A CERTIFICATE, by ${userInfo().username}, because: ${reason}`;
    expect((await call(["status", ...STATE])).stdout).toContain(line);
    expect((await call(["runs", ...STATE])).stdout).toContain("without a certificate");
    expect(readFileSync(join(folderOf(run), "report.md"), "utf8")).toContain(`because: ${reason}`);
    expect(readFileSync(join(folderOf(run), "journal.ndjson"), "utf8").split("\n")[0]).toContain(
      `"because":"${reason}"`,
    );
    const notices = readFileSync(at("notified.ndjson"), "utf8");
    expect(notices).toContain('"kind":"override"');
    expect(notices).toContain(reason);
    expect((await call(["rollback", run, ...STATE])).status).toBe(1);
  }, 120_000);
});

describe("a step that waits for approval", () => {
  test("is not approved by whoever signed, by no name and by no letter of theirs, and is by somebody else", async () => {
    const waiting = readFileSync(at(PLAN), "utf8").replace("steps:\n", "steps:\n  - approve: { who: ops }\n");
    writeFileSync(at("plans/approved.yaml"), waiting);
    await withChanged(
      "plans/production.yaml",
      (env) => `${env}approval: { notBySigner: true }\n`,
      async () => {
        const plan = at("plans/approved.yaml");
        await keep(place.state, await certificateFor(real({ plan, environment: place.environment }), key));
        const args = ["upgrade", "plans/approved.yaml", "--env", "production"];
        const conductor = start(args, { cwd: place.dir, env: place.env, limitMs: 80_000 });
        await conductor.says(/move-started +approval/, 60_000);
        const [run = ""] = /small-\d{8}-\d{6}-[0-9a-f]{4}/.exec(conductor.stdout()) ?? [];
        const signed = await call(["approve", run, "--by", "Alice", ...STATE]);
        expect([signed.status, codeIn(signed)]).toEqual([5, "APPROVER_SIGNED"]);
        writeFileSync(join(folderOf(run), "mailbox.json"), JSON.stringify({ id: "x", what: "approve", by: "alice" }));
        await conductor.says(/alice asks: approve, and signed the certificate: not counted/, 20_000);
        expect((await call(["approve", run, ...STATE])).status).toBe(0);
        await conductor.says(/done: approval/, 20_000);
        process.kill(conductor.pid, "SIGINT");
        process.kill(conductor.pid, "SIGTERM");
        await conductor.ended;
        expect((await call(["rollback", run, ...STATE])).stderr).not.toContain("CERTIFICATE");
      },
    );
    expect(await place.serving()).toEqual(OLD);
  }, 120_000);
});

test("a certificate costs the start of an upgrade less than two seconds: less than a whole process that verifies one", async () => {
  const path = await keep(place.state, await issue());
  const took: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const from = performance.now();
    const { status, stderr } = await call(["certificate", "verify", path, PLAN, "--env", "production"]);
    took.push(performance.now() - from);
    expect(status, stderr).toBe(0);
  }
  const median = took.toSorted((a, b) => a - b)[2] ?? Infinity;
  process.stdout.write(`midflight certificate verify takes ${Math.round(median)} ms, with the start of Node\n`);
  expect(median).toBeLessThan(2_000);
}, 60_000);

describe("midflight keys new", () => {
  const OUT = "own keys";
  const make = () => call(["keys", "new", "--out", OUT, "--name", "night-shift"]);

  test("makes a pair whose private half nobody else can read, and that an environment can trust", async () => {
    expect((await make()).stdout).toContain("trusts: [own keys/night-shift.pub.json]");
    expect(statSync(at(`${OUT}/night-shift.pem`)).mode & 0o777).toBe(0o600);
    const made = await signingKey({ cwd: place.dir } as CliIo, `${OUT}/night-shift.pem`);
    writeFileSync(at("given.json"), await issue(undefined, made));
    const verify = ["certificate", "verify", "given.json", PLAN, "--env", "production"];
    expect(codeIn(await call(verify))).toBe("CERTIFICATE_UNTRUSTED");
    const trusting = (env: string) => env.replace(/trusts: .*/, `trusts: ["../${OUT}/night-shift.pub.json"]`);
    await withChanged("plans/production.yaml", trusting, async () => {
      const { stdout } = await call(verify);
      expect(stdout).toContain("signed with key night-shift");
    });
    const shown = await call(["certificate", "show", "given.json"]);
    expect(shown.stdout).toContain(`night-shift (${made.id})`);
    expect(JSON.parse((await call(["certificate", "show", "given.json", "--json"])).stdout)).toMatchObject({
      kind: "certificate",
      keyId: made.id,
      plan: { name: "small" },
    });
  }, 30_000);

  test("writes over nothing, and leaves no half of a pair behind", async () => {
    const before = readFileSync(at(`${OUT}/night-shift.pem`), "utf8");
    const again = await make();
    expect([again.status, codeIn(again)]).toEqual([3, "FILE_EXISTS"]);
    expect(readFileSync(at(`${OUT}/night-shift.pem`), "utf8")).toBe(before);
    rmSync(at(`${OUT}/night-shift.pem`));
    expect((await make()).status).toBe(3);
    expect(readdirSync(at(OUT))).toEqual(["night-shift.pub.json"]);
  }, 20_000);

  test("a private half that others can read signs nothing", async () => {
    rmSync(at(OUT), { recursive: true });
    await make();
    chmodSync(at(`${OUT}/night-shift.pem`), 0o640);
    await expect(signingKey({ cwd: place.dir } as CliIo, `${OUT}/night-shift.pem`)).rejects.toMatchObject({
      code: "SIGNING_KEY_UNUSABLE",
    });
    for (const file of [PLAN, "no-such-file", "plans"])
      await expect(signingKey({ cwd: place.dir } as CliIo, file)).rejects.toMatchObject({
        code: "SIGNING_KEY_UNUSABLE",
      });
  }, 20_000);
});

test("a broken file under trusts is bad input, with its place", async () => {
  writeFileSync(at("plans/keys/broken.json"), '{ "midflight": 1,\n  "name": "x", "publicKey": "AAAA" }');
  const trusting = (env: string) => env.replace(/trusts: .*/, "trusts: [./keys/none.json, ./keys/broken.json]");
  await withChanged("plans/production.yaml", trusting, async () => {
    const { status, stderr } = await call(UPGRADE);
    expect(status).toBe(3);
    expect(stderr).toMatch(/FILE_UNREADABLE[^]*none\.json[^]*VALUE_WRONG[^]*broken\.json:2:29/);
  });
}, 20_000);
