import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Ports for instances lie below those that systems lend to outgoing connections, so that a connection of anybody can't sit on the port of an
 * instance that is to come back.
 */
const FIRST = 20_000;
const LAST = 31_999;
const TRIES = 200;

/** A free port on 127.0.0.1, added to `reserved` at once so that nobody else is given it. `wanted` is taken if it can be. */
export async function choosePort(reserved: Set<number>, wanted?: number): Promise<number> {
  if (wanted !== undefined && (await isFree(wanted))) return wanted;
  for (let turn = 0; turn < TRIES; turn += 1) {
    const port = randomInt(FIRST, LAST + 1);
    if (reserved.has(port)) continue;
    reserved.add(port);
    if (await isFree(port)) return port;
  }
  return anyPort();
}

export const isFree = (port: number): Promise<boolean> =>
  listen(port).then(
    () => true,
    () => false,
  );

/** The system's own choice: nearly every port of the range was taken. */
const anyPort = (): Promise<number> => listen(0);

const listen = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : port));
    });
  });
