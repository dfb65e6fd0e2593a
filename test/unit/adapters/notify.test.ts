import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commandNotifier } from "../../../src/adapters/notify/command.ts";
import { webhookNotifier } from "../../../src/adapters/notify/webhook.ts";
import type { Notification } from "../../../src/ports/notifier.ts";
import { fakeClock } from "../../fakes/clock.ts";

const { signal } = new AbortController();
const NOTE: Notification = {
  id: "r1/tripped",
  kind: "tripped",
  run: "r1",
  plan: "orders",
  environment: "production",
  at: 1,
  text: "amends fail in tokyo",
};

describe("a webhook", () => {
  let server: Server;
  let statuses: number[];
  let heard: string[];
  beforeEach(async () => {
    [statuses, heard] = [[], []];
    server = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      request.on("end", () => {
        heard.push(text);
        const status = statuses.shift() ?? 200;
        if (status !== 0) response.writeHead(status).end("noted");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const host = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const webhook = (clock = fakeClock(), timeoutMs = 5_000) =>
    webhookNotifier({ url: `http://${host()}/services/T0/s3cr3t?key=s3cr3t`, on: ["tripped"], clock, timeoutMs });
  /** Lets time pass until it is settled. */
  const settle = async (sending: Promise<void>, clock: ReturnType<typeof fakeClock>): Promise<unknown> => {
    let isOver = false;
    const over = sending
      .then(
        () => undefined,
        (error: unknown) => error,
      )
      .finally(() => {
        isOver = true;
      });
    while (!isOver) {
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.sleepers() > 0) await clock.advance(1_000);
    }
    return over;
  };

  test("gets the notification as JSON", async () => {
    await webhook().notify(NOTE, signal);
    expect(heard.map((text) => JSON.parse(text))).toEqual([NOTE]);
  });

  test("is asked again, after growing pauses, while that may help", async () => {
    const clock = fakeClock();
    const from = clock.now();
    statuses = [503, 429];
    expect(await settle(webhook(clock).notify(NOTE, signal), clock)).toBeUndefined();
    expect(heard).toHaveLength(3);
    expect(clock.now() - from).toBe(5_000);
  });

  test("that refuses for good is not asked again; one that never answers is given up", async () => {
    const clock = fakeClock();
    statuses = [403];
    await expect(webhook(clock).notify(NOTE, signal)).rejects.toMatchObject({
      code: "NOTIFICATION_UNDELIVERED",
      message: `webhook ${host()}: it answered 403 (tried once)`,
    });
    statuses = [0, 0, 0];
    expect(await settle(webhook(clock, 50).notify(NOTE, signal), clock)).toMatchObject({
      code: "NOTIFICATION_UNDELIVERED",
      message: `webhook ${host()}: no answer within 0.05 s (tried 3 times)`,
    });
    expect(heard).toHaveLength(4);
  });

  test("never shows more of its address than the host", async () => {
    const clock = fakeClock();
    const gone = webhook(clock);
    expect(gone.name).toBe(`webhook ${host()}`);
    const away = host();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const error = await settle(gone.notify(NOTE, signal), clock);
    expect(error).toMatchObject({ message: `webhook ${away}: it could not be reached (ECONNREFUSED) (tried 3 times)` });
    expect(
      JSON.stringify([error, String(error), (error as Error).stack, String((error as Error).cause)]),
    ).not.toContain("s3cr3t");
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    expect(() => webhookNotifier({ url: "s3cr3t, no URL", on: [], clock })).toThrow(
      expect.objectContaining({ code: "SECRET_MALFORMED", message: expect.not.stringContaining("s3cr3t") }),
    );
  });

  test("is left alone when nobody waits any more", async () => {
    const change = new AbortController();
    const clock = fakeClock();
    statuses = [503];
    const sending = webhook(clock).notify(NOTE, change.signal);
    await expect.poll(() => clock.sleepers()).toBe(1);
    change.abort(new Error("over"));
    await expect(sending).rejects.toThrow("over");
  });
});

describe("a command", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "midflight-notify-"));
  });
  afterEach(() => rm(dir, { recursive: true }));
  const command = (text: string, timeoutMs = 5_000) =>
    commandNotifier({ argv: ["node", "-e", text, join(dir, "told")], on: ["tripped"], timeoutMs });

  test("gets the notification as JSON on its standard input", async () => {
    await command(`require("node:fs").writeFileSync(process.argv[1], require("node:fs").readFileSync(0))`).notify(
      NOTE,
      signal,
    );
    expect(JSON.parse(await readFile(join(dir, "told"), "utf8"))).toEqual(NOTE);
    expect(command("").name).toBe("command node");
  });

  test("that fails is started once more, and that fails again is told of", async () => {
    const failing = command(
      `require("node:fs").appendFileSync(process.argv[1], "x"); console.error("no pager"); process.exit(2)`,
    ).notify(NOTE, signal);
    await expect(failing).rejects.toMatchObject({
      code: "NOTIFICATION_UNDELIVERED",
      message: "command node: it exited with status 2: no pager (tried 2 times)",
    });
    expect(await readFile(join(dir, "told"), "utf8")).toBe("xx");
  });

  test("that hangs, reads nothing or is not there holds nobody up", async () => {
    await expect(command("setInterval(() => {}, 1e6)", 200).notify(NOTE, signal)).rejects.toMatchObject({
      message: expect.stringContaining("did not end within 0.2 s"),
    });
    await command("process.exit(0)").notify({ ...NOTE, text: "x".repeat(1_000_000) }, signal);
    await expect(
      commandNotifier({ argv: ["no-such-program-here"], on: [] }).notify(NOTE, signal),
    ).rejects.toMatchObject({
      code: "NOTIFICATION_UNDELIVERED",
      message: expect.stringContaining("could not be started"),
    });
  });
});
