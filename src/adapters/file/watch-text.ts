const EVERY_MS = 300;

/** Tells a text now and each time that it is another. It looks again and again: a folder on a network does not tell. */
export async function watchText(
  read: () => Promise<string | undefined>,
  told: (text: string | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  let last: string | undefined;
  for (let looks = 0; !signal.aborted; looks += 1) {
    const text = await read().catch(() => last);
    if (signal.aborted) return;
    if (looks === 0 || text !== last) told(text);
    last = text;
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
