import { createWriteStream } from "node:fs";
import type { JudgeInput } from "../../guard/judge.ts";
import type { RecordingHead } from "../../guard/recording.ts";

/** Writes down what the judge is told, a line each. It never holds up the judging: a disk that is full or slow loses lines, not verdicts. */
export type Recorder = { note(input: JudgeInput): void; end(): Promise<void> };

/** An hour of an ordinary run takes some 40 MB; a run that waits for weeks does not fill a disk. */
const MOST_BYTES = 512_000_000;
/** Waiting to be written: beyond this the disk does not keep up. */
const MOST_WAITING_BYTES = 8_000_000;

export const startRecorder = (file: string, head: RecordingHead): Recorder => {
  const stream = createWriteStream(file, { flags: "a", mode: 0o600 });
  let isBroken = false;
  let bytes = 0;
  stream.on("error", () => {
    isBroken = true;
  });
  const write = (line: object): void => {
    if (isBroken || stream.writableLength > MOST_WAITING_BYTES || bytes > MOST_BYTES) return;
    const text = `${JSON.stringify(line)}\n`;
    bytes += text.length;
    stream.write(text);
  };
  write(head);
  return {
    note: (input) => write(input),
    end: () =>
      new Promise((resolve) => {
        stream.once("error", () => resolve());
        if (isBroken) resolve();
        else stream.end(() => resolve());
      }),
  };
};
