import { ActionIcon, Badge, Code, Group, Select, Text, TextInput, Tooltip } from "@mantine/core";
import { IconArrowBackUp } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ParameterView } from "@/api/generated/types.gen";
import classes from "./ParameterTable.module.css";

type Origin = ParameterView["origin"];

const COLOURS: Record<Origin, string> = { default: "gray", derived: "cyan", yours: "indigo", managed: "gray" };

/** Who decided an argument. */
export function OriginBadge({ origin }: { origin: Origin }): ReactElement {
  const { t } = useTranslation();
  return (
    <Tooltip label={t(`deploy.originHint.${origin}`)}>
      <Badge size="sm" variant="light" color={COLOURS[origin]} tt="none" tabIndex={0}>
        {t(`deploy.origin.${origin}`)}
      </Badge>
    </Tooltip>
  );
}

interface Props {
  flag: string;
  /** Null: a switch. */
  value: string | null;
  choices: readonly string[];
  origin: Origin;
  error: string | null;
  /** Takes what is typed, or null to leave the value to aiMindServe again; undefined where it cannot be changed. */
  onSet: ((text: string | null) => void) | undefined;
}

type FieldProps = Omit<Props, "onSet" | "value" | "origin"> & { value: string; onSet: (text: string) => void };

/** While somebody types, the field shows what is typed, also where an empty one stands for the derived value. */
function TextField({ flag, value, error, onSet }: FieldProps): ReactElement {
  const { t } = useTranslation();
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <TextInput
      size="xs"
      flex={1}
      classNames={{ input: classes.input ?? "" }}
      aria-label={t("fit.valueOf", { flag })}
      spellCheck={false}
      autoComplete="off"
      value={draft ?? value}
      placeholder={value}
      error={error}
      onFocus={() => {
        setDraft(value);
      }}
      onBlur={() => {
        setDraft(null);
      }}
      onKeyDown={(event) => {
        // Enter in a table is no wish to deploy.
        if (event.key === "Enter") event.preventDefault();
      }}
      onChange={(event) => {
        setDraft(event.currentTarget.value);
        onSet(event.currentTarget.value.trim());
      }}
    />
  );
}

function ChoiceField({ flag, value, choices, error, onSet }: FieldProps): ReactElement {
  const { t } = useTranslation();
  return (
    <Select
      size="xs"
      flex={1}
      classNames={{ input: classes.input ?? "" }}
      aria-label={t("fit.valueOf", { flag })}
      data={[...new Set([...choices, value])]}
      value={value}
      error={error}
      allowDeselect={false}
      onChange={(chosen) => {
        if (chosen !== null) onSet(chosen);
      }}
    />
  );
}

function Reset({ flag, onReset }: { flag: string; onReset: () => void }): ReactElement {
  const { t } = useTranslation();
  return (
    <Tooltip label={t("fit.reset")}>
      <ActionIcon variant="subtle" color="gray" size={30} aria-label={t("fit.resetOf", { flag })} onClick={onReset}>
        <IconArrowBackUp size={16} />
      </ActionIcon>
    </Tooltip>
  );
}

/** The value of one argument: to read, or to change where it stands and to give back. */
export function ParameterValue({ flag, value, choices, origin, error, onSet }: Props): ReactElement {
  const { t } = useTranslation();
  const reset = (): void => onSet?.(null);
  if (value !== null && !onSet) return <Code className={classes.flag ?? ""}>{value}</Code>;
  const Field = choices.length > 0 ? ChoiceField : TextField;
  return (
    <Group gap={4} wrap="nowrap" align="flex-start">
      {value === null || !onSet ? (
        <Text size="sm" flex={1}>
          {t("fit.on")}
        </Text>
      ) : (
        <Field flag={flag} value={value} choices={choices} error={error} onSet={onSet} />
      )}
      {origin === "yours" && onSet && <Reset flag={flag} onReset={reset} />}
    </Group>
  );
}
