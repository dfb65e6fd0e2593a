import { hash } from "node:crypto";
import { Bug } from "../../errors/bug.ts";
import type { JournalBody, JournalRecord } from "../../ports/journal.ts";

/** The format of the file, stated on its first line. A change of it is a new number. */
export const FORMAT = 1;

/** Where a journal stands: how many records, and the hash of the last one. */
export type Head = { readonly seq: number; readonly hash: string };

/** The head of a journal without records. */
export const EMPTY: Head = { seq: 0, hash: "0".repeat(32) };

export type Line = { readonly bytes: Buffer; readonly record: JournalRecord; readonly head: Head };

/**
 * The next line after `head`: `seq` first, the format on line 1, the caller's facts, then `hash` over the hash before and this line's bytes
 * before `,"hash"`. The record is what a later reader will get, not what was passed in: `undefined` and NaN do not survive JSON.
 */
export function lineAfter(head: Head, body: JournalBody): Line {
  const taken = WRITTEN_BY_US.find((key) => key in body);
  if (taken !== undefined) throw new Bug(`the journal writes "${taken}" itself`);
  const seq = head.seq + 1;
  const facts = JSON.stringify(body).slice(1);
  const own = seq === 1 ? `{"seq":1,"format":${FORMAT}` : `{"seq":${seq}`;
  const text = facts === "}" ? own : `${own},${facts.slice(0, -1)}`;
  const chained = chain(head, text);
  return {
    bytes: Buffer.from(`${text},"hash":"${chained}"}\n`),
    record: recordOf(`${text}}`),
    head: { seq, hash: chained },
  };
}

const WRITTEN_BY_US = ["seq", "format", "hash"];

/** What is wrong with a line, or what it says. */
export type Reading =
  | { readonly kind: "good"; readonly record: JournalRecord; readonly head: Head }
  | { readonly kind: "bad"; readonly why: string };

/** Reads the line (without its line feed) that should follow `head`. */
export function readLine(head: Head, bytes: Buffer): Reading {
  const seq = head.seq + 1;
  const text = bytes.subarray(0, Math.max(0, bytes.length - TAIL)).toString("latin1");
  const stated = /^,"hash":"([0-9a-f]{32})"\}$/.exec(bytes.subarray(text.length).toString("latin1"))?.[1];
  if (stated === undefined) return { kind: "bad", why: "it does not end in its hash" };
  if (stated !== chain(head, bytes.subarray(0, text.length)))
    return {
      kind: "bad",
      why: seq === 1 ? "its hash is not the hash of its text" : `its hash does not follow from line ${head.seq}`,
    };
  if (!text.startsWith(seq === 1 ? `{"seq":1,"format":${FORMAT}` : `{"seq":${seq}`))
    return { kind: "bad", why: `it does not begin with seq ${seq}` };
  try {
    const record = recordOf(`${bytes.subarray(0, text.length).toString("utf8")}}`);
    return record.seq === seq
      ? { kind: "good", record, head: { seq, hash: stated } }
      : { kind: "bad", why: `its seq is ${String(record.seq)}, not ${seq}` };
  } catch {
    return { kind: "bad", why: "it is not JSON" };
  }
}

/** `,"hash":"…"}` */
const TAIL = 43;

/** What the first line states as its format, if it states any: readable even where everything after it changed. */
export function statedFormat(firstLine: Buffer): number | undefined {
  const stated = /^\{"seq":1,"format":(\d+)[,}]/.exec(firstLine.subarray(0, 64).toString("latin1"))?.[1];
  return stated === undefined ? undefined : Number(stated);
}

const chain = (before: Head, text: string | Buffer): string => {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return hash("sha256", Buffer.concat([Buffer.from(before.hash), bytes]), "hex").slice(0, 32);
};

/** The format belongs to the file, not to the facts. */
function recordOf(json: string): JournalRecord {
  const { format: _format, ...record } = JSON.parse(json) as JournalRecord;
  return record;
}
