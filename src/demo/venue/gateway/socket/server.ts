import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { GatewayContext } from "../context.ts";
import type { Hub } from "./hub.ts";
import { openSession } from "./session.ts";
import type { Session } from "./session.ts";

/** The open WebSocket connections of a gateway. */
export type Sockets = {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Gives everybody notice, spread at random over `spreadMs`. */
  notice(spreadMs: number): void;
  /** Calls off notices that were not given yet. */
  undo(): void;
  /** Closes each connection as soon as it has nothing in flight. */
  leave(): void;
  count(): number;
  terminate(): void;
};

const PATHS: ReadonlySet<string> = new Set(["/ws/v5/public", "/ws/v5/private", "/ws/v5/business"]);
const MAX_MESSAGE_BYTES = 65_536;

export const createSockets = (hub: Hub, context: () => GatewayContext): Sockets => {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  const sessions = new Set<Session>();
  const notices = new Set<NodeJS.Timeout>();
  const noticeSoon = (session: Session, spreadMs: number): void => {
    const timer = setTimeout(() => {
      notices.delete(timer);
      session.notice();
    }, Math.random() * spreadMs);
    notices.add(timer);
  };
  const undo = (): void => {
    for (const timer of notices) clearTimeout(timer);
    notices.clear();
  };
  return {
    upgrade(request, socket, head) {
      const { drain } = context();
      const path = request.url?.split("?", 1)[0] ?? "";
      if (!PATHS.has(path)) return refuse(socket, "404 Not Found");
      if (drain.state() === "closed") return refuse(socket, "503 Service Unavailable");
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const session = openSession(webSocket, hub, context());
        sessions.add(session);
        webSocket.on("close", () => sessions.delete(session));
        if (drain.state() === "draining") noticeSoon(session, 0);
      });
    },
    notice(spreadMs) {
      for (const session of sessions) noticeSoon(session, spreadMs);
    },
    undo,
    leave() {
      undo();
      for (const session of sessions) session.leave();
    },
    count: () => sessions.size,
    terminate() {
      undo();
      for (const webSocket of server.clients) webSocket.terminate();
    },
  };
};

const refuse = (socket: Duplex, status: string): void => {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
};
