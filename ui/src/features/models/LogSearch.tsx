import { ActionIcon, Group, Text, TextInput } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconSearch } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  word: string;
  /** How many lines match, and which of them is shown (from 0). */
  count: number;
  at: number;
  onWord: (word: string) => void;
  onGo: (at: number) => void;
}

/** Looks for a word in the log; Enter goes to the next line that has it. */
export function LogSearch({ word, count, at, onWord, onGo }: Props): ReactElement {
  const { t } = useTranslation();
  const step = (by: number): void => {
    if (count > 0) onGo((at + by + count) % count);
  };
  return (
    <Group gap={4} wrap="nowrap">
      <TextInput
        size="xs"
        aria-label={t("log.search")}
        placeholder={t("log.search")}
        leftSection={<IconSearch size={14} />}
        value={word}
        onChange={(event) => {
          onWord(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
        }}
      />
      {word && (
        <Text size="xs" c="dimmed" role="status" miw={56}>
          {count === 0 ? t("log.notFound") : `${at + 1} / ${count}`}
        </Text>
      )}
      {[
        { label: t("log.previous"), by: -1, Icon: IconChevronUp },
        { label: t("log.next"), by: 1, Icon: IconChevronDown },
      ].map(({ label, by, Icon }) => (
        <ActionIcon
          key={by}
          variant="default"
          aria-label={label}
          disabled={count === 0}
          onClick={() => {
            step(by);
          }}
        >
          <Icon size={14} />
        </ActionIcon>
      ))}
    </Group>
  );
}
