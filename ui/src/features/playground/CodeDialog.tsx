import { Modal, Tabs, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { CodeBlock } from "@/components/CodeBlock";
import type { CodeInput } from "./code";
import { CODE_LANGUAGES, codeFor } from "./code";
import classes from "./Conversation.module.css";

const NAMES = { curl: "curl", python: "Python", typescript: "TypeScript" } as const;

/** The same question as a program. */
export function CodeDialog({ input, onClose }: { input: CodeInput; onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={t("playground.code")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Text size="sm" mb="sm">
        {t("playground.codeHint")}{" "}
        <Link to="/keys" className={classes.link ?? ""}>
          {t("playground.codeKeys")}
        </Link>
      </Text>
      <Tabs defaultValue="curl">
        <Tabs.List mb="sm">
          {CODE_LANGUAGES.map((language) => (
            <Tabs.Tab key={language} value={language}>
              {NAMES[language]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {CODE_LANGUAGES.map((language) => (
          <Tabs.Panel key={language} value={language}>
            <CodeBlock text={codeFor(language, input)} label={NAMES[language]} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </Modal>
  );
}
