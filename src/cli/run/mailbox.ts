import type { Conduct } from "../../runtime/conduct.ts";
import type { RunStore } from "../../ports/journal.ts";

/** What another process may ask of a run under way, by a file beside its journal. */
export type Letter = {
  readonly id: string;
  readonly what: "halt" | "undo" | "approve" | "refuse";
  readonly by: string;
  readonly because?: string;
};

const FILE = "mailbox.json";
const EVERY_MS = 300;

export const post = (store: RunStore, run: string, letter: Letter): Promise<string> =>
  store.putFile(run, FILE, `${JSON.stringify(letter)}\n`);

/** Hands each new letter to the conductor. What lay there before the start is old and is not read. */
export function listenToMailbox(store: RunStore, run: string, conducted: Conduct): () => void {
  const stop = new AbortController();
  void (async () => {
    let seen = (await read(store, run))?.id;
    while (!stop.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      const letter = stop.signal.aborted ? undefined : await read(store, run);
      if (letter === undefined || letter.id === seen) continue;
      seen = letter.id;
      conducted.ask(letter.what, letter.by, letter.because);
    }
  })();
  return () => stop.abort();
}

async function read(store: RunStore, run: string): Promise<Letter | undefined> {
  const text = await store.getFile(run, FILE).catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Letter;
  } catch {
    return undefined;
  }
}
