import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { answer } from "./answer.ts";
import { dueTimers } from "./cancel.ts";
import type { Command } from "./entry.ts";
import type { Instrument } from "./instrument.ts";
import { createLead } from "./lead.ts";
import type { Lead } from "./lead.ts";
import { readLines, writeLine } from "./lines.ts";
import { openLog } from "./log.ts";
import { NOT_ACTIVE, OUTCOME_UNKNOWN } from "./protocol.ts";
import type { ActiveNotice, EngineEvent, EngineReply, EngineStatus } from "./protocol.ts";
import { createReplica } from "./replica.ts";
import { isPeerMessage, patienceOf, STALL_MS, TICK_MS } from "./replicate.ts";
import type { PeerMessage } from "./replicate.ts";
import { readRequest } from "./request.ts";
import type { Asked } from "./request.ts";
import { createTrail } from "./trail.ts";
import type { Trail } from "./trail.ts";
import { openWitness } from "./witness.ts";

export type EngineConfig = {
  readonly name: string;
  /** 0: any free one. */
  readonly port: number;
  readonly peerPort: number;
  /** The engine's own log. */
  readonly dir: string;
  /** Shared by both engines. */
  readonly witnessDir: string;
  /** `active` counts at the very first start only: later the epochs decide. */
  readonly startAs: "active" | "standby";
  readonly instruments: readonly Instrument[];
  /** The other engine counts as gone after so long a silence, in ms. */
  readonly silenceMs: number;
};

export type Engine = { readonly port: number; status(): EngineStatus; close(): Promise<void> };

type Role =
  | { readonly kind: "active"; readonly lead: Lead }
  /** `wasActive`: fenced until it is in sync with the engine that took over. */
  | { readonly kind: "standby"; readonly trail: Trail; readonly wasActive: boolean }
  | { readonly kind: "closed" };

/** An answer that waits until everything it rests on is on both engines. */
type Waiting = {
  readonly seq: number;
  readonly fencedCode: string;
  readonly rid: number;
  readonly socket: Socket;
  readonly reply: EngineReply;
  readonly events: readonly EngineEvent[];
};

