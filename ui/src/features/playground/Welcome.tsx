import { Button, Group } from "@mantine/core";
import { IconPhoto } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { EmptyState } from "@/components/EmptyState";
import { exampleQuestions, seesPictures } from "./models";

interface Props {
  model: DeploymentView;
  onExample: () => void;
  onText: (text: string) => void;
}

/** What to do first, with an example at hand. */
export function Welcome({ model, onExample, onText }: Props): ReactElement {
  const { t } = useTranslation();
  const vision = seesPictures(model);
  const title = vision
    ? t("playground.emptyTitle", { model: model.name })
    : t("playground.emptyTitleText", { model: model.name });
  return (
    <EmptyState icon={<IconPhoto size={32} />} title={title} hint={t("playground.emptyHint")}>
      {vision && (
        <>
          <Button variant="light" leftSection={<IconPhoto size={16} />} onClick={onExample}>
            {t("playground.example")}
          </Button>
          <Group gap="xs" justify="center">
            {exampleQuestions(model, t).map((example) => (
              <Button
                key={example}
                size="compact-sm"
                variant="default"
                onClick={() => {
                  onText(example);
                }}
              >
                {example}
              </Button>
            ))}
          </Group>
        </>
      )}
    </EmptyState>
  );
}
