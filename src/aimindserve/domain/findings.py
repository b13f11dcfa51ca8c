"""What a look at a machine finds: things in order, and things that are not, with their cause and remedy."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from aimindserve.domain.finding_texts import FACT_TEXTS
from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reason_wording import Values
from aimindserve.domain.reasons import Language, ParameterValue, Reason


class Health(StrEnum):
    """How a check went. ``fail``: aiMindServe cannot work like this, or a secret is open."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Fact(StrEnum):
    """Everything that can be in order."""

    PYTHON = "python"
    MACHINE = "machine"
    MEMORY = "memory"
    DISK = "disk"
    CLOCK = "clock"
    DATA_FOLDER = "data_folder"
    DATA_FOLDER_NEW = "data_folder_new"
    PERMISSIONS = "permissions"
    NOTHING_LEFT = "nothing_left"
    PORT_OURS = "port_ours"
    PORT_FREE = "port_free"
    PAGE = "page"
    DATABASE_NEW = "database_new"
    DATABASE_SQLITE = "database_sqlite"
    DATABASE_POSTGRESQL = "database_postgresql"
    SCHEMA_OLD = "schema_old"
    SERVER = "server"
    SERVER_ABSENT = "server_absent"
    DEVICE = "device"
    ENGINE = "engine"
    SOCKETS = "sockets"
    HUB_ANSWERS = "hub_answers"
    HUB_NOT_ASKED = "hub_not_asked"
    HUB_OFFLINE = "hub_offline"


class Mend(StrEnum):
    """What ``--fix`` may do: nothing of it loses anything that is used."""

    CLOSE = "close"
    """Take the file or folder away from other accounts."""
    REMOVE = "remove"
    """Remove what a process that is gone left behind."""
    MAKE_FOLDER = "make_folder"


class Fix(BaseModel):
    """One safe repair."""

    model_config = ConfigDict(frozen=True)

    mend: Mend
    path: str


class Finding(BaseModel):
    """One line of a diagnosis. ``name``: of the check. Either a fact, or a reason with its remedy."""

    model_config = ConfigDict(frozen=True)

    name: str
    health: Health
    fact: Fact | None = None
    params: dict[str, ParameterValue] = Field(default_factory=dict)
    why: Reason | None = None
    fix: Fix | None = None

    @property
    def code(self) -> str:
        """Of the fact or the reason."""
        return str(self.why.code if self.why else self.fact)


def good(name: str, fact: Fact, /, **params: ParameterValue) -> Finding:
    """Something that is in order."""
    return Finding(name=name, health=Health.OK, fact=fact, params=params)


def note(name: str, why: Reason, fix: Fix | None = None) -> Finding:
    """Something to look at."""
    return Finding(name=name, health=Health.WARN, why=why, fix=fix)


def failure(name: str, why: Reason, fix: Fix | None = None) -> Finding:
    """Something that keeps aiMindServe from working, or leaves a secret open."""
    return Finding(name=name, health=Health.FAIL, why=why, fix=fix)


def worded(finding: Finding, language: Language) -> tuple[str, str]:
    """Message and remedy; the remedy of a fact is empty."""
    if finding.why is not None:
        words = explain(finding.why, language)
        return words.message, "" if finding.health is Health.OK else words.remedy
    text = FACT_TEXTS[str(finding.fact)][1 if language == "zh" else 0]
    return text.format_map(Values({name: str(value) for name, value in finding.params.items()})), ""
