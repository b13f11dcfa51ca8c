import type { ChatDelta } from "./stream";
import type { Stats } from "./turns";

/** Answers that arrive within this time came in one piece; their speed cannot be told from here. */
const SHORTEST_SPAN_MS = 20;

/** Measures one answer: time to the first token, and tokens per second: the engine's figure, else from the first token
 * to the last as they arrive. */
export class Meter {
  private first: number | null = null;
  private last: number | null = null;
  private usage: ChatDelta["usage"] = null;
  private told: number | null = null;

  /** `now` in milliseconds, on the same clock as every later call. */
  constructor(private readonly start: number) {}

  add(delta: ChatDelta, now: number): void {
    if (delta.text || delta.reasoning || delta.calls.length > 0) {
      this.first ??= now;
      this.last = now;
    }
    this.usage = delta.usage ?? this.usage;
    this.told = delta.speed ?? this.told;
  }

  /** `now`: when the answer ended. */
  stats(now: number): Stats {
    const completion = this.usage?.completion ?? null;
    return {
      ttftMs: this.first === null ? null : this.first - this.start,
      totalMs: now - this.start,
      tokensPerSecond: this.told ?? this.speed(completion),
      promptTokens: this.usage?.prompt ?? null,
      completionTokens: completion,
    };
  }

  /** The first token belongs to the prompt's time; fewer than two tokens have no speed. */
  private speed(completion: number | null): number | null {
    if (this.first === null || this.last === null || completion === null || completion < 2) return null;
    const span = this.last - this.first;
    return span >= SHORTEST_SPAN_MS ? ((completion - 1) / span) * 1000 : null;
  }
}
