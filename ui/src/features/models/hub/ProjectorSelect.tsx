import { Select } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ChoiceView } from "@/api/generated/types.gen";

interface Props {
  choice: ChoiceView;
  picked: string | null;
  onPick: (projector: string | null) => void;
}

/** The file that turns pictures into tokens: the one that was matched, which may be changed. */
export function ProjectorSelect({ choice, picked, onPick }: Props): ReactElement | null {
  const { t } = useTranslation();
  const known = [...new Set([...(choice.projector ? [choice.projector] : []), ...choice.projectors])];
  if (known.length === 0) return null;
  const label = (path: string): string => (path === choice.projector ? t("hub.matched", { path }) : path);
  return (
    <Select
      label={t("hub.projector")}
      description={t("hub.projectorHint")}
      data={[
        ...known.map((path) => ({ value: path, label: label(path) })),
        { value: "none", label: t("hub.textOnly") },
      ]}
      value={picked ?? choice.projector ?? "none"}
      allowDeselect={false}
      onChange={(value) => {
        onPick(value);
      }}
    />
  );
}
