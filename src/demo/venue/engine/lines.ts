import type { Socket } from "node:net";

/** A line longer than this ends the connection, in characters. */
const MAX_LINE = 8 << 20;

/** Calls `onMessage` for each line of JSON that arrives. A line that is none ends the connection. */
export const readLines = (socket: Socket, onMessage: (message: unknown) => void): void => {
  let rest = "";
  socket.setEncoding("utf8");
  socket.setNoDelay(true);
  socket.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE) return void socket.destroy();
    for (const line of lines) {
      if (socket.destroyed) return;
      const message = parse(line);
      if (message === undefined) return void socket.destroy();
      onMessage(message);
    }
  });
};

/** Sends one line; to a connection that is gone, nothing. */
export const writeLine = (socket: Socket, message: object): void => {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
};

const parse = (line: string): object | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
};
