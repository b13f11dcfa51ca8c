import { Button, Checkbox, Group, Modal, Radio, Stack, Text, TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { EnginesView, OfferView } from "@/api/generated/types.gen";
import { ErrorAlert } from "@/components/ErrorAlert";
import { formatBytes } from "@/lib/format";
import { neededFor, nodesWithout, sortedOffers } from "./rules";
import { useInstall } from "./useEngines";

interface Props {
  engines: EnginesView;
  /** The version that was asked for; empty: none. */
  wish: string;
  onClose: () => void;
}

function useDescription(): (offer: OfferView) => string {
  const { t } = useTranslation();
  return (offer) => {
    const { names, more } = neededFor(offer);
    const listed = more > 0 ? t("engines.andMore", { names: names.join(", "), count: more }) : names.join(", ");
    return [
      t("engines.toFetch", { bytes: formatBytes(offer.size) }),
      offer.cuda && offer.driver && t("engines.needsDriver", { cuda: offer.cuda, driver: offer.driver }),
      offer.variant === "cpu" && t("engines.cpuHint"),
      names.length > 0 && t("engines.lastFor", { names: listed }),
    ]
      .filter(Boolean)
      .join(" · ");
  };
}

/** Chooses a version, which says what it needs and what it is needed for, and the machines. */
export function InstallDialog({ engines, wish, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const describe = useDescription();
  const offers = sortedOffers(engines.offers, engines.nodes);
  const [name, setName] = useState(offers.find((offer) => offer.name === wish)?.name ?? offers[0]?.name ?? "");
  const [left, setLeft] = useState<readonly string[]>([]);
  const [wheels, setWheels] = useState("");
  const install = useInstall(onClose);
  const offer = offers.find((one) => one.name === name);
  const possible = offer ? nodesWithout(offer, engines.nodes, engines.items) : [];
  const chosen = possible.map((node) => node.node_id).filter((id) => !left.includes(id));
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("engines.install")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!offer) return;
          const { engine, version, variant } = offer;
          install.mutate({ engine, version, variant, nodes: chosen, wheels: wheels.trim() || null });
        }}
      >
        <Stack>
          <Radio.Group label={t("engines.version")} value={name} onChange={setName}>
            <Stack gap="xs" mt={6}>
              {offers.map((one) => (
                <Radio
                  key={one.name}
                  value={one.name}
                  label={`${one.engine} ${one.version} (${one.variant.toUpperCase()})`}
                  description={describe(one)}
                />
              ))}
            </Stack>
          </Radio.Group>
          {possible.length === 0 ? (
            <Text size="sm">{t("engines.isThere")}</Text>
          ) : (
            engines.nodes.length > 1 && (
              <Checkbox.Group
                label={t("engines.machines")}
                value={chosen}
                onChange={(kept) => {
                  setLeft(possible.map((node) => node.node_id).filter((id) => !kept.includes(id)));
                }}
              >
                <Stack gap={6} mt={6}>
                  {possible.map((node) => (
                    <Checkbox key={node.node_id} value={node.node_id} label={node.node} />
                  ))}
                </Stack>
              </Checkbox.Group>
            )
          )}
          <TextInput
            label={t("engines.wheels")}
            description={t("engines.wheelsHint")}
            placeholder="/media/usb/wheels"
            spellCheck={false}
            maxLength={4096}
            value={wheels}
            onChange={(event) => {
              setWheels(event.currentTarget.value);
            }}
          />
          {install.error && <ErrorAlert error={install.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={install.isPending} disabled={chosen.length === 0}>
              {t("engines.installNow")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
