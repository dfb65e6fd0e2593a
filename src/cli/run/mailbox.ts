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

export const post = (store: RunStore, run: string, letter: Letter): Promise<string> =>
  store.putFile(run, FILE, `${JSON.stringify(letter)}\n`);

/** Hands each new letter to the conductor. What lay there before the start is old and is not read. */
export function listenToMailbox(store: RunStore, run: string, conducted: Conduct): () => void {
  const stop = new AbortController();
  let seen: { readonly id: string | undefined } | undefined;
  const told = (text: string | undefined): void => {
    const letter = text === undefined ? undefined : letterIn(text);
    const isNew = seen !== undefined && letter !== undefined && letter.id !== seen.id;
    seen = { id: letter?.id ?? seen?.id };
    if (isNew) conducted.ask(letter.what, letter.by, letter.because);
  };
  store.watchFile(run, FILE, told, stop.signal);
  return () => stop.abort();
}

function letterIn(text: string): Letter | undefined {
  try {
    return JSON.parse(text) as Letter;
  } catch {
    return undefined;
  }
}
