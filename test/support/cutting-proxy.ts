import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** A way to a PostgreSQL that breaks at the worst moment. */
export type CuttingProxy = {
  /** `url`, but through this proxy. */
  through(url: string): string;
  /** The next COMMIT breaks the line: `before` it reaches the server, or `after`, so that only its answer is lost. */
  cutAtCommit(when: "before" | "after"): void;
  close(): Promise<void>;
};

/** The simple query `commit`, as it travels. */
const COMMIT = Buffer.from([0x51, 0, 0, 0, 11, ...Buffer.from("commit\0")]);

export const cuttingProxy = async (target: string): Promise<CuttingProxy> => {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let cut: "before" | "after" | undefined;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    upstream.on("data", (data) => client.write(data));
    upstream.on("close", () => client.destroy());
    client.on("close", () => upstream.end());
    client.on("data", (data) => {
      const when = data.includes(COMMIT) ? cut : undefined;
      if (when !== undefined) cut = undefined;
      if (when !== "before") upstream.write(data);
      // The answer comes to nobody; the server is given the time to make its commit.
      if (when !== undefined) client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    through(url) {
      const way = new URL(url);
      way.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      return way.href;
    },
    cutAtCommit: (when) => void (cut = when),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
