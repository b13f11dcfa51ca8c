import { Group, Text } from "@mantine/core";
import { IconLink, IconPencil, IconTrash } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import classes from "../Conversation.module.css";
import type { Picture, UserTurn } from "../turns";
import { isRemote } from "../turns";
import { EditText } from "./EditText";
import { TurnAction } from "./TurnAction";

function Shown({ picture }: { picture: Picture }): ReactElement {
  if (!isRemote(picture)) return <img className={classes.picture} src={picture.src} alt={picture.name} />;
  return (
    <Group gap={4} wrap="nowrap">
      <IconLink size={16} aria-hidden />
      <Text size="sm" className={classes.text ?? ""}>
        {picture.src}
      </Text>
    </Group>
  );
}

interface Props {
  turn: UserTurn;
  busy: boolean;
  onEdit: (text: string) => void;
  onCut: () => void;
}

/** A question with its pictures. */
export function Asked({ turn, busy, onEdit, onCut }: Props): ReactElement {
  const { t } = useTranslation();
  const [editing, setEditing] = useState(false);
  return (
    <div className={classes.asked} data-turn="user" data-editing={editing}>
      {turn.pictures.length > 0 && (
        <Group gap="xs" mb={turn.text ? 8 : 0}>
          {turn.pictures.map((picture) => (
            <Shown key={picture.id} picture={picture} />
          ))}
        </Group>
      )}
      {editing ? (
        <EditText
          text={turn.text}
          action={t("playground.askAgain")}
          onDone={onEdit}
          onCancel={() => {
            setEditing(false);
          }}
        />
      ) : (
        <>
          <Text className={classes.text ?? ""}>{turn.text}</Text>
          <Group gap={2} mt={4} justify="flex-end">
            <TurnAction
              label={t("playground.edit")}
              icon={<IconPencil size={14} />}
              disabled={busy}
              onClick={() => {
                setEditing(true);
              }}
            />
            <TurnAction label={t("playground.cut")} icon={<IconTrash size={14} />} disabled={busy} onClick={onCut} />
          </Group>
        </>
      )}
    </div>
  );
}
