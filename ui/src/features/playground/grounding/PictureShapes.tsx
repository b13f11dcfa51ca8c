import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { OverlayPicture } from "./Overlay";
import classes from "./Overlay.module.css";
import { coordinates } from "./place";
import type { Shape } from "./shapes";

interface Props {
  picture: OverlayPicture;
  shapes: readonly Shape[];
  active: number | null;
  onActive: (index: number | null) => void;
  onCopy: (shape: Shape, index: number) => void;
}

/** The part of the sent file that is the picture, in shares of the file. */
function viewBox({ inner, original }: OverlayPicture): { box: string; x: number; y: number; scale: number } {
  const scale = original.width / inner.width;
  return { box: `0 0 ${original.width} ${original.height}`, x: -inner.x * scale, y: -inner.y * scale, scale };
}

function Outline({ shape, size }: { shape: Shape; size: number }): ReactElement {
  const [[x, y] = [0, 0], [right, bottom] = [0, 0]] = shape.points;
  if (shape.kind === "point") return <circle cx={x} cy={y} r={size} />;
  if (shape.kind === "polygon") return <polygon points={shape.points.map((point) => point.join(",")).join(" ")} />;
  return <rect x={x} y={y} width={right - x} height={bottom - y} />;
}

/** A picture with shapes over it, in its own pixels. */
export function PictureShapes({ picture, shapes, active, onActive, onCopy }: Props): ReactElement {
  const { t } = useTranslation();
  const { original, sent } = picture;
  const { box, x, y, scale } = viewBox(picture);
  const unit = Math.max(original.width, original.height) / 100;
  return (
    <svg className={classes.picture} viewBox={box} role="img" aria-label={t("grounding.drawn", { name: picture.name })}>
      <image href={picture.src} x={x} y={y} width={sent.width * scale} height={sent.height * scale} />
      {shapes.map((shape, index) => {
        const [left = 0, top = 0] = shape.points[0] ?? [];
        return (
          <g
            key={index}
            className={classes.shape}
            data-shape={coordinates(shape)}
            data-colour={index % 6}
            data-active={active === index}
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
            <Outline shape={shape} size={unit} />
            <text x={left} y={Math.max(top - unit * 0.6, unit * 3)} fontSize={unit * 3} strokeWidth={unit * 0.6}>
              {shape.label || index + 1}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
