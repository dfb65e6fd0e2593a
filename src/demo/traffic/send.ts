import { NOISE_CODE } from "../venue/gateway/noise.ts";
import { connect } from "node:net";
import { createRestClient } from "../okx-client/rest.ts";
import type { RestAnswer, RestMiss } from "../okx-client/rest.ts";
import { signedHeaders } from "../okx-client/sign.ts";
import type { Region } from "./config.ts";
import type { Intent, Market } from "./intent.ts";
import type { LedgerOrder } from "./ledger.ts";
import { REST_PATHS, restArgs, SOCKET_OPS, socketArgs } from "./order-body.ts";
import type { Origin, Reply } from "./outcome.ts";
import { callWithin, envelopeOf } from "./queries.ts";
import type { Clients } from "./queries.ts";
import type { Plant } from "./schedule.ts";
import type { User } from "./user.ts";

export type Sent = { readonly reply: Reply; readonly region: Region };

/** Sends order operations the way their users do. Never rejects. */
export type Sender = {
  operation(
    user: User,
    intent: Exclude<Intent, { kind: "leverage" }>,
    order: LedgerOrder,
    plant: Plant | undefined,
  ): Promise<Sent>;
  setLeverage(user: User, instId: string, lever: string): Promise<Sent>;
  close(): Promise<void>;
};

export type SenderOptions = {
  readonly clients: Clients;
  readonly origins: Readonly<Record<Region, string>>;
  readonly markets: readonly Market[];
  readonly deadlineMs: number;
};

export const createSender = ({ clients, origins, markets, deadlineMs }: SenderOptions): Sender => {
  const wrongPort = createRestClient("http://127.0.0.1:1", false);
  const post = async (
    user: User,
    region: Region,
    target: string,
    body: string,
    plant: Plant | undefined,
  ): Promise<Reply> => {
    const request = { method: "POST", target, body, who: user.who } as const;
    switch (plant) {
      case "cut":
        return cutInHalf(origins[region], target, body, user);
      case "closed-port":
        return replyOf(await callWithin(wrongPort, request, deadlineMs));
      case "impatient":
        return replyOf(await callWithin(clients[region], request, 1));
      case undefined:
        return replyOf(await callWithin(clients[region], request, deadlineMs));
    }
  };
  return {
    async operation(user, intent, order, plant) {
      if (user.session !== undefined && plant !== "closed-port") {
        const args = socketArgs(
          intent,
          order,
          markets.find((market) => market.instId === order.instId)?.instIdCode ?? 0,
        );
        return user.session.ask(SOCKET_OPS[intent.kind], args, deadlineMs, plant);
      }
      const region = user.route.region(Date.now());
      return {
        reply: await post(user, region, REST_PATHS[intent.kind], JSON.stringify(restArgs(intent, order)), plant),
        region,
      };
    },
    async setLeverage(user, instId, lever) {
      const region = user.route.region(Date.now());
      const body = JSON.stringify({ instId, lever, mgnMode: "cross" });
      return { reply: await post(user, region, "/api/v5/account/set-leverage", body, undefined), region };
    },
    close: () => wrongPort.close(),
  };
};

const replyOf = (answer: RestAnswer | RestMiss): Reply => {
  if ("miss" in answer)
    return answer.miss === "aborted"
      ? { kind: "timeout" }
      : answer.miss === "refused"
        ? { kind: "refused" }
        : { kind: "cut", byUser: false };
  const envelope = envelopeOf(answer);
  const row = envelope?.rows[0];
  const sCode = row?.["sCode"] ?? envelope?.code;
  return {
    kind: "answer",
    code: typeof sCode === "string" ? sCode : undefined,
    http: answer.http,
    ...(typeof row?.["ordId"] === "string" ? { ordId: row["ordId"] } : {}),
    isNoise: sCode === NOISE_CODE,
    origin: originOf(answer),
  };
};

const originOf = (answer: RestAnswer): Origin => ({
  release: answer.header("x-venue-release") ?? "unknown",
  instance: answer.header("x-venue-instance") ?? "unknown",
});

/** Sends the head and half of the body, then cuts the connection: the venue sees a client that went away. */
const cutInHalf = (origin: string, target: string, body: string, user: User): Promise<Reply> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(origin);
    const headers = Object.entries(signedHeaders(user.who, { method: "POST", target, body }, Date.now())).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `POST ${target} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n${headers.join("")}content-length: ${body.length}\r\n\r\n${body.slice(0, body.length / 2)}`,
      );
      setTimeout(() => socket.destroy(), 2);
    });
    socket.on("error", () => undefined); // `close` follows
    socket.on("close", () => resolve({ kind: "cut", byUser: true }));
  });
