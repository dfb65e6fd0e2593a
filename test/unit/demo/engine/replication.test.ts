import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLead } from "../../../../src/demo/venue/engine/lead.ts";
import type { Lead } from "../../../../src/demo/venue/engine/lead.ts";
import { readLines, writeLine } from "../../../../src/demo/venue/engine/lines.ts";
import { openLog } from "../../../../src/demo/venue/engine/log.ts";
import { createReplica } from "../../../../src/demo/venue/engine/replica.ts";
import type { Replica } from "../../../../src/demo/venue/engine/replica.ts";
import { patienceOf } from "../../../../src/demo/venue/engine/replicate.ts";
import type { PeerMessage } from "../../../../src/demo/venue/engine/replicate.ts";
import { createTrail } from "../../../../src/demo/venue/engine/trail.ts";
import type { Trail } from "../../../../src/demo/venue/engine/trail.ts";
import { openWitness } from "../../../../src/demo/venue/engine/witness.ts";
import type { Witness } from "../../../../src/demo/venue/engine/witness.ts";
import { INSTRUMENTS } from "./desk.ts";

// One side of the replication is the real one; the other is played by hand, over a real connection.
const patience = patienceOf(100);
let dir = "";
let server: Server;
let mine: Witness;
let theirs: Witness;
const open: { close(): void }[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "replication-"));
  [mine, theirs] = [openWitness(join(dir, "witness"), "a"), openWitness(join(dir, "witness"), "b")];
  server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

const replicaIn = (name: string): Replica => createReplica(openLog(join(dir, name)), INSTRUMENTS);
const port = (): number => (server.address() as AddressInfo).port;

