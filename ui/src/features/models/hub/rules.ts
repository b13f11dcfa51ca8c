import type { ChoiceView, HubFilesView, HubModelView } from "@/api/generated/types.gen";
import type { HubWish } from "@/api/hub";
import type { ModelsSearch } from "../search";

/** A large number at a glance: `1.2K`, `3.4M`, or in Chinese `1.2万`. */
export function formatCount(count: number, language: string): string {
  return new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 }).format(count);
}

/** What tells one choice of a repository from another: its source after the commit, such as `Q4_K_M`. */
export function choiceId(choice: ChoiceView): string {
  const tail = /^\w+:\/\/[^/]+\/[^/:@]+(?:@[^/:]+)?[/:]?(.*)$/.exec(choice.source)?.[1];
  return tail ?? choice.source;
}

/** The repository that a source names, and what tells its choice from others there; null for no hub's source. */
export function targetOf(source: string): { repository: string; files: string } | null {
  const found = /^(?:hf|ms):\/\/([^/]+\/[^/:@]+)(?:@[^/:]+)?[/:]?(.*)$/.exec(source);
  return found?.[1] ? { repository: found[1], files: found[2] ?? "" } : null;
}

/** The choice with this id, else the hub's default, else the first that can be deployed. */
export function pickChoice(choices: readonly ChoiceView[], id: string | undefined): ChoiceView | undefined {
  return (
    choices.find((choice) => id !== undefined && choiceId(choice) === id) ??
    choices.find((choice) => choice.default) ??
    choices.find((choice) => choice.refused === null) ??
    choices[0]
  );
}

/** The repository that is shown: the one somebody chose, else the one whose whole name was typed. */
export function shownRepository(
  chosen: string | undefined,
  words: string,
  found: readonly HubModelView[],
): string | undefined {
  const wish = words.trim().toLowerCase();
  return chosen ?? found.find((model) => model.repository.toLowerCase() === wish)?.repository;
}

/** The spec's projector for the entry that was picked: nothing is said where it is the one found anyway. */
export function projectorWish(choice: ChoiceView, picked: string | null): string | null {
  if (picked === null || picked === choice.projector) return null;
  return picked === "none" || choice.projectors.includes(picked) ? picked : null;
}

/** A changed wish in the page's address: what is as it is anyway is not written there. */
export function addressOf(change: Partial<HubWish>): ModelsSearch {
  const address = {
    ...("q" in change && { q: change.q ?? undefined }),
    ...("gguf" in change && { gguf: change.gguf === true ? true : undefined }),
    ...("vision" in change && { vision: change.vision === true ? true : undefined }),
    ...("size" in change && { size: change.size }),
    ...("sort" in change && { sort: change.sort === "downloads" ? undefined : change.sort }),
  };
  return address as ModelsSearch;
}

/** Whether code of the repository would run that nobody has allowed. */
export const codeWaits = (files: HubFilesView): boolean => files.code_files.length > 0 && !files.code_approved;

const LICENCE: readonly string[] = ["repository_gated", "repository_needs_token"];
const SETTINGS: readonly string[] = [
  "hub_offline",
  "hub_rate_limited",
  "hub_unreachable",
  "repository_needs_token",
  "repository_not_found",
  "token_invalid",
  "token_scope",
];

/** Whether the licence has to be accepted, which is done on the repository's page. */
export const wantsLicence = (code: string): boolean => LICENCE.includes(code);

/** Whether a token, an address or the offline switch could help. */
export const wantsSettings = (code: string): boolean => SETTINGS.includes(code);
