import { Select } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ModelSize } from "@/lib/modelSizes";
import { MODEL_SIZES } from "@/lib/modelSizes";

const ANY = "any";

interface Props {
  value: ModelSize | undefined;
  onChange: (size: ModelSize | undefined) => void;
  size?: "xs" | "sm";
  className?: string;
}

/** How large a model may be, in parameters. */
export function ModelSizeSelect({ value, onChange, size = "sm", className = "" }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Select
      className={className}
      size={size}
      aria-label={t("catalog.size")}
      data={[
        { value: ANY, label: t("catalog.anySize") },
        ...MODEL_SIZES.map((name) => ({ value: name, label: t(`catalog.sizes.${name}`) })),
      ]}
      value={value ?? ANY}
      allowDeselect={false}
      onChange={(picked) => {
        onChange(MODEL_SIZES.find((name) => name === picked));
      }}
    />
  );
}
