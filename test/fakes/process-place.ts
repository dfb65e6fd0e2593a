import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOfFolder } from "../../src/adapters/process/digest.ts";
import { processEstate } from "../../src/adapters/process/estate.ts";
import type { ProcessOptions } from "../../src/adapters/process/options.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { startBalancer, type RunningBalancer } from "../../src/demo/venue/balancer/start.ts";
import type { ProcessComponent, ProcessRelease } from "../../src/plan/model.ts";

/** How a release of the test's own behaves. */
export type Conduct = {
  readonly neverReady?: true;
  readonly ignoresTerm?: true;
  /** Exits at once with this status, after printing what stands here. */
  readonly exits?: { readonly status: number; readonly says: string };
  /** Starts a program that ignores SIGTERM, in its own group or in another. */
  readonly hasChild?: "in its group" | "in another group";
  /** Operations that never end. */
  readonly inflight?: number;
  /** Has a socket open until its notice is over. */
  readonly holdsSocket?: true;
};

const SERVER = `
const { createServer } = require("node:http");
const { spawn } = require("node:child_process");
const conduct = JSON.parse(require("node:fs").readFileSync(__dirname + "/conduct.json", "utf8"));
if (conduct.exits) { console.error(conduct.exits.says); process.exit(conduct.exits.status); }
process.on("SIGTERM", () => { if (!conduct.ignoresTerm) process.exit(0); });
if (conduct.hasChild) spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6)"], { stdio: "ignore", detached: conduct.hasChild !== "in its group" });
let drainedAt;
const seen = [];
const answers = {
  "GET /-/ready": () => [conduct.neverReady || drainedAt !== undefined ? 503 : 200, { ready: true, instance: process.env.MIDFLIGHT_INSTANCE }],
  "POST /-/drain": (body) => { seen.push("drain " + body.noticeMs); drainedAt ??= Date.now() + body.noticeMs; return [200, {}]; },
  "POST /-/undrain": () => { seen.push("undrain"); drainedAt = undefined; return [200, {}]; },
  "GET /-/drained": () => [200, { inflight: conduct.inflight ?? 0, sockets: conduct.holdsSocket && (drainedAt === undefined || Date.now() < drainedAt) ? 1 : 0 }],
  "GET /env": () => [200, process.env],
  "GET /seen": () => [200, seen],
};
createServer((request, response) => {
  let text = "";
  request.on("data", (chunk) => { text += chunk; });
  request.on("end", () => {
    const [status, value] = (answers[request.method + " " + request.url] ?? (() => [404, {}]))(text === "" ? {} : JSON.parse(text));
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  });
}).listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening on " + process.env.PORT));
`;

/** Real processes behind real balancers, in a folder of their own whose name has spaces. */
export type ProcessPlace = {
  readonly dir: string;
  readonly options: ProcessOptions;
  readonly balancers: Readonly<Record<string, RunningBalancer>>;
  digest(release: string): string;
  adminOf(region: string): string;
  /** Ends every process, and the folder. */
  close(): Promise<void>;
};

export async function processPlace(
  conducts: Readonly<Record<string, Conduct>>,
  more: Partial<ProcessComponent> = {},
): Promise<ProcessPlace> {
  const dir = await mkdtemp(join(tmpdir(), "midflight process "));
  const releases = Object.fromEntries(
    await Promise.all(
      Object.entries(conducts).map(
        async ([name, conduct]) => [name, await writeRelease(join(dir, "releases", name), conduct)] as const,
      ),
    ),
  );
  const regions = ["tokyo", "frankfurt"];
  const balancers = Object.fromEntries(
    await Promise.all(
      regions.map(
        async (region) =>
          [
            region,
            await startBalancer({ region, port: 0, adminPort: 0, statePath: join(dir, `balancer-${region}.json`) }),
          ] as const,
      ),
    ),
  );
  const adminOf = (region: string): string => `http://127.0.0.1:${balancers[region]?.adminPort}`;
  const config: ProcessComponent = {
    driver: "process",
    balancer: Object.fromEntries(regions.map((region) => [region, adminOf(region)])),
    instances: 2,
    env: {},
    ready: "/-/ready",
    drain: "/-/drain",
    undrain: "/-/undrain",
    drained: "/-/drained",
    readyDeadlineMs: 10_000,
    stopDeadlineMs: 2_000,
    isEntry: true,
    ...more,
  };
  const options: ProcessOptions = {
    component: "gateway",
    config,
    env: { GREETING: "hello" },
    releases,
    stateDir: join(dir, "state"),
    clock: systemClock,
  };
  return {
    dir,
    options,
    balancers,
    digest: (release) => releases[release]?.digest ?? "",
    adminOf,
    async close() {
      await processEstate({ ...options, config: { ...config, stopDeadlineMs: 0 } }).stop();
      await Promise.all(Object.values(balancers).map((balancer) => balancer.stop()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function writeRelease(path: string, conduct: Conduct): Promise<ProcessRelease> {
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "main.cjs"), SERVER);
  await writeFile(join(path, "conduct.json"), JSON.stringify({ name: path, ...conduct }));
  await chmod(join(path, "main.cjs"), 0o644);
  return { path, digest: await digestOfFolder(path), run: ["node", "main.cjs"] };
}
