import type { Hub } from "@/api/hub";

/** Proper names, the same in every language. */
export const HUB_NAMES: Record<Hub, string> = { hf: "Hugging Face", ms: "ModelScope" };

/** A repository's page, for people: to read, to accept its licence. */
export function hubPage(hub: Hub, repository: string): string {
  return hub === "hf" ? `https://huggingface.co/${repository}` : `https://modelscope.cn/models/${repository}`;
}

/** Where a token is made. */
export const TOKEN_PAGES: Record<Hub, string> = {
  hf: "https://huggingface.co/settings/tokens",
  ms: "https://modelscope.cn/my/myaccesstoken",
};

/** Where relative links in a repository's README lead. */
export function readmeBase(hub: Hub, repository: string): string {
  return `${hubPage(hub, repository)}/${hub === "hf" ? "blob/main" : "file/view/master"}/`;
}
