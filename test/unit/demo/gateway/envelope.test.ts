import { describe, expect, test } from "vitest";
import { restRows, socketRows } from "../../../../src/demo/venue/gateway/envelope.ts";
import type { Row } from "../../../../src/demo/venue/gateway/envelope.ts";

const row = (sCode: string): Row => ({ ordId: "", clOrdId: "", tag: "", ts: "1", sCode, sMsg: "", subCode: "" });

describe("the envelope around rows", () => {
  test.each([
    { rows: ["0"], http: 200, code: "0", left: 1 },
    { rows: ["0", "0"], http: 200, code: "0", left: 2 },
    { rows: ["51008"], http: 200, code: "1", left: 1 },
    { rows: ["0", "51008"], http: 200, code: "2", left: 2 },
    { rows: ["50026"], http: 500, code: "1", left: 1 },
    { rows: ["51149"], http: 500, code: "1", left: 1 },
    { rows: ["0", "50026"], http: 200, code: "2", left: 2 },
    { rows: ["51008", "50026"], http: 500, code: "1", left: 2 },
    { rows: ["50001"], http: 503, code: "50001", left: 0 },
    { rows: ["50001", "50001"], http: 503, code: "50001", left: 0 },
    { rows: ["50001", "51149"], http: 503, code: "1", left: 2 },
    { rows: ["0", "50001"], http: 200, code: "2", left: 2 },
    { rows: ["50011"], http: 429, code: "50011", left: 0 },
  ])("rows $rows: HTTP $http, code $code, $left rows", ({ rows, http, code, left }) => {
    const answer = restRows(rows.map(row), "1", "2");
    expect([answer.http, answer.body.code, answer.body.data.length]).toEqual([http, code, left]);
    const socket = socketRows(rows.map(row), "1", "2");
    expect([socket.code, socket.msg, socket.data.length]).toEqual([code, "", left]);
  });
});
