"""The commands about the catalog against a small server."""

from __future__ import annotations

import json

from tests.cli.conftest import Run
from tests.cli.management import Management

from aimindserve.domain.views_catalog import CatalogCardView, CatalogVariantView, CatalogView

VARIANT = CatalogVariantView(
    id="Phi-3.5:bf16", model="Phi-3.5", source="hf://microsoft/Phi-3.5", arguments=("--trust-remote-code",),
    parameters=4 * 10**9, quantization="bf16", bits=16, engine="vllm", engine_versions="<=0.10.2", download=2**33,
    license="mit", fit="no", fit_message="Too large.",
)  # fmt: skip
CARD = CatalogCardView(
    name="phi", title="Phi", publisher="Microsoft", description="Small.", capabilities=("chat", "vision"),
    license="mit", best=VARIANT.id, fit="no", why="It cannot run here now: Too large.", variants=(VARIANT,),
)  # fmt: skip


def test_families_are_asked_for_as_told_and_shown_as_a_table(cli: Run, management: Management) -> None:
    management.hub.catalog = CatalogView(items=(CARD,), total=1)
    done = cli("catalog", "ls", "phi", "--capability", "vision", "--fits", "--source", "ms")
    assert done.returncode == 0, done.stderr
    assert management.requests[-1][1] == "/api/v1/catalog?capability=vision&fits=true&q=phi&source=ms"
    assert done.stdout.splitlines()[1].startswith("phi   chat,vision  no    Phi-3.5:bf16  8.0 GiB  It cannot run here")
    assert json.loads(cli("catalog", "ls", "-o", "json").stdout)["items"][0]["name"] == "phi"


def test_nothing_found_says_what_to_try(cli: Run, management: Management) -> None:
    done = cli("catalog", "ls", "unheard-of")
    assert (done.returncode, "Try fewer words" in done.stdout) == (0, True)
    assert cli("catalog", "ls", "--capability", "flying").returncode == 2


def test_a_family_with_the_command_that_deploys_it(cli: Run, management: Management) -> None:
    management.hub.catalog = CatalogView(items=(CARD,), total=1)
    done = cli("catalog", "show", "phi")
    assert management.requests[-1][1] == "/api/v1/catalog/phi?source=hf"
    assert "aimindserve deploy hf://microsoft/Phi-3.5 -- --trust-remote-code" in done.stdout
    assert "vllm<=0.10.2  no: Too large." in done.stdout
    assert json.loads(cli("catalog", "show", "phi", "-o", "json").stdout)["best"] == VARIANT.id
