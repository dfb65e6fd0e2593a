import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { pause } from "./commands.ts";

/** Resolves with the key, once nobody else on this machine has it. It is a socket without a file: the kernel takes it from whoever dies. */
export async function lock(path: string, wait: () => void): Promise<() => Promise<void>> {
  const name = `\0midflight-${createHash("sha256").update(path).digest("hex").slice(0, 32)}`;
  for (let turn = 1; ; turn += 1) {
    const server = createServer((socket) => socket.destroy());
    const isOurs = await new Promise<boolean>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) =>
        error.code === "EADDRINUSE" ? resolve(false) : reject(error),
      );
      server.listen(name, () => resolve(true));
    });
    if (isOurs) return () => new Promise((resolve) => server.close(() => resolve()));
    if (turn === 1) wait();
    await pause(200);
  }
}
