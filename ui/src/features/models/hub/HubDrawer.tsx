import { Button, Drawer } from "@mantine/core";
import { IconArrowLeft, IconPointer } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Hub, HubWish } from "@/api/hub";
import { EmptyState } from "@/components/EmptyState";
import { HUB_NAMES } from "@/lib/hubs";
import { NO_BANNER } from "@/theme";
import type { FormState } from "../spec";
import classes from "./Hub.module.css";
import type { Carried } from "./HubForm";
import { Repository } from "./Repository";
import { Results } from "./Results";
import { addressOf, shownRepository } from "./rules";
import { SearchFields } from "./SearchFields";
import { useHubSearch } from "./useHubSearch";

const route = getRouteApi("/models");

interface Props {
  hub: Hub;
  taken: readonly string[];
  onClose: () => void;
}

/** Where there is room for one pane alone, the focus goes along when the other one takes its place. */
function useFocus(chosen: string | undefined) {
  const list = useRef<HTMLElement>(null);
  const pane = useRef<HTMLElement>(null);
  const back = useRef<HTMLButtonElement>(null);
  const before = useRef(chosen);
  useEffect(() => {
    const left = (chosen ? list : pane).current;
    const isGone = left !== null && left.offsetParent === null;
    if (isGone && chosen !== before.current) (chosen ? back : list).current?.focus();
    before.current = chosen;
  }, [chosen]);
  return { list, pane, back };
}

/** Deploying from a hub: on the left what was found, on the right the chosen repository. On a phone one at a time. */
export function HubDrawer({ hub, taken, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const wish: HubWish = {
    hub,
    q: search.q ?? "",
    gguf: search.gguf ?? false,
    vision: search.vision ?? false,
    size: search.size,
    sort: search.sort ?? "downloads",
  };
  const found = useHubSearch(wish);
  const repository = shownRepository(search.repo, wish.q, found.models);
  const { list, pane, back } = useFocus(search.repo);
  // Only what changed is written: two fields may change before this is drawn again.
  const look = (change: Partial<HubWish>): void => {
    void navigate({
      search: ({ repo, files, args, family, ...old }) => ({ ...old, ...addressOf(change) }),
      replace: true,
    });
  };
  const [carried, setCarried] = useState<Carried>(null);
  const choose = (repo: string | undefined): void => {
    setCarried(null);
    void navigate({ search: ({ files, args, family, ...old }) => ({ ...old, repo }) });
  };
  const move = (repo: string, choice: string, form: FormState): void => {
    setCarried(form);
    void navigate({ search: ({ args, family, ...old }) => ({ ...old, repo, files: choice || undefined }) });
  };
  return (
    <Drawer
      opened
      onClose={onClose}
      size="min(1240px, 100vw)"
      title={t("deploy.newTitle", { source: HUB_NAMES[hub] })}
      closeButtonProps={{ "aria-label": t("common.close") }}
      classNames={{ content: classes.content ?? "", body: classes.body ?? "" }}
      attributes={{ ...NO_BANNER, body: { "data-pane": search.repo ? "repository" : "list" } }}
    >
      <section ref={list} tabIndex={-1} className={classes.list} aria-label={t("hub.search", { hub: HUB_NAMES[hub] })}>
        <SearchFields wish={wish} busy={found.refreshing} onChange={look} />
        <Results found={found} repository={repository} onChoose={choose} />
      </section>
      <section ref={pane} className={classes.repository} aria-label={t("hub.chosen")}>
        <Button
          ref={back}
          className={classes.back ?? ""}
          size="compact-sm"
          mb="sm"
          variant="subtle"
          leftSection={<IconArrowLeft size={16} />}
          onClick={() => {
            choose(undefined);
          }}
        >
          {t("hub.back")}
        </Button>
        {repository === undefined ? (
          <EmptyState icon={<IconPointer size={28} />} title={t("hub.chooseTitle")} hint={t("hub.chooseHint")} />
        ) : (
          <Repository
            key={repository}
            hub={hub}
            repository={repository}
            taken={taken}
            carried={carried}
            onMove={move}
            onClose={onClose}
          />
        )}
      </section>
    </Drawer>
  );
}
