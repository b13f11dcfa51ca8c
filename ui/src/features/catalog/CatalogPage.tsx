import { Button, Container, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconBooks, IconLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { catalogQuery } from "@/api/catalog";
import type { CatalogCardView, CatalogView } from "@/api/generated/types.gen";
import { sessionQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { currentLanguage } from "@/i18n";
import { mayAct } from "@/lib/roles";
import classes from "./Catalog.module.css";
import { FamilyCard } from "./FamilyCard";
import { FamilyDrawer } from "./FamilyDrawer";
import { Filters } from "./Filters";
import { isNarrow, wishOf } from "./search";

const route = getRouteApi("/catalog");

/** Nothing is like that: which filter to take off. */
function NoMatch(): ReactElement {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <EmptyState
      icon={<IconBooks size={32} />}
      title={t("catalog.noMatch")}
      hint={search.fits ? t("catalog.noFitHint") : t("catalog.noMatchHint")}
    >
      {isNarrow(search) && (
        <Button
          variant="default"
          onClick={() => void navigate({ search: ({ source }) => (source ? { source } : {}), replace: true })}
        >
          {t("catalog.clear")}
        </Button>
      )}
    </EmptyState>
  );
}

function Waiting(): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={classes.grid} role="status" aria-label={t("common.loading")}>
      {Array.from({ length: 6 }, (_, index) => (
        <Skeleton key={index} height={280} />
      ))}
    </div>
  );
}

function Cards({ found }: { found: CatalogView }): ReactElement {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  const { open } = route.useSearch();
  const opened = found.items.find((card) => card.name === open);
  const show = ({ name }: CatalogCardView) => void navigate({ search: (old) => ({ ...old, open: name }) });
  if (found.items.length === 0) return <NoMatch />;
  return (
    <>
      <Text size="xs" c="dimmed" role="status">
        {t("catalog.shown", { shown: found.items.length, total: found.total })}
      </Text>
      <div className={classes.grid}>
        {found.items.map((card) => (
          <FamilyCard
            key={card.name}
            card={card}
            onOpen={() => {
              show(card);
            }}
          />
        ))}
      </div>
      {opened && (
        <FamilyDrawer
          card={opened}
          onClose={() => {
            void navigate({ search: ({ open: _open, ...rest }) => rest });
          }}
        />
      )}
    </>
  );
}

/** Model families worth serving, and which of them the machines can hold. */
export function CatalogPage(): ReactElement {
  const { t } = useTranslation();
  const session = useQuery(sessionQuery);
  const found = useQuery(catalogQuery(wishOf(route.useSearch()), currentLanguage()));
  if (session.data && !mayAct(session.data, "operator"))
    return <EmptyState icon={<IconLock size={32} />} title={t("catalog.adminTitle")} hint={t("catalog.adminHint")} />;
  return (
    <Container size="xl" py="lg">
      <Title order={1} size="h2">
        {t("catalog.title")}
      </Title>
      <Text size="sm" c="dimmed" mb="md">
        {t("catalog.hint")}
      </Text>
      <Stack>
        <Filters busy={found.isPlaceholderData} hasGpu={found.data?.has_gpu ?? true} />
        {found.isPending && <Waiting />}
        {found.error && !found.data && <ErrorAlert error={found.error} onRetry={() => void found.refetch()} />}
        {found.data && <Cards found={found.data} />}
      </Stack>
    </Container>
  );
}
