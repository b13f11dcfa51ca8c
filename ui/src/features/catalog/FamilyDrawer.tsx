import { Anchor, Badge, Drawer, Group, Stack, Text, Title } from "@mantine/core";
import { IconCode, IconExternalLink } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { CatalogCardView, CatalogVariantView } from "@/api/generated/types.gen";
import { FitMark } from "@/components/FitMark";
import { Labels } from "@/components/Labels";
import { formatParameters } from "@/lib/format";
import { formatBytes } from "@/lib/format";
import { hubPage } from "@/lib/hubs";
import classes from "./Catalog.module.css";
import { DeployLink } from "./FamilyCard";
import { byModel, deployAddress, engineName, precision } from "./rules";

interface RowProps {
  card: CatalogCardView;
  variant: CatalogVariantView;
}

/** What it would claim, on each of its GPUs where these are several; null where it does not fit. */
function claimed(variant: CatalogVariantView): string | null {
  const held = variant.memory_high ? formatBytes(variant.memory_high) : null;
  return held && (variant.gpus > 1 ? `${variant.gpus} × ${held}` : held);
}

function Row({ card, variant }: RowProps): ReactElement {
  const { t } = useTranslation();
  const { deploy, repo } = deployAddress(card, variant);
  const memory = claimed(variant);
  const facts = [
    `${engineName(variant.engine)}${variant.engine_versions ? ` ${variant.engine_versions}` : ""}`,
    t("catalog.download", { bytes: formatBytes(variant.download) }),
    memory && t("hub.memory", { bytes: memory }),
    variant.level && variant.level !== "whole" && t(`hub.level.${variant.level}`),
  ];
  return (
    <li className={classes.row} data-variant={variant.id}>
      <Group gap={8}>
        <Text size="sm" fw={600}>
          {precision(variant)}
        </Text>
        <FitMark mark={variant.fit} />
        {variant.id === card.best && (
          <Badge size="sm" variant="outline" tt="none">
            {t("catalog.best")}
          </Badge>
        )}
        <span className={classes.end}>
          <DeployLink card={card} variant={variant} small />
        </span>
      </Group>
      <Text size="xs" c="dimmed">
        {facts.filter(Boolean).join(" · ")}
      </Text>
      {variant.fit_message && (
        <Text size="xs" c="dimmed">
          {variant.fit_message}
        </Text>
      )}
      <Anchor
        size="xs"
        className={classes.name ?? ""}
        href={hubPage(deploy === "ms" ? "ms" : "hf", repo)}
        target="_blank"
        rel="noopener noreferrer"
      >
        {variant.source} <IconExternalLink size={12} aria-hidden />
      </Anchor>
    </li>
  );
}

function Model({ name, variants, card }: { name: string; variants: CatalogVariantView[]; card: CatalogCardView }) {
  const { t } = useTranslation();
  const first = variants[0];
  if (!first) return null;
  const facts = [
    t("hub.parameters", { shown: formatParameters(first.parameters) }),
    first.active !== null && t("catalog.active", { shown: formatParameters(first.active) }),
    first.context_length !== null && t("models.context", { tokens: first.context_length }),
    t("hub.licence", { name: first.license }),
  ];
  return (
    <section>
      <Title order={4} size="h6" className={classes.name ?? ""}>
        {name}
      </Title>
      <Text size="xs" c="dimmed">
        {facts.filter(Boolean).join(" · ")}
      </Text>
      {variants.some(({ code }) => code) && (
        <Text size="xs" mt={4} className={classes.note ?? ""}>
          <IconCode size={14} aria-hidden /> {t("catalog.code")}
        </Text>
      )}
      {first.uncertain.length > 0 && (
        <Text size="xs" mt={4} c="dimmed">
          {t("catalog.uncertain")}
        </Text>
      )}
      <ul className={classes.rows}>
        {variants.map((variant) => (
          <Row key={variant.id} card={card} variant={variant} />
        ))}
      </ul>
    </section>
  );
}

/** Everything of one family: each size, each way to store it, and how it fits. */
export function FamilyDrawer({ card, onClose }: { card: CatalogCardView; onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  return (
    <Drawer
      opened
      onClose={onClose}
      size="lg"
      title={t("catalog.variantsOf", { name: card.title })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Stack>
        <Group gap={6}>
          <Labels capabilities={card.capabilities} gated={card.gated} />
        </Group>
        <Text size="sm">{card.description}</Text>
        {card.notes && (
          <Text size="sm" className={classes.note ?? ""}>
            {card.notes}
          </Text>
        )}
        {byModel(card.variants).map(([name, variants]) => (
          <Model key={name} name={name} variants={variants} card={card} />
        ))}
      </Stack>
    </Drawer>
  );
}
