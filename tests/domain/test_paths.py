"""Names in the data folder."""

from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.paths import DataPaths, gateway_socket, run_dir, server_socket, settings_file

# sockaddr_un.sun_path holds 108 bytes, the closing zero included.
SOCKET_LIMIT = 107


def test_names_are_those_of_the_contract() -> None:
    paths = DataPaths(PurePosixPath("/d"))
    assert str(paths.initial_admin_password) == "/d/initial_admin_password"
    assert str(paths.database) == "/d/database.sqlite"
    assert str(paths.routing_table) == "/d/routing-table.json"
    assert {str(path.parent) for path in (paths.pepper, paths.local_cli_key)} == {"/d/keys"}
    assert str(run_dir("/d", "/tmp", 1000)) == "/d/run"


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=150), st.integers(0))
def test_sockets_fit_their_addresses(folder: str, uid: int) -> None:
    run = run_dir(f"/{folder}", "/tmp", uid % 2**32)
    for path in (server_socket(run), gateway_socket(run), settings_file(run)):
        assert len(str(path).encode()) <= SOCKET_LIMIT


def test_long_folders_get_short_names_of_their_own() -> None:
    one, other = (run_dir(f"/{'x' * 100}/{name}", "/tmp", 5) for name in "ab")
    assert one != other
    assert one == run_dir(f"/{'x' * 100}/a", "/tmp", 5)
    assert str(one).startswith("/tmp/aimindserve-5-")
