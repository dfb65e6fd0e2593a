/** Reads the JSON of a list piece by piece. */
export type ListReader = {
  take(piece: string): void;
  /** What is around the objects, with `items` empty. Throws `SyntaxError` when all that came is no JSON. */
  end(): unknown;
};

const QUOTE = 34;
const [OPEN_LIST, CLOSE_LIST] = [91, 93];
const [OPEN, CLOSE] = [123, 125];
/** The list itself is one deep, its `items` are two, and each of them is three. */
const ITEMS_DEPTH = 2;
const ITEM_DEPTH = 3;

/**
 * Each object is parsed and handed over as soon as all of it is there: of ten thousand pods no more is in memory at once than what is kept of
 * them.
 */
export function listReader(onItem: (item: unknown) => void): ListReader {
  let around = "";
  /** What came and was neither handed over nor put aside, and how much of it was looked through. */
  let pending = "";
  let seen = 0;
  let depth = 0;
  let isInItems = false;

  return {
    take(piece) {
      const text = pending + piece;
      let from = 0;
      let at = seen;
      for (; at < text.length; at += 1) {
        const code = text.charCodeAt(at);
        if (code === QUOTE) {
          const end = endOfText(text, at);
          if (end === -1) break;
          at = end;
        } else if (code === OPEN || code === OPEN_LIST) {
          depth += 1;
          if (isInItems && depth === ITEM_DEPTH) from = at;
          else if (depth === ITEMS_DEPTH && code === OPEN_LIST && ITEMS.test(text.slice(from, at))) {
            around += text.slice(from, at + 1);
            from = at + 1;
            isInItems = true;
          }
        } else if (code === CLOSE || code === CLOSE_LIST) {
          depth -= 1;
          if (isInItems && depth === ITEMS_DEPTH) {
            onItem(JSON.parse(text.slice(from, at + 1)));
            from = at + 1;
          } else if (isInItems && depth < ITEMS_DEPTH) {
            isInItems = false;
            from = at;
          }
        }
      }
      pending = text.slice(from);
      seen = at - from;
    },
    end: () => JSON.parse(around + pending),
  };
}

/** Where a text that begins here ends; -1: not yet. */
function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === "\\") escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return -1;
}

const ITEMS = /[{,]\s*"items"\s*:\s*$/;
