import type { Server } from "node:http";

/** Listens, on 127.0.0.1 unless told otherwise, and yields the port; 0 asks for any free one. Rejects when the port is taken. */
export const listen = (server: Server, port: number, host = "127.0.0.1"): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
