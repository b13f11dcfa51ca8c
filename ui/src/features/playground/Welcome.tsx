import { Button, Group } from "@mantine/core";
import { IconPhoto } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { EmptyState } from "@/components/EmptyState";
import type { Example } from "./examples/list";
import { EXAMPLES } from "./examples/list";
import { DEMO_QUESTIONS, isDemo, seesPictures } from "./models";

interface Props {
  model: DeploymentView;
  onExample: (example: Example | "demo", question: string) => void;
  onText: (text: string) => void;
}

/** The questions that the demo model was trained on, with a picture that it knows. */
function DemoExamples({ onExample, onText }: Omit<Props, "model">): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <Button
        variant="light"
        leftSection={<IconPhoto size={16} />}
        onClick={() => {
          onExample("demo", DEMO_QUESTIONS[0]);
        }}
      >
        {t("playground.example")}
      </Button>
      <Group gap="xs" justify="center">
        {DEMO_QUESTIONS.map((question) => (
          <Button
            key={question}
            size="compact-sm"
            variant="default"
            onClick={() => {
              onText(question);
            }}
          >
            {question}
          </Button>
        ))}
      </Group>
    </>
  );
}

/** What to do first, with examples at hand. */
export function Welcome({ model, onExample, onText }: Props): ReactElement {
  const { t } = useTranslation();
  const vision = seesPictures(model);
  const title = vision
    ? t("playground.emptyTitle", { model: model.name })
    : t("playground.emptyTitleText", { model: model.name });
  return (
    <EmptyState icon={<IconPhoto size={32} />} title={title} hint={t("playground.emptyHint")}>
      {vision && isDemo(model) && <DemoExamples onExample={onExample} onText={onText} />}
      {vision && !isDemo(model) && (
        <Group gap="xs" justify="center" role="group" aria-label={t("playground.examplesTitle")}>
          {EXAMPLES.map((example) => (
            <Button
              key={example}
              size="compact-sm"
              variant="default"
              onClick={() => {
                onExample(example, t(`playground.examples.${example}`));
              }}
            >
              {t(`playground.exampleNames.${example}`)}
            </Button>
          ))}
        </Group>
      )}
    </EmptyState>
  );
}
