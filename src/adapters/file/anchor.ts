import { hash } from "node:crypto";
import type { Head } from "./line.ts";

/** The journal's head, kept outside it: proof of what was acknowledged. `created`: ms since the epoch, when the run's folder was made. */
export type Anchor = { readonly head: Head; readonly created: number };

/** A slot has a block of its own, so that a torn write of one leaves the other. */
export const SLOT_BYTES = 4_096;

/** One slot as it is written: JSON with a checksum, readable by a person. */
export function slotBytes({ head, created }: Anchor): Buffer {
  const text = `{"format":1,"created":${created},"seq":${head.seq},"hash":"${head.hash}"`;
  return Buffer.from(`${text},"sum":"${sum(text)}"}`.padEnd(255).concat("\n"));
}

/** The newest whole slot, and the one to write next. A slot that was torn counts as absent. */
export function readSlots(bytes: Buffer): { readonly anchor: Anchor | undefined; readonly next: 0 | 1 } {
  const [first, second] = [readSlot(bytes.subarray(0, 256)), readSlot(bytes.subarray(SLOT_BYTES, SLOT_BYTES + 256))];
  if (first === undefined) return { anchor: second, next: 0 };
  if (second === undefined || second.head.seq < first.head.seq) return { anchor: first, next: 1 };
  return { anchor: second, next: 0 };
}

function readSlot(bytes: Buffer): Anchor | undefined {
  const read = /^(\{"format":1,"created":(\d+),"seq":(\d+),"hash":"([0-9a-f]{32})"),"sum":"([0-9a-f]{16})"\} *\n$/.exec(
    bytes.toString("latin1"),
  );
  const [, text = "", created, seq, hashed = "", stated] = read ?? [];
  return read !== null && sum(text) === stated
    ? { created: Number(created), head: { seq: Number(seq), hash: hashed } }
    : undefined;
}

const sum = (text: string): string => hash("sha256", text, "hex").slice(0, 16);
