import type { ReactElement } from "react";
import { useEffect, useRef } from "react";

/** A formula in TeX; its source until KaTeX is there. */
export function Formula({ tex, display }: { tex: string; display: boolean }): ReactElement {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let gone = false;
    void import("./katex").then(({ drawFormula }) => {
      if (!gone && place.current) drawFormula(tex, place.current, display);
    });
    return () => {
      gone = true;
    };
  }, [tex, display]);
  return (
    <span key={tex} ref={place} data-formula>
      {tex}
    </span>
  );
}
