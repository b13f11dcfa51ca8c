import { describe, expect, it } from "vitest";
import { EventStreamParser, readEvents } from "./sse";

const TEXT =
  ': hello\n\nid: 7\nevent: replica.changed\ndata: {"a":1}\n\ndata: one\ndata: two\r\n\r\ndata:图片\r\rdata: [DONE]\n\n';
const EXPECTED = [
  { event: "replica.changed", data: '{"a":1}', id: "7" },
  { event: "message", data: "one\ntwo", id: "7" },
  { event: "message", data: "图片", id: "7" },
  { event: "message", data: "[DONE]", id: "7" },
];

function streamOf(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
}

describe("EventStreamParser", () => {
  it("reads every line ending, comments, names and ids", () => {
    expect(new EventStreamParser().push(TEXT)).toEqual(EXPECTED);
  });

  it.each([1, 2, 3, 5, 8, 1000])("gives the same events in portions of %i bytes", async (size) => {
    const events = [];
    for await (const event of readEvents(streamOf(new TextEncoder().encode(TEXT), size))) events.push(event);
    expect(events).toEqual(EXPECTED);
  });

  it("keeps an unfinished event back", () => {
    const parser = new EventStreamParser();
    expect(parser.push("data: half")).toEqual([]);
    expect(parser.push("\n")).toEqual([]);
    expect(parser.push("\n")).toEqual([{ event: "message", data: "half", id: null }]);
  });
});
