import type { HubSettingsRequest, HubSettingsView } from "@/api/generated/types.gen";

export const MIRROR = "https://hf-mirror.com";
const MIB = 1024 ** 2;

/** The entries of the connection form, as texts. */
export interface Connection {
  huggingface_endpoint: string;
  modelscope_endpoint: string;
  proxy: string;
  /** MiB per second. */
  bandwidth: string;
  offline: boolean;
}

/** Limits that are no whole MiB keep their fraction. */
const inMib = (bytes: number): string => String(Math.round((bytes / MIB) * 1000) / 1000);

export function connectionOf(view: HubSettingsView): Connection {
  return {
    huggingface_endpoint: view.huggingface_endpoint,
    modelscope_endpoint: view.modelscope_endpoint,
    proxy: view.proxy ?? "",
    bandwidth: view.rate_limit === null ? "" : inMib(view.rate_limit),
    offline: view.offline,
  };
}

export const validAddress = (text: string): boolean =>
  /^https?:\/\/\S+$/.test(text.trim()) && URL.canParse(text.trim());

/** Whether the form could be saved: addresses are addresses; an empty one is the default. */
export function validConnection(form: Connection): boolean {
  return [form.huggingface_endpoint, form.modelscope_endpoint, form.proxy].every(
    (text) => text.trim() === "" || validAddress(text),
  );
}

/** Only what differs from the settings as they are; an emptied entry goes back to its default. */
export function changesOf(form: Connection, view: HubSettingsView): HubSettingsRequest {
  const old = connectionOf(view);
  const text = (value: string): string | null => value.trim() || null;
  return {
    ...(form.huggingface_endpoint !== old.huggingface_endpoint && {
      huggingface_endpoint: text(form.huggingface_endpoint),
    }),
    ...(form.modelscope_endpoint !== old.modelscope_endpoint && {
      modelscope_endpoint: text(form.modelscope_endpoint),
    }),
    ...(form.proxy !== old.proxy && { proxy: text(form.proxy) }),
    ...(form.bandwidth !== old.bandwidth && { rate_limit: bytesOf(form.bandwidth) }),
    ...(form.offline !== old.offline && { offline: form.offline }),
  };
}

function bytesOf(mib: string): number | null {
  const count = Math.round(Number(mib) * MIB);
  return count > 0 ? count : null;
}
