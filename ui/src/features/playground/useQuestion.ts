import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Example } from "./examples/list";
import { exampleFiles } from "./examples/list";
import { isPdf } from "./pictures";
import { usePictures } from "./usePictures";

/** The question that is being written: words, pictures, a PDF whose pages are being chosen. `square`: see
 * `usePictures`. */
export function useQuestion(square: boolean) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [pdf, setPdf] = useState<File | null>(null);
  const pictures = usePictures(square);
  return {
    text,
    setText,
    pdf,
    pictures,
    pdfDone: () => {
      setPdf(null);
    },
    addFiles: (files: Iterable<File>): void => {
      const all = [...files];
      setPdf((old) => all.find(isPdf) ?? old);
      void pictures.add(all.filter((file) => !isPdf(file)));
    },
    example: async (example: Example | "demo", question: string): Promise<void> => {
      pictures.clear();
      setText(question);
      await pictures.add(await exampleFiles(example, t("playground.exampleName")));
    },
  };
}
