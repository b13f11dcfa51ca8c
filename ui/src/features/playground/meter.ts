import type { ChatDelta, Stats } from "./chat";

/** Measures one answer: time to the first token, and tokens per second from the first token to the last. */
export class Meter {
  private first: number | null = null;
  private last: number | null = null;
  private usage: ChatDelta["usage"] = null;

  /** `now` in milliseconds, on the same clock as every later call. */
  constructor(private readonly start: number) {}

  add(delta: ChatDelta, now: number): void {
    if (delta.text) {
      this.first ??= now;
      this.last = now;
    }
    this.usage = delta.usage ?? this.usage;
  }

  stats(): Stats {
    const completion = this.usage?.completion ?? null;
    return {
      ttftMs: this.first === null ? null : this.first - this.start,
      tokensPerSecond: this.speed(completion),
      promptTokens: this.usage?.prompt ?? null,
      completionTokens: completion,
    };
  }

  /** The first token belongs to the prompt's time; fewer than two tokens have no speed. */
  private speed(completion: number | null): number | null {
    if (this.first === null || this.last === null || completion === null || completion < 2) return null;
    const span = this.last - this.first;
    return span > 0 ? ((completion - 1) / span) * 1000 : null;
  }
}
