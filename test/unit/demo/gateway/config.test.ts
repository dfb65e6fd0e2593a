import { expect, test } from "vitest";
import { readConfig } from "../../../../src/demo/venue/gateway/config.ts";

const NEEDED = { METADATA_URL: "postgres://store/venue", ENGINES: "127.0.0.1:1,127.0.0.1:2", VENUE_KEY_SEED: "seed" };

test("a gateway that is told nothing listens on its own machine only, and gives a second of notice", () => {
  const config = readConfig(NEEDED, "2.0");
  expect(config.host).toBeUndefined();
  expect(config.noticeMs).toBe(1_000);
});

test("a gateway in a pod listens where it is told, and gives the notice that its grace has room for", () => {
  const config = readConfig({ ...NEEDED, LISTEN_HOST: "0.0.0.0", SIGTERM_NOTICE_MS: "5000" }, "2.0");
  expect(config).toMatchObject({ host: "0.0.0.0", noticeMs: 5_000 });
});
