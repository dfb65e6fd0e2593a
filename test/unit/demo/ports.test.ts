import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { choosePorts, type HeldPorts, type VenuePorts } from "../../../src/demo/venue/ports.ts";

const held: HeldPorts[] = [];
const servers: Server[] = [];
afterEach(async () => {
  for (const { release } of held.splice(0)) await release();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

const choose = async (base?: number): Promise<VenuePorts> => {
  const chosen = await choosePorts(base);
  held.push(chosen);
  return chosen.ports;
};
const listenOn = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    servers.push(server);
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
const all = ({ postgres, engines, balancers }: VenuePorts): readonly number[] => [
  postgres,
  ...engines,
  ...Object.values(balancers).flatMap(({ public: users, admin }) => [users, admin]),
];

describe("the ports of a venue", () => {
  test("are given to one venue alone, before any part of it listens", async () => {
    const venues = await Promise.all(Array.from({ length: 150 }, () => choose()));
    const ports = venues.flatMap(all);
    expect(new Set(ports).size).toBe(150 * 7);
    for (const port of all(venues[0] as VenuePorts)) await listenOn(port);
  });

  test("are free again for others once they are released", async () => {
    const first = await choosePorts(undefined);
    await first.release();
    const listening = all(first.ports).map(listenOn);
    await expect(Promise.all(listening)).resolves.toHaveLength(7);
  });

  test("lie where they were wished, and are refused by name where somebody listens", async () => {
    const { postgres } = await choose();
    await listenOn(postgres + 2);
    const wished = choosePorts(postgres);
    await expect(wished).rejects.toMatchObject({
      code: "PORT_TAKEN",
      message: expect.stringContaining(`${postgres + 2}`),
    });
  });
});
