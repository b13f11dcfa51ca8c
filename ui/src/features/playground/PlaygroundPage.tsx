import { Loader } from "@mantine/core";
import { IconCube } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { deploymentsQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import classes from "./Conversation.module.css";
import { chooseModel } from "./models";
import { Playground } from "./Playground";

const route = getRouteApi("/playground");

export function PlaygroundPage(): ReactElement {
  const { t } = useTranslation();
  const { model: wish } = route.useSearch();
  const deployments = useQuery(deploymentsQuery);
  if (deployments.isPending) return <Loader m="xl" aria-label={t("common.loading")} />;
  if (!deployments.data) return <ErrorAlert error={deployments.error} onRetry={() => void deployments.refetch()} />;
  const model = chooseModel(deployments.data, wish);
  if (!model) {
    return (
      <EmptyState icon={<IconCube size={32} />} title={t("playground.noModels")} hint={t("playground.noModelsHint")}>
        <Link to="/models" search={{ deploy: "demo" }} className={classes.link ?? ""}>
          {t("models.deploy")}
        </Link>
      </EmptyState>
    );
  }
  // A new model starts with its own parameters and an empty conversation.
  return <Playground key={model.id} model={model} models={deployments.data} />;
}
