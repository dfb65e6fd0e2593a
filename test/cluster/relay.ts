import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A way to a port of this machine that can be cut. */
export type Relay = { readonly port: number; close(): Promise<void> };

/** `host`: where it listens. Pods reach an address of the bridge, and never 127.0.0.1. `at`: the port that it had before it was cut. */
export async function relayTo(port: number, host = "127.0.0.1", at = 0): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port, host: "127.0.0.1", noDelay: true });
    join(client, upstream, sockets);
    join(upstream, client, sockets);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(at, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Who has gone on one side has gone on the other one too. */
function join(from: Socket, to: Socket, sockets: Set<Socket>): void {
  sockets.add(from);
  from.on("error", () => undefined);
  from.once("close", () => {
    sockets.delete(from);
    to.destroySoon();
  });
  from.pipe(to);
}