/** `onFailed` is called once if the engine cannot go on; it has closed everything by then. Rejects: `ENGINE_LOG_FAILED`, `PORT_TAKEN`. */
export const startEngine = async (config: EngineConfig, onFailed: (error: unknown) => void): Promise<Engine> => {
  const patience = patienceOf(config.silenceMs);
  const witness = openWitness(config.witnessDir, config.name);
  const replica = createReplica(openLog(config.dir), config.instruments);
  const sockets = new Set<Socket>();
  const followers = new Set<Socket>();
  const server = createServer();
  let waiting: Waiting[] = [];
  let role: Role = { kind: "closed" };
  let tickedAt = performance.now();

  const status = (): EngineStatus => ({
    name: config.name,
    role: role.kind === "active" ? "active" : role.kind === "standby" && role.wasActive ? "fenced" : "standby",
    epoch: role.kind === "active" ? role.lead.epoch : role.kind === "standby" ? role.trail.epoch : 0,
    lastSeq: replica.log.lastSeq,
    peerConnected: role.kind === "active" ? role.lead.hasStandby : role.kind === "standby" && role.trail.isInSync,
  });

  const lead = (epoch: number): void => {
    const created = createLead(replica, witness, patience, epoch, { onSafe: release, onFenced: fenced });
    role = { kind: "active", lead: created };
    const notice: ActiveNotice = { event: "active", epoch };
    for (const socket of sockets) writeLine(socket, notice);
  };
  const trail = (wasActive: boolean): void => {
    const self = { name: config.name, peerPort: config.peerPort };
    const hooks = {
      onPromoted: (epoch: number) => guarded(() => lead(epoch)),
      onInSync: () => void (role.kind === "standby" && (role = { ...role, wasActive: false })),
      onFailed: failed,
    };
    role = { kind: "standby", trail: createTrail(replica, witness, patience, self, hooks), wasActive };
  };
  // What waits was never confirmed by the standby. A question is safe to ask again; an order may be on the other engine.
  const fenced = (): void => {
    const unanswered = waiting;
    waiting = [];
    trail(true);
    for (const { socket, rid, fencedCode } of unanswered) refuse(socket, rid, fencedCode);
  };
  const release = (): void => {
    if (role.kind !== "active" || !role.lead.mayAnswer()) return;
    const { safeSeq } = role.lead;
    let count = 0;
    for (const { seq, socket, reply, events } of waiting) {
      if (seq > safeSeq) break;
      count += 1;
      for (const event of events) for (const follower of followers) writeLine(follower, { ...event, seq });
      writeLine(socket, reply);
    }
    waiting = waiting.slice(count);
  };
  const wait = (
    socket: Socket,
    rid: number,
    fencedCode: string,
    reply: Omit<EngineReply, "rid">,
    events: readonly EngineEvent[],
  ): void => {
    waiting.push({ seq: replica.log.lastSeq, rid, socket, fencedCode, reply: { rid, ...reply }, events });
    release();
  };
  const perform = (socket: Socket, rid: number, command: Command, active: Lead): void => {
    const { entry, outcome } = replica.commit(command, active.epoch, Date.now());
    active.send(entry);
    const { events, ...reply } = outcome;
    wait(socket, rid, OUTCOME_UNKNOWN, reply, events);
  };
  const follow = (socket: Socket, rid: number, after: number | undefined, active: Lead): void => {
    writeLine(socket, { rid, code: "0", msg: "" });
    for (const { seq, event } of after === undefined ? [] : replica.happenedAfter(after))
      if (seq <= active.safeSeq) writeLine(socket, { ...event, seq });
    followers.add(socket);
  };
  const hear = (socket: Socket, asked: Asked): void => {
    const { rid } = asked;
    const active = role.kind === "active" && role.lead.mayAnswer() ? role.lead : undefined;
    if (asked.kind === "hello")
      return writeLine(socket, { rid, code: active === undefined ? NOT_ACTIVE : "0", msg: "", status: status() });
    if (asked.kind === "status")
      return writeLine(socket, { rid, code: status().role === "fenced" ? NOT_ACTIVE : "0", msg: "", status: status() });
    if (active === undefined) return refuse(socket, rid, NOT_ACTIVE);
    switch (asked.kind) {
      case "malformed":
        return writeLine(socket, { rid, code: "51000", msg: asked.why });
      case "follow":
        return follow(socket, rid, asked.after, active);
      case "question":
        return wait(socket, rid, NOT_ACTIVE, answer(replica.state, asked.question, Date.now()), []);
      case "command":
        return perform(socket, rid, asked.command, active);
    }
  };
  const hearPeer = (socket: Socket, message: PeerMessage): void => {
    const active = role.kind === "active" && role.lead.mayAnswer() ? role.lead : undefined;
    if (active === undefined) return writeLine(socket, { peer: "refuse" });
    if (message.peer === "join") active.admit(socket, message);
    if (message.peer === "ack") active.acknowledged(socket, message);
  };
  const welcome = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => {
      sockets.delete(socket);
      followers.delete(socket);
    });
    readLines(socket, (message) =>
      guarded(() =>
        isPeerMessage(message as object)
          ? hearPeer(socket, message as PeerMessage)
          : hear(socket, readRequest(message as object)),
      ),
    );
  };
  const tick = (): void => {
    const now = performance.now();
    const wasStalled = now - tickedAt > STALL_MS;
    tickedAt = now;
    if (role.kind === "standby") return role.trail.tick(now, wasStalled);
    if (role.kind !== "active") return;
    const active = role.lead;
    active.tick(now, wasStalled);
    const due = dueTimers(replica.state, Date.now());
    if (due.length === 0 || !active.mayAnswer()) return;
    for (const { uid, tag } of due) fire(active, { op: "timer-due", uid, tag });
  };
  const fire = (active: Lead, command: Command): void => {
    const { entry, outcome } = replica.commit(command, active.epoch, Date.now());
    active.send(entry);
    for (const event of outcome.events)
      for (const follower of followers) writeLine(follower, { ...event, seq: entry.seq });
  };
  const guarded = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      failed(error);
    }
  };
  const failed = (error: unknown): void => {
    if (role.kind === "closed") return;
    void close();
    onFailed(error);
  };
  const ticking = setInterval(() => guarded(tick), TICK_MS);
  const close = async (): Promise<void> => {
    clearInterval(ticking);
    const last = role;
    role = { kind: "closed" };
    if (last.kind === "active") last.lead.close();
    if (last.kind === "standby") last.trail.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };

  server.on("connection", welcome);
  const port = await listen(server, config.port).catch((error: unknown) => {
    clearInterval(ticking);
    throw error;
  });
  if (config.startAs === "active" && witness.latest().epoch === 0 && witness.claim(1)) lead(1);
  else trail(false);
  return { port, status, close };
};

const refuse = (socket: Socket, rid: number, code: string): void =>
  writeLine(socket, {
    rid,
    code,
    msg: code === NOT_ACTIVE ? "Service temporarily unavailable" : "Order timed out. The outcome is unknown",
  });

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const hint = "stop whatever listens there, or choose another port";
      reject(
        new UpgradeError("PORT_TAKEN", `cannot listen on port ${port}: ${cause.code ?? cause.message}`, {
          hint,
          cause,
        }),
      );
    });
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
