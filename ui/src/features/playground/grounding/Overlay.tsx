import { ActionIcon, Button, Group, SegmentedControl, Select, Stack, Text, Tooltip } from "@mantine/core";
import { IconBraces, IconCheck } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { CodeBlock } from "@/components/CodeBlock";
import { copyText } from "@/lib/clipboard";
import classes from "./Overlay.module.css";
import type { Sent } from "./place";
import { asJson, coordinates, placedAll } from "./place";
import { PictureShapes } from "./PictureShapes";
import type { Frame, Grounding, Shape } from "./shapes";
import { FRAMES } from "./shapes";

export interface OverlayPicture extends Sent {
  id: string;
  name: string;
  src: string;
}

interface Props {
  found: Grounding;
  pictures: readonly OverlayPicture[];
}

function ShapeList({ shapes, active, onActive, onCopy }: ListProps): ReactElement {
  const { t } = useTranslation();
  return (
    <Group gap={6} role="list" aria-label={t("grounding.list")}>
      {shapes.map((shape, index) => (
        <span key={index} role="listitem">
          <Button
            size="compact-xs"
            variant={active === index ? "light" : "default"}
            leftSection={<span className={classes.dot} data-colour={index % 6} />}
            onMouseEnter={() => {
              onActive(index);
            }}
            onMouseLeave={() => {
              onActive(null);
            }}
            onClick={() => {
              onCopy(shape, index);
            }}
          >
            {shape.label || t(`grounding.${shape.kind}`)} · {coordinates(shape)}
          </Button>
        </span>
      ))}
    </Group>
  );
}

interface ListProps {
  shapes: readonly Shape[];
  active: number | null;
  onActive: (index: number | null) => void;
  onCopy: (shape: Shape, index: number) => void;
}

/** The places that an answer names, drawn over the picture; a click copies them in pixels of the original. */
export function Overlay({ found, pictures }: Props): ReactElement | null {
  const { t } = useTranslation();
  const [frame, setFrame] = useState<Frame>(found.frame);
  const [which, setWhich] = useState(0);
  const [active, setActive] = useState<number | null>(null);
  const [copied, setCopied] = useState<number | null>(null);
  const [json, setJson] = useState(false);
  const picture = pictures[which] ?? pictures[0];
  if (!picture) return null;
  const shapes = placedAll(found, frame, picture);
  const copy = (shape: Shape, index: number): void => {
    void copyText(coordinates(shape)).then((there) => {
      setCopied(there ? index : null);
    });
  };
  return (
    <Stack gap="xs" className={classes.overlay ?? ""} data-grounding={found.convention} data-frame={frame}>
      <Group gap="sm" align="end">
        <Text size="sm" fw={600}>
          {t("grounding.title", { count: shapes.length })}
        </Text>
        {pictures.length > 1 && (
          <SegmentedControl
            size="xs"
            aria-label={t("grounding.picture")}
            data={pictures.map((_, index) => ({ value: String(index), label: String(index + 1) }))}
            value={String(which)}
            onChange={(value) => {
              setWhich(Number(value));
            }}
          />
        )}
        <Select
          size="xs"
          w={190}
          aria-label={t("grounding.frame")}
          data={FRAMES.map((name) => ({ value: name, label: name === "pixels" ? t("grounding.pixels") : name }))}
          value={frame}
          allowDeselect={false}
          onChange={(value) => {
            const chosen = FRAMES.find((name) => name === value);
            if (chosen) setFrame(chosen);
          }}
        />
        <Tooltip label={t("grounding.json")}>
          <ActionIcon
            variant={json ? "light" : "default"}
            size={30}
            aria-label={t("grounding.json")}
            aria-pressed={json}
            onClick={() => {
              setJson(!json);
            }}
          >
            <IconBraces size={16} />
          </ActionIcon>
        </Tooltip>
      </Group>
      <PictureShapes picture={picture} shapes={shapes} active={active} onActive={setActive} onCopy={copy} />
      <ShapeList shapes={shapes} active={active} onActive={setActive} onCopy={copy} />
      <Text size="xs" c="dimmed" role="status">
        {copied === null ? (
          t("grounding.hint")
        ) : (
          <>
            <IconCheck size={12} aria-hidden />{" "}
            {t("grounding.copied", {
              coordinates: coordinates(shapes[copied] ?? { kind: "point", label: "", points: [] }),
            })}
          </>
        )}
      </Text>
      {json && <CodeBlock text={asJson(shapes, picture.original)} label={t("grounding.json")} />}
    </Stack>
  );
}
