import { connect } from "node:net";
import type { Socket } from "node:net";
import { readLines, writeLine } from "./lines.ts";
import type { Replica } from "./replica.ts";
import { isPeerMessage } from "./replicate.ts";
import type { Patience, PeerMessage } from "./replicate.ts";
import type { Witness } from "./witness.ts";

/** The standby's side of the replication. */
export type Trail = {
  /** The epoch of the active engine as far as this one knows. */
  readonly epoch: number;
  readonly isConnected: boolean;
  readonly isInSync: boolean;
  tick(now: number, wasStalled: boolean): void;
  close(): void;
};

/** `onPromoted`: this engine won the epoch and goes on. `onFailed`: its own log cannot be written. */
export type TrailHooks = {
  readonly onPromoted: (epoch: number) => void;
  readonly onInSync: () => void;
  readonly onFailed: (error: unknown) => void;
};

/** The pause between two attempts to reach the other engine, in ms. */
const DIAL_EVERY_MS = 50;
/** How long the owner of the latest epoch looks for the other engine before it goes on by itself, in ms. */
const RETURN_AFTER_MS = 600;

export type Self = { readonly name: string; readonly peerPort: number };

/** Follows the active engine, catches up, and takes over when it falls silent. */
export const createTrail = (
  replica: Replica,
  witness: Witness,
  patience: Patience,
  self: Self,
  hooks: TrailHooks,
): Trail => {
  let socket: Socket | undefined;
  let epoch = replica.log.lastEpoch;
  let isJoined = false;
  let isInSync = false;
  let isOver = false;
  let heardAt = performance.now();
  let dialledAt = Number.NEGATIVE_INFINITY;
  let aloneSince = performance.now();

  const dial = (): void => {
    dialledAt = performance.now();
    const dialled = connect({ port: self.peerPort, host: "127.0.0.1" });
    socket = dialled;
    dialled.on("error", () => {});
    dialled.once("connect", () =>
      writeLine(dialled, {
        peer: "join",
        name: self.name,
        lastSeq: replica.log.lastSeq,
        segments: replica.log.segments,
      }),
    );
    dialled.once("close", () => socket === dialled && lost());
    readLines(dialled, (message) => {
      if (socket === dialled && isPeerMessage(message as object)) hear(message as PeerMessage, dialled);
    });
  };
  const hear = (message: PeerMessage, from: Socket): void => {
    heardAt = performance.now();
    try {
      take(message, from);
    } catch (error) {
      close();
      hooks.onFailed(error);
    }
  };
  const take = (message: PeerMessage, from: Socket): void => {
    // An active engine of an older epoch is none: nothing of it may enter the log.
    if ("epoch" in message && message.epoch < Math.max(epoch, replica.log.lastEpoch)) return void from.destroy();
    switch (message.peer) {
      case "from":
        epoch = message.epoch;
        isJoined = true;
        return replica.rewind(message.seq);
      case "append":
        epoch = message.epoch;
        for (const entry of message.entries) replica.adopt(entry);
        return writeLine(from, { peer: "ack", seq: replica.log.lastSeq, t: message.t });
      case "sync":
        epoch = message.epoch;
        isInSync = true;
        writeLine(from, { peer: "ack", seq: replica.log.lastSeq, t: message.t });
        return hooks.onInSync();
      case "beat":
        return writeLine(from, { peer: "ack", seq: replica.log.lastSeq, t: message.t });
      case "refuse":
        return void from.destroy();
      case "join":
      case "ack":
        return;
    }
  };
  const lost = (): void => {
    const [last, mayGoOn] = [socket, isInSync];
    if (isJoined) aloneSince = performance.now();
    socket = undefined;
    isJoined = false;
    isInSync = false;
    last?.destroy();
    if (!isOver && mayGoOn) goOn(epoch + 1);
  };
  const goOn = (next: number): void => {
    if (!witness.claim(next)) return;
    close();
    hooks.onPromoted(next);
  };
  // Whoever owned the latest epoch has everything that was ever acknowledged, even after a restart of both.
  const returnAlone = (): void => {
    const latest = witness.latest();
    if (latest.owner === self.name && replica.log.lastEpoch >= latest.epoch - 1) goOn(latest.epoch + 1);
  };
  const close = (): void => {
    isOver = true;
    const last = socket;
    socket = undefined;
    last?.destroy();
  };

  return {
    get epoch() {
      return epoch;
    },
    get isConnected() {
      return isJoined;
    },
    get isInSync() {
      return isInSync;
    },
    tick(now, wasStalled) {
      if (isOver) return;
      if (wasStalled) heardAt = now;
      if (isJoined && now - heardAt > patience.silenceMs) return lost();
      if (socket === undefined && now - dialledAt >= DIAL_EVERY_MS) dial();
      if (!isJoined && now - aloneSince > RETURN_AFTER_MS) returnAlone();
    },
    close,
  };
};
