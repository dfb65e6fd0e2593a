import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SLOT_BYTES, slotBytes } from "../../src/adapters/file/anchor.ts";
import { EMPTY, lineAfter } from "../../src/adapters/file/line.ts";

type Line = Readonly<Record<string, unknown>> & { readonly fact: Readonly<Record<string, unknown>> };

/** Writes a run's journal anew, as somebody would who knows how: every hash and the anchor fit. What becomes undefined is left out. */
export function forgeJournal(folder: string, change: (line: Line, index: number) => Line | undefined): void {
  const path = join(folder, "journal.ndjson");
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  let head = EMPTY;
  const forged = lines.flatMap((text, index) => {
    const { seq: _seq, format: _format, hash: _hash, ...body } = JSON.parse(text) as Line;
    const changed = change(body, index);
    if (changed === undefined) return [];
    const line = lineAfter(head, changed);
    head = line.head;
    return [line.bytes];
  });
  writeFileSync(path, Buffer.concat(forged));
  const slot = slotBytes({ head, created: 1 });
  const anchor = Buffer.alloc(SLOT_BYTES + slot.length);
  slot.copy(anchor, 0);
  slot.copy(anchor, SLOT_BYTES);
  writeFileSync(join(folder, "journal.head"), anchor);
}
