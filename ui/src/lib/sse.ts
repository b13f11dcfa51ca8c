/** One server-sent event. `event` is "message" where the server named none. */
export interface ServerSentEvent {
  event: string;
  data: string;
  id: string | null;
}

/** A parser that is fed text in any portions and answers the events completed so far. */
export class EventStreamParser {
  private buffer = "";
  private event = "";
  private data: string[] = [];
  private id: string | null = null;

  push(text: string): ServerSentEvent[] {
    this.buffer += text;
    const events: ServerSentEvent[] = [];
    for (let line = this.takeLine(); line !== null; line = this.takeLine()) {
      const done = this.readLine(line);
      if (done) events.push(done);
    }
    return events;
  }

  /** The next whole line, or null. A "\r" at the very end waits: it may be half of "\r\n". */
  private takeLine(): string | null {
    const end = this.buffer.search(/\r\n|\n|\r(?=[^\n])/);
    if (end < 0) return null;
    const line = this.buffer.slice(0, end);
    this.buffer = this.buffer.slice(end + (this.buffer.startsWith("\r\n", end) ? 2 : 1));
    return line;
  }

  private readLine(line: string): ServerSentEvent | null {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.event = value;
    else if (field === "id" && !value.includes("\0")) this.id = value;
    return null;
  }

  private dispatch(): ServerSentEvent | null {
    const event = { event: this.event || "message", data: this.data.join("\n"), id: this.id };
    const empty = this.data.length === 0;
    this.event = "";
    this.data = [];
    return empty ? null : event;
  }
}

/** The events of a response body, as they arrive. Ends when the body ends; throws when the connection breaks.
 * `onBytes` hears of everything that comes, comments included. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void = () => undefined,
): AsyncGenerator<ServerSentEvent> {
  const parser = new EventStreamParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => undefined); // Already broken or closed: nothing is left to cancel.
  }
}
