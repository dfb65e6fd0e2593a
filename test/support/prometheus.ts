import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { eventually } from "../fakes/watched-venue.ts";

/** Where the program is; undefined where it is not installed. */
export const findPrometheus = (): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "prometheus"))
    .find((file) => existsSync(file));

/** One instance that counts its operations, as a gateway does. */
export const startExporter = async () => {
  const counters = new Map<string, number>();
  const server = createServer((_request, response) => {
    const lines = [...counters].map(([labels, value]) => `venue_operations_total{${labels}} ${value}`);
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end(`# TYPE venue_operations_total counter\n${lines.join("\n")}\n`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    count(operation: string, times: number, how: { readonly code?: string; readonly http?: number } = {}): void {
      const labels = `operation="${operation}",code="${how.code ?? "0"}",http="${how.http ?? 200}",cohort="shard-1"`;
      counters.set(labels, (counters.get(labels) ?? 0) + times);
    },
    /** Nobody answers at its address any more. */
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
export type Exporter = Awaited<ReturnType<typeof startExporter>>;

/** A real server that scrapes these addresses four times a second. `labels` stand on all that an address says. */
export const startRealPrometheus = async (
  program: string,
  folder: string,
  targets: readonly { readonly address: string; readonly labels?: Readonly<Record<string, string>> }[],
) => {
  const port = await freePort();
  const config = join(folder, "prometheus.yml");
  const data = join(folder, "data");
  mkdirSync(data, { recursive: true });
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: "250ms", scrape_timeout: "250ms" },
      scrape_configs: [
        {
          job_name: "gateway",
          static_configs: targets.map(({ address, labels = {} }) => ({ targets: [address], labels })),
        },
      ],
    }),
  );
  const start = async () => {
    const child = spawn(
      program,
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${data}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=error",
      ],
      { stdio: "ignore" },
    );
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}`);
        const ready = await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined);
        return ready?.ok === true ? true : undefined;
      },
      30_000,
      () => "Prometheus to be ready",
    );
    // What an instance counted before it was first scraped is of nobody knows when: tests begin when all are seen.
    await eventually(
      async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=sum(up)`).then(
          (response) => response.text(),
          () => "",
        );
        return answer.includes(`,"${targets.length}"]`) ? true : undefined;
      },
      30_000,
      () => "every instance to be scraped",
    );
    return child;
  };
  let child = await start();
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return {
    url: `http://127.0.0.1:${port}`,
    stop,
    async restart(): Promise<void> {
      await stop();
      child = await start();
    },
  };
};

const freePort = async (): Promise<number> => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};
