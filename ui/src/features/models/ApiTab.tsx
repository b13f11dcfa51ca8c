import { Anchor, SegmentedControl, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { keysQuery } from "@/api/queries";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyText } from "@/components/CopyText";
import type { Snippet } from "./access";
import { keysFor, snippet, SNIPPETS } from "./access";

const NAMES = { curl: "curl", python: "Python", typescript: "TypeScript" } as const;

function KeyHint({ model, names }: { model: string; names: readonly string[] }): ReactElement {
  const { t } = useTranslation();
  return (
    <Text size="sm">
      {names.length > 0 ? t("access.keys", { names: names.join(" · ") }) : t("access.noKey")}{" "}
      <Anchor
        size="sm"
        underline="always"
        renderRoot={(props) => <Link to="/keys" search={{ create: model }} {...props} />}
      >
        {t("access.makeKey", { model })}
      </Anchor>
    </Text>
  );
}

/** How programs ask this model: the address, a key that may, and code. */
export function ApiTab({ deployment }: { deployment: DeploymentView }): ReactElement {
  const { t } = useTranslation();
  const [kind, setKind] = useState<Snippet>("curl");
  const [opened] = useState(() => Date.now() / 1000);
  const keys = useQuery(keysQuery);
  const base = `${window.location.origin}/v1`;
  const { name, capabilities } = deployment;
  const usable = keysFor(name, keys.data ?? [], opened);
  const vision = capabilities.includes("vision");
  const key = usable[0] ? `sk-${usable[0].id}-…` : "sk-…";
  const question = t(vision ? "access.seeQuestion" : "access.textQuestion");
  return (
    <Stack gap="sm">
      <Text size="sm">
        {t("access.address")} <CopyText text={base} label={t("access.address")} /> · {t("access.model")}{" "}
        <CopyText text={name} label={t("access.model")} />
      </Text>
      <KeyHint model={name} names={usable.map((each) => each.name)} />
      <SegmentedControl
        size="xs"
        w="fit-content"
        aria-label={t("access.language")}
        data={SNIPPETS.map((value) => ({ value, label: NAMES[value] }))}
        value={kind}
        onChange={setKind}
      />
      <CodeBlock text={snippet(kind, { base, model: name, key, vision, question })} label={NAMES[kind]} />
    </Stack>
  );
}
