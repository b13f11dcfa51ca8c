import { OFFLINE } from "./answer";
import { postInference, readFailure } from "./stream";
import type { Failure } from "./turns";

/** What a path of the inference API answered, or why it did not. */
export type Outcome<T> = { data: T; failure: null } | { data: null; failure: Failure };

/** Asks and reads the whole answer by `read`, which answers null for what it does not know. */
export async function askOnce<T>(path: string, body: object, read: (body: unknown) => T | null): Promise<Outcome<T>> {
  try {
    const response = await postInference(path, body, new AbortController().signal);
    if (!response.ok) return { data: null, failure: await readFailure(response) };
    const data = read(await response.json());
    if (data !== null) return { data, failure: null };
    return { data: null, failure: { ...OFFLINE, code: "error", requestId: response.headers.get("x-request-id") } };
  } catch {
    return { data: null, failure: OFFLINE };
  }
}
