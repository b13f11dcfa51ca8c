import { Alert, Button, Group, Modal } from "@mantine/core";
import type { ReactElement } from "react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Camera.module.css";

interface Props {
  onPicture: (file: File) => void;
  onClose: () => void;
}

/** What the video shows now, as a file; null before the first frame. */
async function snapshot(video: HTMLVideoElement): Promise<File | null> {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext("2d");
  if (!context || canvas.width === 0) return null;
  context.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, "image/jpeg", 0.95);
  });
  return blob && new File([blob], "camera.jpg", { type: "image/jpeg" });
}

/** The camera of this device. Browsers give it only to pages by https and to localhost. */
export function Camera({ onPicture, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const video = useRef<HTMLVideoElement>(null);
  const [ready, setReady] = useState(false);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let stream: MediaStream | null = null;
    let gone = false;
    const end = (): void => {
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
    const begin = async (): Promise<void> => {
      const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
      if (!devices) throw new Error("no camera without https");
      stream = await devices.getUserMedia({ video: { facingMode: "environment" } });
      if (gone) end();
      else if (video.current) video.current.srcObject = stream;
    };
    begin().catch(() => {
      if (!gone) setFailed(true);
    });
    return () => {
      gone = true;
      end();
    };
  }, []);
  const take = async (): Promise<void> => {
    const file = video.current && (await snapshot(video.current));
    if (!file) return;
    onPicture(file);
    onClose();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("playground.camera")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      {failed ? (
        <Alert color="yellow">
          {window.isSecureContext ? t("playground.cameraRefused") : t("playground.cameraInsecure")}
        </Alert>
      ) : (
        <video
          ref={video}
          className={classes.video}
          autoPlay
          muted
          playsInline
          onPlaying={() => {
            setReady(true);
          }}
        />
      )}
      <Group justify="flex-end" mt="md">
        <Button disabled={!ready} onClick={() => void take()}>
          {t("playground.takePicture")}
        </Button>
      </Group>
    </Modal>
  );
}
