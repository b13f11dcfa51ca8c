import { Text, Tooltip } from "@mantine/core";
import type { TFunction } from "i18next";
import type { CSSProperties, KeyboardEvent, ReactElement } from "react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { formatBytes } from "@/lib/format";
import type { Item, Stretch } from "@/lib/memory";
import { isItem } from "@/lib/memory";
import classes from "./DeviceBar.module.css";

/** The same part has the same colour wherever it shows. */
const COLOURS: Record<Item, string> = {
  weights: "indigo-6",
  vision_weights: "grape-6",
  projector: "grape-6",
  kv_cache: "cyan-6",
  compute: "teal-6",
  vision_compute: "orange-6",
  activation: "teal-6",
  encoder_peak: "orange-6",
  encoder_cache: "yellow-6",
  cuda_graphs: "pink-6",
  non_torch: "lime-7",
  overhead: "lime-7",
  weights_host: "indigo-4",
  kv_cache_host: "cyan-4",
  compute_host: "teal-4",
  overhead_host: "lime-5",
  prompt_cache: "violet-5",
  picture_cache: "orange-4",
  server_host: "blue-5",
};

const colourOf = (code: string): string => `var(--mantine-color-${isItem(code) ? COLOURS[code] : "blue-6"})`;

export const itemName = (t: TFunction, code: string): string => (isItem(code) ? t(`memory.item.${code}`) : code);

interface Words {
  label: string;
  detail: string;
}

/** What a stretch is called, and what explains it. */
function wordsOf(t: TFunction, { kind, name, why, bytes, high }: Stretch): Words {
  if (kind === "item") {
    const most = high !== null && high > bytes ? t("memory.high", { high: formatBytes(high) }) : "";
    return { label: itemName(t, name), detail: [why, most].filter(Boolean).join(" ") };
  }
  if (kind === "other") return { label: name, detail: t("memory.otherHint", { name }) };
  if (kind === "replica") return { label: t("memory.replica", { number: name }), detail: t("memory.replicaHint") };
  return { label: t(`memory.${kind}`), detail: t(`memory.${kind}Hint`) };
}

/** The colour of a line beside a list of items. */
export function Swatch({ code }: { code: string }): ReactElement {
  return <span className={classes.swatch} style={{ background: colourOf(code) }} aria-hidden />;
}

/** The share of the bar from which on a name can be read in it. */
const LEGIBLE = 0.06;

interface Props {
  /** What the bar is of, for those who do not see it. */
  label: string;
  stretches: readonly Stretch[];
  /** Bytes beyond the device's end. */
  over: number;
  /** Bytes in use as measured, as a second bar; left out where nobody measured. */
  used?: number;
}

/** The stretch that is entered by Tab, and moving between stretches by the arrow keys. */
function useArrows(count: number) {
  const [at, setAt] = useState(0);
  const buttons = useRef<(HTMLButtonElement | null)[]>([]);
  const current = Math.min(at, count - 1);
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons.current[Math.max(0, Math.min(to, count - 1))]?.focus();
  };
  return { current, setAt, buttons, onKeyDown };
}

/** A device's memory from end to end. Each stretch explains itself under the pointer and under the keyboard's focus. */
export function DeviceBar({ label, stretches, over, used }: Props): ReactElement {
  const { t } = useTranslation();
  const { current, setAt, buttons, onKeyDown } = useArrows(stretches.length);
  const whole = stretches.reduce((all, { bytes }) => all + bytes, 0);
  const share = (bytes: number): string => `${whole > 0 ? (Math.min(bytes, whole) / whole) * 100 : 0}%`;
  return (
    <div>
      <div className={classes.bar} role="group" aria-label={label} onKeyDown={onKeyDown} data-over={over > 0}>
        {stretches.map((stretch, index) => {
          const { id, kind, bytes, name } = stretch;
          const { label: what, detail } = wordsOf(t, stretch);
          const size = formatBytes(bytes);
          const style: CSSProperties & Record<"--stretch", string> = {
            flexGrow: bytes / Math.max(whole, 1),
            "--stretch": colourOf(name),
          };
          const tip = (
            <>
              <Text size="sm" fw={600}>
                {what}: {size}
              </Text>
              {detail && <Text size="xs">{detail}</Text>}
            </>
          );
          return (
            <Tooltip key={id} label={tip} multiline maw={300} openDelay={80}>
              <button
                ref={(button) => {
                  buttons.current[index] = button;
                }}
                type="button"
                className={classes.stretch}
                style={style}
                data-look={kind}
                data-stretch={kind === "item" || kind === "other" ? name : kind}
                tabIndex={index === current ? 0 : -1}
                aria-label={`${what}: ${size}`}
                aria-description={detail}
                onFocus={() => {
                  setAt(index);
                }}
              >
                {kind === "other" && bytes >= whole * LEGIBLE ? name : null}
              </button>
            </Tooltip>
          );
        })}
        {over > 0 && <span className={classes.beyond} style={{ width: share(over) }} aria-hidden />}
      </div>
      {used !== undefined && (
        <div className={classes.measured} aria-hidden>
          <span className={classes.used} style={{ width: share(used) }} />
        </div>
      )}
    </div>
  );
}
