import { Modal, Text, TextInput, useMantineColorScheme } from "@mantine/core";
import { IconCube, IconLanguage, IconMoon, IconPlus, IconSearch, IconSun } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { KeyboardEvent, ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { SessionView } from "@/api/generated/types.gen";
import { deploymentsQuery } from "@/api/queries";
import type { Language } from "@/i18n";
import { currentLanguage, LANGUAGES, setLanguage } from "@/i18n";
import { HUB_NAMES } from "@/lib/hubs";
import { bestMatches } from "@/lib/match";
import { mayAct } from "@/lib/roles";
import classes from "./Palette.module.css";
import { PAGES, PROFILE } from "./pages";

const MOST = 12;

interface Entry {
  id: string;
  text: string;
  icon: ReactElement;
  run: () => void;
}

/** Everything that can be gone to or done from anywhere. */
function useEntries(session: SessionView): Entry[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const deployments = useQuery(deploymentsQuery);
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const pages = [...PAGES, PROFILE].filter(({ role }) => mayAct(session, role));
  const deploy = mayAct(session, "operator") ? (["hf", "ms", "local", "demo"] as const) : [];
  const names = { ...HUB_NAMES, local: t("deploy.local"), demo: t("deploy.demo") };
  const languages = (Object.keys(LANGUAGES) as Language[]).filter((language) => language !== currentLanguage());
  return [
    ...pages.map(({ to, label, Icon }) => ({
      id: to,
      text: t(label),
      icon: <Icon size={18} aria-hidden />,
      run: () => void navigate({ to }),
    })),
    ...(deployments.data ?? []).map(({ name }) => ({
      id: `model ${name}`,
      text: t("palette.model", { name }),
      icon: <IconCube size={18} aria-hidden />,
      run: () => void navigate({ to: "/models", search: { open: name } }),
    })),
    ...deploy.map((kind) => ({
      id: `deploy ${kind}`,
      text: t("deploy.newTitle", { source: names[kind] }),
      icon: <IconPlus size={18} aria-hidden />,
      run: () => void navigate({ to: "/models", search: { deploy: kind } }),
    })),
    ...(["light", "dark"] as const).map((scheme) => ({
      id: scheme,
      text: t("palette.colours", { scheme: t(`shell.${scheme}`) }),
      icon: scheme === "light" ? <IconSun size={18} aria-hidden /> : <IconMoon size={18} aria-hidden />,
      run: () => {
        setColorScheme(scheme);
      },
    })),
    ...languages.map((language) => ({
      id: language,
      text: t("palette.language", { language: LANGUAGES[language] }),
      icon: <IconLanguage size={18} aria-hidden />,
      run: () => void setLanguage(language),
    })),
  ];
}

const optionId = (index: number): string => `palette-${index}`;

/** Goes anywhere by a few letters: opened by Ctrl-K, steered by the arrow keys. */
export function Palette({ session, onClose }: { session: SessionView; onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const found = bestMatches(useEntries(session), typed, MOST);
  const choose = (entry: Entry | undefined): void => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  const go = (to: number): void => {
    setAt(to);
    document.getElementById(optionId(to))?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const count = Math.max(1, found.length);
    if (event.key === "ArrowDown") go((at + 1) % count);
    else if (event.key === "ArrowUp") go((at + count - 1) % count);
    else if (event.key === "Enter") choose(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal opened onClose={onClose} size="lg" withCloseButton={false} aria-label={t("palette.title")} centered={false}>
      <TextInput
        role="combobox"
        aria-label={t("palette.title")}
        aria-expanded
        aria-controls="palette"
        aria-activedescendant={found.length > 0 ? optionId(at) : undefined}
        placeholder={t("palette.hint")}
        leftSection={<IconSearch size={16} />}
        data-autofocus
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="palette" role="listbox" aria-label={t("palette.title")} className={classes.list}>
        {found.map((entry, index) => (
          <li
            key={entry.id}
            id={optionId(index)}
            role="option"
            aria-selected={index === at}
            className={classes.option}
            onClick={() => {
              choose(entry);
            }}
            onMouseMove={() => {
              setAt(index);
            }}
          >
            {entry.icon}
            <Text size="sm" span>
              {entry.text}
            </Text>
          </li>
        ))}
      </ul>
      {found.length === 0 && (
        <Text size="sm" c="dimmed" p="sm" role="status">
          {t("palette.none")}
        </Text>
      )}
    </Modal>
  );
}
