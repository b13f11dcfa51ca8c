import { ActionIcon, Button, Menu, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconDeviceDesktop, IconLanguage, IconMoon, IconSun } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Language } from "@/i18n";
import { currentLanguage, LANGUAGES, setLanguage } from "@/i18n";
import classes from "./Preferences.module.css";

export const SCHEMES = [
  { value: "light", label: "shell.light", Icon: IconSun },
  { value: "dark", label: "shell.dark", Icon: IconMoon },
  { value: "auto", label: "shell.auto", Icon: IconDeviceDesktop },
] as const;

export function LanguageMenu(): ReactElement {
  const { t } = useTranslation();
  const current = currentLanguage();
  return (
    <Menu>
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          aria-label={`${t("shell.language")}: ${LANGUAGES[current]}`}
        >
          <IconLanguage size={18} />
          <span className={classes.label}>{LANGUAGES[current]}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {(Object.keys(LANGUAGES) as Language[]).map((language) => (
          <Menu.Item
            key={language}
            lang={language}
            rightSection={language === current ? <IconCheck size={16} /> : null}
            onClick={() => void setLanguage(language)}
          >
            {LANGUAGES[language]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

export function ColourMenu(): ReactElement {
  const { t } = useTranslation();
  // Mantine would pause transitions by a <style> element, which the content security policy refuses.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const Current = SCHEMES.find((scheme) => scheme.value === colorScheme)?.Icon ?? IconDeviceDesktop;
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("shell.colourScheme")}>
          <Current size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {SCHEMES.map(({ value, label, Icon }) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={16} />}
            rightSection={value === colorScheme ? <IconCheck size={16} /> : null}
            onClick={() => {
              setColorScheme(value);
            }}
          >
            {t(label)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
