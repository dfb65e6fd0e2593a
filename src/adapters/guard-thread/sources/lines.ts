/**
 * Cuts what a program prints into lines, as it comes. A line that is longer than `mostCharacters` is told as undefined, and what it holds is
 * thrown away while it comes: nothing that a program prints fills this process.
 */
export const cutLines = (
  mostCharacters: number,
  onLine: (line: string | undefined) => void,
): ((chunk: string) => void) => {
  let open = "";
  let isTooLong = false;
  return (chunk) => {
    const parts = chunk.split("\n");
    for (const [index, part] of parts.entries()) {
      isTooLong ||= open.length + part.length > mostCharacters;
      open = isTooLong ? "" : open + part;
      if (index === parts.length - 1) return;
      onLine(isTooLong ? undefined : open);
      open = "";
      isTooLong = false;
    }
  };
};
