import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Entry } from "./entry.ts";
import { writeLine } from "./lines.ts";
import { lastCommonSeq } from "./log.ts";
import type { Replica } from "./replica.ts";
import type { Patience, PeerMessage } from "./replicate.ts";
import type { Witness } from "./witness.ts";

/** The active engine's side of the replication. */
export type Lead = {
  readonly epoch: number;
  readonly hasStandby: boolean;
  /** Everything up to this entry is on every engine that could go on, and may be spoken of. */
  readonly safeSeq: number;
  /** Hands an entry that was just committed to the standby. */
  send(entry: Entry): void;
  /** Whether this engine still is the active one. Ask before every answer. */
  mayAnswer(): boolean;
  admit(socket: Socket, join: Extract<PeerMessage, { readonly peer: "join" }>): void;
  acknowledged(socket: Socket, ack: Extract<PeerMessage, { readonly peer: "ack" }>): void;
  tick(now: number, wasStalled: boolean): void;
  close(): void;
};

/** `onSafe`: more may be answered. `onFenced`: the other engine goes on, and this one must not. */
export type LeadHooks = { readonly onSafe: () => void; readonly onFenced: () => void };

type Standby = {
  readonly socket: Socket;
  inSync: boolean;
  sentSeq: number;
  ackedSeq: number;
  heardAt: number;
  leaseUntil: number;
  spokeAt: number;
};

const BATCH = 500;

/** The caller has won `epoch`. */
export const createLead = (
  replica: Replica,
  witness: Witness,
  patience: Patience,
  wonEpoch: number,
  hooks: LeadHooks,
): Lead => {
  let epoch = wonEpoch;
  let standby: Standby | undefined;
  let isOver = false;

  const beginEpoch = (): void => void replica.commit({ op: "epoch", name: `epoch ${epoch}` }, epoch, Date.now());
  const say = (to: Standby, message: PeerMessage): void => {
    to.spokeAt = performance.now();
    writeLine(to.socket, message);
  };
  const fence = (): void => {
    if (isOver) return;
    close();
    hooks.onFenced();
  };
  const close = (): void => {
    isOver = true;
    const last = standby;
    standby = undefined;
    last?.socket.destroy();
  };
  // The epoch is won before the standby is let go: it may try to go on as soon as it sees the connection close.
  const goOnAlone = (): void => {
    const lost = standby;
    if (lost === undefined || isOver) return;
    if (!lost.inSync) {
      standby = undefined;
    } else if (witness.claim(epoch + 1)) {
      epoch += 1;
      standby = undefined;
      beginEpoch();
      hooks.onSafe();
    } else {
      return fence();
    }
    lost.socket.destroy();
  };
  const catchUp = async (to: Standby): Promise<void> => {
    while (standby === to && !isOver) {
      const entries = replica.log.after(to.sentSeq, BATCH);
      const t = performance.now();
      if (entries.length === 0) {
        // No entry can slip in between: what is committed from here on is sent by `send`.
        Object.assign(to, { inSync: true, ackedSeq: to.sentSeq, heardAt: t, leaseUntil: t + patience.leaseMs });
        return say(to, { peer: "sync", epoch, t });
      }
      to.sentSeq += entries.length;
      say(to, { peer: "append", epoch, entries, t });
      if (to.socket.writableNeedDrain)
        await new Promise((resolve) => to.socket.once("drain", resolve).once("close", resolve));
      else await nextTurn();
    }
  };

  beginEpoch();
  return {
    get epoch() {
      return epoch;
    },
    get hasStandby() {
      return standby?.inSync === true;
    },
    get safeSeq() {
      return standby?.inSync === true ? standby.ackedSeq : replica.log.lastSeq;
    },
    send(entry) {
      if (standby?.inSync !== true) return;
      standby.sentSeq = entry.seq;
      say(standby, { peer: "append", epoch, entries: [entry], t: performance.now() });
    },
    mayAnswer() {
      if (isOver) return false;
      if (standby?.inSync !== true || performance.now() < standby.leaseUntil || !witness.isTaken(epoch + 1))
        return true;
      fence();
      return false;
    },
    admit(socket, join) {
      goOnAlone();
      if (isOver) return;
      const seq = lastCommonSeq(replica.log, join);
      const next: Standby = {
        socket,
        inSync: false,
        sentSeq: seq,
        ackedSeq: seq,
        heardAt: performance.now(),
        leaseUntil: 0,
        spokeAt: 0,
      };
      standby = next;
      socket.once("close", () => standby === next && goOnAlone());
      say(next, { peer: "from", epoch, seq });
      void catchUp(next);
    },
    acknowledged(socket, { seq, t }) {
      if (standby?.socket !== socket) return;
      standby.ackedSeq = Math.max(standby.ackedSeq, seq);
      standby.heardAt = performance.now();
      standby.leaseUntil = Math.max(standby.leaseUntil, t + patience.leaseMs);
      if (standby.inSync) hooks.onSafe();
    },
    tick(now, wasStalled) {
      if (standby === undefined) return;
      if (wasStalled) standby.heardAt = now;
      if (standby.inSync && now >= standby.leaseUntil && witness.isTaken(epoch + 1)) return fence();
      if (standby.inSync && now - standby.heardAt > patience.silenceMs) return goOnAlone();
      if (now - standby.spokeAt >= patience.beatMs) say(standby, { peer: "beat", epoch, t: now });
    },
    close,
  };
};
