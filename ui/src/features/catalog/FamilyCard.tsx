import { Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { IconListDetails, IconRocket } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import type { CatalogCardView, CatalogVariantView } from "@/api/generated/types.gen";
import { FitMark } from "@/components/FitMark";
import { Labels } from "@/components/Labels";
import { formatBytes } from "@/lib/format";
import classes from "./Catalog.module.css";
import { bestOf, deployAddress, engineName, precision, sizeRange } from "./rules";

/** Leads to the form that deploys a variant, filled in. */
export function DeployLink({
  card,
  variant,
  small = false,
}: {
  card: CatalogCardView;
  variant: CatalogVariantView;
  small?: boolean;
}): ReactElement {
  const { t } = useTranslation();
  return (
    <Button
      size={small ? "compact-xs" : "xs"}
      variant={variant.fit === "fits" && !small ? "filled" : "light"}
      leftSection={<IconRocket size={14} aria-hidden />}
      aria-label={t("catalog.deployNamed", { name: variant.id })}
      renderRoot={(props) => <Link to="/models" search={deployAddress(card, variant)} {...props} />}
    >
      {t("catalog.deploy")}
    </Button>
  );
}

function Best({ best }: { best: CatalogVariantView }): ReactElement {
  const { t } = useTranslation();
  const facts = [
    precision(best),
    engineName(best.engine),
    t("catalog.download", { bytes: formatBytes(best.download) }),
  ];
  return (
    <div>
      <Text size="sm" fw={600} className={classes.name ?? ""}>
        {best.model}
      </Text>
      <Text size="xs" c="dimmed">
        {facts.join(" · ")}
      </Text>
    </div>
  );
}

/** A family: what it is for, the variant that suits the machines, and why that one. */
export function FamilyCard({ card, onOpen }: { card: CatalogCardView; onOpen: () => void }): ReactElement {
  const { t } = useTranslation();
  const id = useId();
  const best = bestOf(card);
  const variants = t("catalog.variants", { shown: card.variants.length });
  return (
    <Paper component="article" aria-labelledby={id} className={classes.card ?? ""} p="md" data-family={card.name}>
      <Stack gap={6}>
        <Title order={3} size="h5" id={id}>
          {card.title}
        </Title>
        <Text size="xs" c="dimmed">
          {[card.publisher, sizeRange(card.variants), t("hub.licence", { name: card.license })].join(" · ")}
        </Text>
        <Group gap={6}>
          <Labels capabilities={card.capabilities} gated={card.gated} />
        </Group>
        <Text size="sm" className={classes.about ?? ""}>
          {card.description}
        </Text>
      </Stack>
      <Stack gap={8} className={classes.best ?? ""}>
        <Group gap={6}>
          <FitMark mark={card.fit} />
        </Group>
        {best && <Best best={best} />}
        <Text size="xs" c="dimmed">
          {card.why}
        </Text>
        <Group gap="xs" justify="space-between">
          <Button
            size="xs"
            variant="subtle"
            px={6}
            leftSection={<IconListDetails size={14} aria-hidden />}
            aria-label={`${variants} ${card.title}`}
            onClick={onOpen}
          >
            {variants}
          </Button>
          {best && <DeployLink card={card} variant={best} />}
        </Group>
      </Stack>
    </Paper>
  );
}
