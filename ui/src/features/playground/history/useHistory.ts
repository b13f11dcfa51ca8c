import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useEffectEvent, useRef } from "react";
import { useTranslation } from "react-i18next";
import { sessionQuery } from "@/api/queries";
import type { Saved } from "./format";
import { titleOf } from "./format";
import { load, save } from "./store";
import type { Sampling } from "../sampling";
import type { Turn } from "../turns";
import { newId } from "../turns";

const route = getRouteApi("/playground");

export const HISTORY_KEY = "playground-history";

interface Current {
  model: string;
  turns: Turn[];
  busy: boolean;
  sampling: Sampling;
  onOpen: (saved: Saved) => void;
}

export interface History {
  owner: string;
  /** The conversation of the address. */
  current: string | null;
  /** The next question begins a new conversation. */
  forget: () => void;
}

/** Keeps the conversation in the browser whenever an answer is complete, and opens the one that the address names. */
export function useHistory({ model, turns, busy, sampling, onOpen }: Current): History {
  const { t } = useTranslation();
  const { chat } = route.useSearch();
  const navigate = route.useNavigate();
  const queries = useQueryClient();
  const owner = useQuery(sessionQuery).data?.username ?? "";
  const shown = useRef<string | null>(null);
  const kept = useRef<Turn[] | null>(null);

  const goTo = (id: string | undefined, replace: boolean): void => {
    shown.current = id ?? null;
    void navigate({ search: ({ chat: _old, ...rest }) => ({ ...rest, ...(id && { chat: id }) }), replace });
  };

  const complain = (): void => {
    notifications.show({ id: "no-history", color: "yellow", message: t("history.failed"), autoClose: 8000 });
  };

  const keep = useEffectEvent(async () => {
    if (busy || turns.length === 0 || kept.current === turns) return;
    kept.current = turns;
    const id = shown.current ?? newId();
    if (shown.current === null) goTo(id, true);
    const saved: Saved = { id, title: titleOf(turns), model, at: Date.now(), turns, sampling };
    await save(owner, [saved]).catch(complain);
    await queries.invalidateQueries({ queryKey: [HISTORY_KEY] });
  });

  const open = useEffectEvent(async () => {
    if (chat === undefined || chat === shown.current) return;
    shown.current = chat;
    const saved = await load(owner, chat).catch(() => null);
    if (shown.current !== chat) return;
    if (!saved) {
      goTo(undefined, true);
      return;
    }
    kept.current = saved.turns;
    onOpen(saved);
  });

  useEffect(() => {
    if (owner) void open();
  }, [chat, owner]);

  useEffect(() => {
    if (owner) void keep();
  }, [turns, busy, owner]);

  return {
    owner,
    current: chat ?? null,
    forget: () => {
      kept.current = null;
      goTo(undefined, false);
    },
  };
}
