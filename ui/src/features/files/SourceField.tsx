import { Autocomplete, Loader } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { HUB_NAMES } from "@/lib/hubs";
import { validSource } from "./list";
import { matching, pickQuery, wordsOf } from "./pick";

interface Props {
  value: string;
  /** Sources in use, offered first. */
  known: readonly string[];
  onChange: (value: string) => void;
}

const PAUSE_MS = 300;

/** A source as text, or picked: from those in use, or from what the hubs find for the words typed. */
export function SourceField({ value, known, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  const [left, setLeft] = useState(false);
  const [settled] = useDebouncedValue(value, PAUSE_MS);
  const words = wordsOf(settled);
  const hf = useQuery(pickQuery("hf", words));
  const ms = useQuery(pickQuery("ms", words));
  const here = matching(known, value);
  const fresh = (found: readonly string[] = []): string[] => found.filter((source) => !here.includes(source));
  const groups = [
    { group: t("files.inUse"), items: here },
    { group: HUB_NAMES.hf, items: fresh(hf.data) },
    { group: HUB_NAMES.ms, items: fresh(ms.data) },
  ];
  const wanted = value.trim();
  return (
    <Autocomplete
      label={t("files.source")}
      description={t("files.sourceHint")}
      placeholder="hf://bartowski/Qwen2-VL-2B-Instruct-GGUF:Q4_K_M"
      data={groups.filter(({ items }) => items.length > 0)}
      filter={({ options }) => options}
      openOnFocus={false}
      required
      data-autofocus
      spellCheck={false}
      maxLength={4096}
      rightSection={hf.isFetching || ms.isFetching ? <Loader size={16} aria-label={t("common.loading")} /> : null}
      error={left && wanted !== "" && !validSource(wanted) && t("files.sourceInvalid")}
      value={value}
      onChange={onChange}
      onBlur={() => {
        setLeft(true);
      }}
    />
  );
}
