import { Fieldset, MultiSelect, Select, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView, PlacementWishesOutput } from "@/api/generated/types.gen";
import { nodesQuery } from "@/api/queries";
import { labelsOf, labelTexts } from "@/lib/labels";

interface Props {
  wishes: PlacementWishesOutput;
  onChange: (wishes: PlacementWishesOutput) => void;
}

interface Option {
  value: string;
  label: string;
}

const CPU_WISHES = ["auto", "allow", "never"] as const;

/** With what is wished already, also where no machine has it (any more). */
function withWished(options: readonly Option[], wished: readonly string[]): Option[] {
  const known = new Set(options.map(({ value }) => value));
  return [...options, ...wished.filter((value) => !known.has(value)).map((value) => ({ value, label: value }))];
}

/** Every device once: the processor has the same id on every machine. */
function deviceOptions(nodes: readonly NodeView[], cpu: string): Option[] {
  const found = nodes.flatMap(({ hostname, devices }) =>
    devices.map(({ device: { id, kind, name, index } }): Option => {
      const label =
        kind === "cpu" ? cpu : [`GPU ${index}`, name, nodes.length > 1 ? hostname : ""].filter(Boolean).join(" · ");
      return { value: id, label };
    }),
  );
  return [...new Map(found.map((option) => [option.value, option])).values()];
}

const optionOf = (text: string): Option => ({ value: text, label: text });

/** Where replicas may go: freest or fullest device, whether to a CPU, certain machines, labels, devices. */
export function PlacementFields({ wishes, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  const { data: nodes = [] } = useQuery(nodesQuery);
  const machines = nodes.map(({ id, hostname }) => ({ value: id, label: hostname }));
  const { nodes: wishedNodes, devices: wishedDevices, strategy } = wishes;
  // A dictionary whose names have a pattern is generated as one of anything.
  const wishedLabels = labelTexts(wishes.labels as Record<string, string>);
  const labels = [...new Set(nodes.flatMap((node) => labelTexts(node.labels)))].sort();
  return (
    <Fieldset legend={t("placement.title")}>
      <Stack gap="sm">
        <Select
          label={t("placement.strategy")}
          description={t(`placement.hint.${strategy}`)}
          data={[
            { value: "spread", label: t("placement.spread") },
            { value: "pack", label: t("placement.pack") },
          ]}
          value={strategy}
          allowDeselect={false}
          onChange={(value) => {
            onChange({ ...wishes, strategy: value === "pack" ? "pack" : "spread" });
          }}
        />
        <Select
          label={t("placement.useCpu")}
          description={t(`placement.cpuHint.${wishes.cpu}`)}
          data={CPU_WISHES.map((wish) => ({ value: wish, label: t(`placement.cpuWish.${wish}`) }))}
          value={wishes.cpu}
          allowDeselect={false}
          onChange={(value) => {
            onChange({ ...wishes, cpu: CPU_WISHES.find((wish) => wish === value) ?? "auto" });
          }}
        />
        <MultiSelect
          label={t("placement.nodes")}
          placeholder={wishedNodes.length > 0 ? "" : t("placement.anyNode")}
          data={withWished(machines, wishedNodes)}
          value={wishedNodes}
          onChange={(value) => {
            onChange({ ...wishes, nodes: value });
          }}
        />
        <MultiSelect
          label={t("placement.labels")}
          placeholder={wishedLabels.length > 0 ? "" : t("placement.anyLabel")}
          data={withWished(labels.map(optionOf), wishedLabels)}
          value={wishedLabels}
          onChange={(value) => {
            onChange({ ...wishes, labels: labelsOf(value) ?? {} });
          }}
        />
        <MultiSelect
          label={t("placement.devices")}
          placeholder={wishedDevices.length > 0 ? "" : t("placement.anyDevice")}
          data={withWished(deviceOptions(nodes, t("placement.cpu")), wishedDevices)}
          value={wishedDevices}
          onChange={(value) => {
            onChange({ ...wishes, devices: value });
          }}
        />
      </Stack>
    </Fieldset>
  );
}
