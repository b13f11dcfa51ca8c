import { Button, Group, Progress, Stack, Table, Textarea, TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { Bar } from "../Bar";
import type { Outcome } from "../inference";
import { askOnce } from "../inference";
import { ModelNotes } from "../ModelNotes";
import { ModelSelect } from "../ModelSelect";
import pageClasses from "../Playground.module.css";
import { FailureAlert } from "../thread/FailureAlert";
import { linesOf } from "../vectors/answers";
import classes from "../vectors/Vectors.module.css";
import type { Ranked } from "./ranking";
import { readRanking, shares } from "./ranking";

interface Props {
  model: DeploymentView;
  models: readonly DeploymentView[];
}

interface Asked {
  texts: string[];
  outcome: Outcome<Ranked[]>;
}

function Ranking({ texts, ranked }: { texts: readonly string[]; ranked: readonly Ranked[] }): ReactElement {
  const { t } = useTranslation();
  const lengths = shares(ranked);
  return (
    <Table verticalSpacing="xs" data-ranking>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("rerank.document")}</Table.Th>
          <Table.Th>{t("rerank.score")}</Table.Th>
          <Table.Th w="30%" />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {ranked.map(({ index, score }, place) => (
          <Table.Tr key={index}>
            <Table.Td>{texts[index]}</Table.Td>
            <Table.Td>{score.toFixed(4)}</Table.Td>
            <Table.Td>
              <Progress value={(lengths[place] ?? 0) * 100} aria-hidden />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** Texts in the order in which they answer a question. */
export function Rerank({ model, models }: Props): ReactElement {
  const { t } = useTranslation();
  const [query, setQuery] = useState(() => t("rerank.sampleQuery"));
  const [text, setText] = useState(() => t("rerank.sample"));
  const [busy, setBusy] = useState(false);
  const [asked, setAsked] = useState<Asked | null>(null);
  const texts = linesOf(text);
  const ask = async (): Promise<void> => {
    setBusy(true);
    const body = { model: model.name, query: query.trim(), documents: texts };
    setAsked({ texts, outcome: await askOnce("/v1/rerank", body, readRanking) });
    setBusy(false);
  };
  return (
    <div className={pageClasses.page}>
      <Bar>
        <ModelSelect model={model} models={models} />
      </Bar>
      <ModelNotes model={model} />
      <Stack className={classes.page ?? ""} gap="md">
        <TextInput
          label={t("rerank.query")}
          value={query}
          onChange={(event) => {
            setQuery(event.currentTarget.value);
          }}
        />
        <Textarea
          label={t("rerank.documents")}
          description={t("rerank.documentsHint")}
          autosize
          minRows={4}
          maxRows={14}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
          }}
        />
        <Group>
          <Button
            loading={busy}
            disabled={!query.trim() || texts.length === 0 || model.phase !== "ready"}
            onClick={() => void ask()}
          >
            {t("playground.submit")}
          </Button>
        </Group>
        {asked?.outcome.failure && (
          <FailureAlert failure={asked.outcome.failure} model={model.name} onRetry={() => void ask()} />
        )}
        {asked?.outcome.data && <Ranking texts={asked.texts} ranked={asked.outcome.data} />}
      </Stack>
    </div>
  );
}
