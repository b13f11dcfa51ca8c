import { Alert, Button, Group, Loader, Modal, Pagination, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Pdf } from "./pdf";
import { openPdf, renderPage } from "./pdf";
import classes from "./PdfPages.module.css";

const AT_ONCE = 12;
const THUMBNAIL = 220;

interface Props {
  file: File;
  /** The longer side of the pages as pictures, in pixels. */
  side: number;
  onPictures: (files: File[]) => void;
  onClose: () => void;
}

/** A page's picture as long as it is shown. */
function useThumbnail(pdf: Pdf, number: number): string | null {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    let gone = false;
    let made: string | null = null;
    void renderPage(pdf, number, THUMBNAIL).then((blob) => {
      if (gone) return;
      made = URL.createObjectURL(blob);
      setAddress(made);
    });
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [pdf, number]);
  return address;
}

interface PageProps {
  pdf: Pdf;
  number: number;
  chosen: boolean;
  onToggle: () => void;
}

function Page({ pdf, number, chosen, onToggle }: PageProps): ReactElement {
  const { t } = useTranslation();
  const address = useThumbnail(pdf, number);
  return (
    <button
      type="button"
      className={classes.page}
      aria-pressed={chosen}
      aria-label={t("playground.pdfPage", { number })}
      onClick={onToggle}
    >
      {address ? <img src={address} alt="" /> : <Loader size="sm" />}
      <Text size="xs">{number}</Text>
    </button>
  );
}

function usePdf(file: File): { pdf: Pdf | null; failed: boolean } {
  const [pdf, setPdf] = useState<Pdf | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    const opened = openPdf(file);
    opened.then(
      (found) => {
        if (!gone) setPdf(found);
      },
      () => {
        if (!gone) setFailed(true);
      },
    );
    return () => {
      gone = true;
      void opened.then(
        (found) => found.destroy(),
        () => undefined,
      );
    };
  }, [file]);
  return { pdf, failed };
}

/** Chooses pages of a PDF, which become pictures here in the browser. */
export function PdfPages({ file, side, onPictures, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const { pdf, failed } = usePdf(file);
  const [sheet, setSheet] = useState(1);
  const [chosen, setChosen] = useState<readonly number[]>([1]);
  const [busy, setBusy] = useState(false);
  const count = pdf?.numPages ?? 0;
  const first = (sheet - 1) * AT_ONCE + 1;
  const shown = Array.from({ length: Math.max(0, Math.min(AT_ONCE, count - first + 1)) }, (_, index) => first + index);
  const toggle = (number: number): void => {
    setChosen((old) =>
      old.includes(number) ? old.filter((one) => one !== number) : [...old, number].sort((a, b) => a - b),
    );
  };
  const take = async (): Promise<void> => {
    if (!pdf) return;
    setBusy(true);
    const files: File[] = [];
    for (const number of chosen) {
      const name = `${file.name.replace(/\.pdf$/i, "")}-${number}.png`;
      files.push(new File([await renderPage(pdf, number, side)], name, { type: "image/png" }));
    }
    onPictures(files);
    onClose();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={t("playground.pdfTitle", { name: file.name })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      {failed && <Alert color="red">{t("playground.pdfUnreadable", { name: file.name })}</Alert>}
      {!failed && !pdf && <Loader aria-label={t("common.loading")} />}
      {pdf && (
        <>
          <div className={classes.pages}>
            {shown.map((number) => (
              <Page
                key={number}
                pdf={pdf}
                number={number}
                chosen={chosen.includes(number)}
                onToggle={() => {
                  toggle(number);
                }}
              />
            ))}
          </div>
          <Group justify="space-between" mt="md">
            {count > AT_ONCE ? (
              <Pagination size="sm" total={Math.ceil(count / AT_ONCE)} value={sheet} onChange={setSheet} />
            ) : (
              <span />
            )}
            <Button disabled={chosen.length === 0} loading={busy} onClick={() => void take()}>
              {t("playground.pdfAdd", { count: chosen.length })}
            </Button>
          </Group>
        </>
      )}
    </Modal>
  );
}
