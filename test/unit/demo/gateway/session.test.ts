import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { WebSocket } from "ws";
import type { GatewayContext } from "../../../../src/demo/venue/gateway/context.ts";
import type { Hub, Subscriber } from "../../../../src/demo/venue/gateway/socket/hub.ts";
import { openSession } from "../../../../src/demo/venue/gateway/socket/session.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const opened = () => {
  const subscribers = new Set<Subscriber>();
  const hub: Hub = {
    add(subscriber) {
      subscribers.add(subscriber);
      return () => void subscribers.delete(subscriber);
    },
    onEvent() {},
    close() {},
  };
  const closes: number[] = [];
  const socket = Object.assign(new EventEmitter(), {
    readyState: 1,
    OPEN: 1,
    send() {},
    close: (code: number) => void closes.push(code),
    terminate() {},
  });
  openSession(socket as unknown as WebSocket, hub, {} as GatewayContext);
  const say = (text: string): boolean => socket.emit("message", Buffer.from(text), false);
  return { socket, subscribers, closes, say };
};

test("a connection on which nobody speaks for 30 s is closed with 4004", () => {
  const { closes } = opened();
  vi.advanceTimersByTime(29_999);
  expect(closes).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(closes).toEqual([4004]);
});

test("a ping or a push keeps it open", () => {
  const { closes, say, subscribers } = opened();
  vi.advanceTimersByTime(20_000);
  say("ping");
  vi.advanceTimersByTime(20_000);
  say('{"op":"subscribe","args":[{"channel":"tickers","instId":"BTC-USDT"}]}');
  vi.advanceTimersByTime(20_000);
  for (const each of subscribers) each.push({});
  vi.advanceTimersByTime(29_999);
  expect(closes).toEqual([]);
});

test("when it ends, so do its subscriptions, and subscribing twice is one subscription", () => {
  const { socket, subscribers, say } = opened();
  say(
    '{"op":"subscribe","args":[{"channel":"tickers","instId":"BTC-USDT"},{"channel":"tickers","instId":"BTC-USDT"}]}',
  );
  expect(subscribers.size).toBe(1);
  socket.emit("close");
  expect(subscribers.size).toBe(0);
});
