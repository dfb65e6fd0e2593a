/** The end of what a program printed. */
export type Tail = {
  add(chunk: Buffer): void;
  text(): string;
  /** The last lines, for a message. */
  lines(): string;
};

const MAX_BYTES = 16_384;
const LINES = 12;

/** Keeps the last 16 kB, whatever comes. */
export const tailBuffer = (): Tail => {
  let chunks: Buffer[] = [];
  let size = 0;
  const text = (): string => {
    const all = Buffer.concat(chunks);
    return all.subarray(Math.max(0, all.length - MAX_BYTES)).toString("utf8");
  };
  return {
    add(chunk) {
      chunks.push(chunk);
      size += chunk.length;
      // Cut now and then, not at every chunk.
      if (size <= 4 * MAX_BYTES) return;
      const all = Buffer.concat(chunks);
      chunks = [all.subarray(all.length - MAX_BYTES)];
      size = MAX_BYTES;
    },
    text,
    lines: () => text().trimEnd().split("\n").slice(-LINES).join("\n"),
  };
};
