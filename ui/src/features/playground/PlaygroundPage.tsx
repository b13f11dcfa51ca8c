import { Loader } from "@mantine/core";
import { IconCube } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { lazy, Suspense, useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { deploymentsQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { Bar } from "./Bar";
import classes from "./Conversation.module.css";
import { chooseModel, modelsFor } from "./models";
import { Playground } from "./Playground";
import { loadMarkdown } from "./thread/AnswerText";
import { loadOverlay } from "./thread/Grounded";

const route = getRouteApi("/playground");

const Compare = lazy(() => import("./compare/Compare").then(({ Compare: found }) => ({ default: found })));
const Embeddings = lazy(() => import("./vectors/Embeddings").then(({ Embeddings: found }) => ({ default: found })));
const Rerank = lazy(() => import("./rerank/Rerank").then(({ Rerank: found }) => ({ default: found })));

function NoModel({ hint }: { hint: string }): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <Bar>{null}</Bar>
      <EmptyState icon={<IconCube size={32} />} title={t("playground.noModels")} hint={hint}>
        <Link to="/models" search={{ deploy: "demo" }} className={classes.link ?? ""}>
          {t("models.deploy")}
        </Link>
      </EmptyState>
    </>
  );
}

function Tab({ deployments }: { deployments: readonly DeploymentView[] }): ReactElement {
  const { t } = useTranslation();
  const { tab = "chat", model: wish } = route.useSearch();
  // Whoever comes to chat with a model sees that one, whatever it can do.
  const models = tab === "chat" ? deployments : modelsFor(tab, deployments);
  const model = chooseModel(models, wish);
  if (!model) return <NoModel hint={t(`playground.noModelsHints.${tab}`)} />;
  if (tab === "compare") return <Compare models={models} first={model} />;
  if (tab === "embeddings") return <Embeddings model={model} models={models} />;
  if (tab === "rerank") return <Rerank model={model} models={models} />;
  // A new model starts with its own parameters and an empty conversation.
  return <Playground key={model.id} model={model} models={models} />;
}

export function PlaygroundPage(): ReactElement {
  const { t } = useTranslation();
  useEffect(() => {
    void loadMarkdown();
    void loadOverlay();
  }, []);
  const deployments = useQuery(deploymentsQuery);
  if (deployments.isPending) return <Loader m="xl" aria-label={t("common.loading")} />;
  if (!deployments.data) return <ErrorAlert error={deployments.error} onRetry={() => void deployments.refetch()} />;
  return (
    <Suspense fallback={<Loader m="xl" aria-label={t("common.loading")} />}>
      <Tab deployments={deployments.data} />
    </Suspense>
  );
}
