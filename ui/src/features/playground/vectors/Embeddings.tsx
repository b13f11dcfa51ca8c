import { Button, Group, Stack, Table, Text, Textarea, Title } from "@mantine/core";
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
import { linesOf, readVectors } from "./answers";
import { similarity } from "./pca";
import { Plot } from "./Plot";
import classes from "./Vectors.module.css";

const MOST_TEXTS = 100;
/** A table of more texts is wider than any screen. */
const MOST_COLUMNS = 12;

interface Props {
  model: DeploymentView;
  models: readonly DeploymentView[];
}

interface Asked {
  texts: string[];
  outcome: Outcome<number[][]>;
}

function Similarities({ texts, vectors }: { texts: readonly string[]; vectors: readonly number[][] }): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={classes.wide} tabIndex={0} role="region" aria-label={t("vectors.similarities")}>
      <Table verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("vectors.similarities")}</Table.Th>
            {texts.map((_, index) => (
              <Table.Th key={index} scope="col">
                {index + 1}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {texts.map((text, row) => (
            <Table.Tr key={row}>
              <Table.Th scope="row">
                {row + 1}. {text}
              </Table.Th>
              {vectors.map((vector, column) => (
                <Table.Td key={column}>{similarity(vectors[row] ?? [], vector).toFixed(3)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Vectors({ texts, vectors }: { texts: readonly string[]; vectors: readonly number[][] }): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <Text size="sm" c="dimmed">
        {t("vectors.size", { count: vectors[0]?.length ?? 0 })}
      </Text>
      {vectors.length > 1 && (
        <>
          <Title order={4}>{t("vectors.plot")}</Title>
          <Plot texts={texts} vectors={vectors} />
        </>
      )}
      {vectors.length > 1 && vectors.length <= MOST_COLUMNS && <Similarities texts={texts} vectors={vectors} />}
    </>
  );
}

/** Texts as vectors: how alike they are, and where they lie. */
export function Embeddings({ model, models }: Props): ReactElement {
  const { t } = useTranslation();
  const [text, setText] = useState(() => t("vectors.sample"));
  const [busy, setBusy] = useState(false);
  const [asked, setAsked] = useState<Asked | null>(null);
  const texts = linesOf(text).slice(0, MOST_TEXTS);
  const ask = async (): Promise<void> => {
    setBusy(true);
    setAsked({ texts, outcome: await askOnce("/v1/embeddings", { model: model.name, input: texts }, readVectors) });
    setBusy(false);
  };
  const vectors = asked?.outcome.data;
  return (
    <div className={pageClasses.page}>
      <Bar>
        <ModelSelect model={model} models={models} />
      </Bar>
      <ModelNotes model={model} />
      <Stack className={classes.page ?? ""} gap="md">
        <Textarea
          label={t("vectors.texts")}
          description={t("vectors.textsHint", { most: MOST_TEXTS })}
          autosize
          minRows={4}
          maxRows={14}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
          }}
        />
        <Group>
          <Button loading={busy} disabled={texts.length === 0 || model.phase !== "ready"} onClick={() => void ask()}>
            {t("playground.submit")}
          </Button>
        </Group>
        {asked?.outcome.failure && (
          <FailureAlert failure={asked.outcome.failure} model={model.name} onRetry={() => void ask()} />
        )}
        {asked && vectors && <Vectors texts={asked.texts} vectors={vectors} />}
      </Stack>
    </div>
  );
}