const until = async (what: string, look: () => boolean): Promise<void> => {
  for (const end = performance.now() + 2_000; performance.now() < end;) {
    if (look()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`not in time: ${what}`);
};

type Hand = { readonly socket: Socket; readonly heard: PeerMessage[]; say(message: PeerMessage): void };

const hand = (socket: Socket): Hand => {
  const heard: PeerMessage[] = [];
  readLines(socket, (message) => heard.push(message as PeerMessage));
  socket.on("error", () => {});
  open.push({ close: () => socket.destroy() });
  return { socket, heard, say: (message) => writeLine(socket, message) };
};

const leading = async (): Promise<{
  readonly lead: Lead;
  readonly replica: Replica;
  readonly standby: Hand;
  readonly events: string[];
}> => {
  const replica = replicaIn("a");
  const events: string[] = [];
  mine.claim(1);
  const lead = createLead(replica, mine, patience, 1, {
    onSafe: () => events.push("safe"),
    onFenced: () => events.push("fenced"),
  });
  open.push(lead);
  server.on("connection", (socket: Socket) => {
    socket.on("error", () => {});
    readLines(socket, (message) => {
      const said = message as PeerMessage;
      if (said.peer === "join") lead.admit(socket, said);
      if (said.peer === "ack") lead.acknowledged(socket, said);
    });
  });
  const standby = hand(connect({ port: port(), host: "127.0.0.1" }));
  standby.say({ peer: "join", name: "b", lastSeq: 0, segments: [] });
  await until("the standby is in sync", () => lead.hasStandby);
  return { lead, replica, standby, events };
};

const commit = ({ lead, replica }: { readonly lead: Lead; readonly replica: Replica }): number => {
  const { entry } = replica.commit({ op: "cancel-all-after", uid: "1", tag: "", timeOutSec: 0 }, lead.epoch, 1);
  lead.send(entry);
  return entry.seq;
};

test("nothing may be spoken of before the standby has acknowledged it", async () => {
  const side = await leading();
  const seq = commit(side);
  await until("the standby has it", () =>
    side.standby.heard.some((said) => said.peer === "append" && said.entries.some((entry) => entry.seq === seq)),
  );
  expect(side.lead.safeSeq).toBeLessThan(seq);
  side.standby.say({ peer: "ack", seq, t: performance.now() });
  await until("it is safe", () => side.lead.safeSeq === seq);
  expect(side.events).toEqual(["safe"]);
});

test("an active engine whose lease is over asks the witness, and falls silent for good if the other one goes on", async () => {
  const { lead, standby, events } = await leading();
  standby.say({ peer: "ack", seq: 1, t: performance.now() });
  await until("the acknowledgement is there", () => events.length === 1);
  expect(lead.mayAnswer()).toBe(true);
  theirs.claim(2);
  await until("the lease is over", () => !lead.mayAnswer());
  expect(events.at(-1)).toBe("fenced");
  expect([lead.mayAnswer(), lead.epoch]).toEqual([false, 1]);
});

test("an active engine that loses its standby goes on only if it wins the next epoch", async () => {
  const winner = await leading();
  const seq = commit(winner);
  winner.standby.socket.destroy();
  await until("it goes on", () => winner.events.length > 0);
  expect(winner.events).toEqual(["safe"]);
  expect(winner.lead).toMatchObject({ epoch: 2, hasStandby: false, safeSeq: seq + 1 });
  expect(theirs.claim(2)).toBe(false);
});

test("an active engine that loses its standby to a takeover acknowledges nothing more", async () => {
  const loser = await leading();
  commit(loser);
  theirs.claim(2);
  loser.standby.socket.destroy();
  await until("it notices", () => loser.events.length > 0);
  expect(loser.events).toEqual(["fenced"]);
  expect(loser.lead.mayAnswer()).toBe(false);
});

test("a standby that falls silent is given up, but not for a halt of the active engine itself", async () => {
  const { lead, events } = await leading();
  const later = performance.now() + patience.silenceMs * 3;
  lead.tick(later, true);
  expect(events).toEqual([]);
  lead.tick(later + patience.silenceMs * 3, false);
  expect(events).toEqual(["safe"]);
  expect(lead.epoch).toBe(2);
});

const trailing = async (): Promise<{
  readonly trail: Trail;
  readonly replica: Replica;
  readonly active: Hand;
  readonly promotions: number[];
}> => {
  const replica = replicaIn("b");
  const promotions: number[] = [];
  theirs.claim(1);
  const connected = once(server, "connection") as Promise<[Socket]>;
  const hooks = { onPromoted: (epoch: number) => void promotions.push(epoch), onInSync: () => {}, onFailed: () => {} };
  const trail = createTrail(replica, mine, patience, { name: "a", peerPort: port() }, hooks);
  open.push(trail);
  trail.tick(performance.now(), false);
  const [socket] = await connected;
  const active = hand(socket);
  await until("it joins", () => active.heard.some(({ peer }) => peer === "join"));
  active.say({ peer: "from", epoch: 1, seq: 0 });
  active.say({
    peer: "append",
    epoch: 1,
    entries: [{ seq: 1, epoch: 1, at: 1, command: { op: "epoch", name: "b" } }],
    t: 0,
  });
  await until("it has the entry", () => replica.log.lastSeq === 1);
  return { trail, replica, active, promotions };
};

test("a standby in sync goes on at once when the active engine's connection closes", async () => {
  const { active, promotions } = await trailing();
  active.say({ peer: "sync", epoch: 1, t: 0 });
  await until("it is in sync", () => active.heard.some((said) => said.peer === "ack" && said.seq === 1));
  active.socket.end();
  await until("it goes on", () => promotions.length > 0);
  expect(promotions).toEqual([2]);
  expect(theirs.claim(2)).toBe(false);
});

test("a standby that is still catching up never goes on", async () => {
  const { trail, active, promotions } = await trailing();
  active.socket.end();
  await until("it notices", () => !trail.isConnected);
  trail.tick(performance.now() + 60_000, false);
  expect(promotions).toEqual([]);
  expect(mine.isTaken(2)).toBe(false);
});

test("a standby in sync leaves the epoch to the active engine that won it first", async () => {
  const { trail, active, promotions } = await trailing();
  active.say({ peer: "sync", epoch: 1, t: 0 });
  await until("it is in sync", () => trail.isInSync);
  theirs.claim(2);
  active.socket.end();
  await until("it notices", () => !trail.isInSync);
  expect(promotions).toEqual([]);
});

test("a standby in sync bears silence for a while, and not for its own halt; then it goes on", async () => {
  const { trail, active, promotions } = await trailing();
  active.say({ peer: "sync", epoch: 1, t: 0 });
  await until("it is in sync", () => trail.isInSync);
  const now = performance.now();
  trail.tick(now + patience.silenceMs / 2, false);
  trail.tick(now + patience.silenceMs * 3, true);
  expect(promotions).toEqual([]);
  trail.tick(now + patience.silenceMs * 5, false);
  expect(promotions).toEqual([2]);
});

test("entries of an older epoch are refused", async () => {
  const { replica, active } = await trailing();
  active.say({
    peer: "append",
    epoch: 0,
    entries: [{ seq: 2, epoch: 0, at: 1, command: { op: "epoch", name: "old" } }],
    t: 0,
  });
  await until("the connection is closed", () => active.socket.readableEnded || active.socket.destroyed);
  expect(replica.log.lastSeq).toBe(1);
});

test("what a former active engine wrote alone is taken back before it follows the new one", async () => {
  const { replica, active } = await trailing();
  const entry = (seq: number, epoch: number, name: string) => ({
    seq,
    epoch,
    at: 1,
    command: { op: "epoch" as const, name },
  });
  active.say({ peer: "append", epoch: 1, entries: [entry(2, 1, "never acknowledged")], t: 0 });
  await until("it has the entry", () => replica.log.lastSeq === 2);
  active.say({ peer: "from", epoch: 2, seq: 1 });
  active.say({ peer: "append", epoch: 2, entries: [entry(2, 2, "a")], t: 0 });
  await until("it has the new one", () => replica.log.lastEpoch === 2);
  expect(replica.log.after(0, 10)).toEqual([entry(1, 1, "b"), entry(2, 2, "a")]);
});
