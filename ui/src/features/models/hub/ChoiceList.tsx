import { Badge, Group, Radio, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { ChoiceView } from "@/api/generated/types.gen";
import { formatBytes } from "@/lib/format";
import { FitMark } from "@/components/FitMark";
import classes from "./Hub.module.css";
import { choiceId } from "./rules";

/** What may be suggested: it runs now, or once something is there that is missing. */
const MAY_RUN: readonly ChoiceView["fit"][] = ["fits", "waits", "engine", "unknown"];

interface Props {
  choices: readonly ChoiceView[];
  chosen: ChoiceView | undefined;
  onChoose: (choice: ChoiceView) => void;
}

function Row({ choice }: { choice: ChoiceView }): ReactElement {
  const { t } = useTranslation();
  const id = choiceId(choice);
  const why = choice.refused ? [choice.refused.message, choice.refused.remedy].join(" ") : choice.fit_message;
  return (
    <label className={classes.choice} data-choice={id}>
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <Radio
          value={id}
          disabled={choice.refused !== null}
          mt={2}
          aria-label={choice.quantization ?? t("hub.whole")}
        />
        <Stack gap={2} flex={1} miw={0}>
          <Group gap={8}>
            <Text fw={600} size="sm">
              {choice.quantization ?? t("hub.whole")}
            </Text>
            <FitMark mark={choice.fit} />
            {choice.default && MAY_RUN.includes(choice.fit) && (
              <Badge size="sm" variant="default" tt="none">
                {t("hub.suggested")}
              </Badge>
            )}
          </Group>
          {why && (
            <Text size="xs" c={choice.refused ? "red" : "dimmed"}>
              {why}
            </Text>
          )}
        </Stack>
        <Stack gap={2} align="flex-end">
          <Text size="sm">{formatBytes(choice.size)}</Text>
          {choice.memory_high !== null && (
            <Text size="xs" c="dimmed">
              {t("hub.memory", { bytes: formatBytes(choice.memory_high) })}
            </Text>
          )}
          {choice.level && choice.level !== "whole" && (
            <Text size="xs" c="dimmed">
              {t(`hub.level.${choice.level}`)}
            </Text>
          )}
          {choice.files.length > 1 && (
            <Text size="xs" c="dimmed">
              {t("hub.fileCount", { count: choice.files.length })}
            </Text>
          )}
        </Stack>
      </Group>
    </label>
  );
}

/** The ways to deploy a repository, one of which is chosen. */
export function ChoiceList({ choices, chosen, onChoose }: Props): ReactElement {
  const { t } = useTranslation();
  const list = useRef<HTMLDivElement>(null);
  // Some repositories have dozens of files: the list opens at the chosen one.
  useEffect(() => {
    const row = list.current?.querySelector<HTMLElement>(`.${classes.choice ?? ""}:has(input:checked)`);
    if (list.current && row) list.current.scrollTop = row.offsetTop - list.current.clientHeight / 2;
  }, []);
  const quantized = choices.some((choice) => choice.quantization !== null);
  return (
    <Radio.Group
      label={quantized ? t("hub.quantization") : t("hub.files")}
      description={quantized ? t("hub.quantizationHint") : t("hub.filesHint")}
      value={chosen ? choiceId(chosen) : null}
      onChange={(id) => {
        const choice = choices.find((candidate) => choiceId(candidate) === id);
        if (choice) onChoose(choice);
      }}
    >
      <Stack gap={6} mt={8} className={classes.choices ?? ""} ref={list}>
        {choices.map((choice) => (
          <Row key={choice.source} choice={choice} />
        ))}
      </Stack>
    </Radio.Group>
  );
}
