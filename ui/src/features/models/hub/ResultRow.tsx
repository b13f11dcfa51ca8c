import { Group, Stack, Text, UnstyledButton } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { HubModelView } from "@/api/generated/types.gen";
import { currentLanguage } from "@/i18n";
import { formatBytes } from "@/lib/format";
import { FitMark } from "@/components/FitMark";
import classes from "./Hub.module.css";
import { Labels } from "@/components/Labels";
import { formatParameters } from "@/lib/format";
import { formatCount } from "./rules";

const ENGINES: Record<string, string> = { "llama.cpp": "llama.cpp", vllm: "vLLM" };

interface Props {
  model: HubModelView;
  chosen: boolean;
  onChoose: () => void;
}

/** A repository among the results. */
export function ResultRow({ model, chosen, onChoose }: Props): ReactElement {
  const { t } = useTranslation();
  const language = currentLanguage();
  const facts = [
    model.parameters !== null && formatParameters(model.parameters),
    model.size !== null && formatBytes(model.size),
    model.license,
    model.engines.map((engine) => ENGINES[engine] ?? engine).join(", "),
    t("hub.downloads", { shown: formatCount(model.downloads, language) }),
    t("hub.likes", { shown: formatCount(model.likes, language) }),
  ];
  return (
    <UnstyledButton
      className={classes.result ?? ""}
      aria-current={chosen ? "true" : undefined}
      data-repository={model.repository}
      onClick={onChoose}
    >
      <Stack gap={4}>
        <Text fw={600} size="sm" className={classes.name ?? ""}>
          {model.repository}
        </Text>
        <Group gap={6}>
          <FitMark mark={model.fit} />
          <Labels capabilities={model.capabilities} gated={model.gated} />
        </Group>
        <Text size="xs" c="dimmed">
          {facts.filter(Boolean).join(" · ")}
        </Text>
      </Stack>
    </UnstyledButton>
  );
}
