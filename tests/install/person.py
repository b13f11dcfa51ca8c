"""What a person does with a fresh installation; runs inside a machine, on the installed Python.

``person.py login DATA``: logs in with the first password and chooses another, or with the chosen one.
``person.py ask DATA``: asks the demo model about its picture, and prints the answer.
"""

import json
import sys
import time
from pathlib import Path

import httpx

PASSWORD = "quiet-harbour-lantern-42"
URL = "http://127.0.0.1"
PATIENCE = 300


def login(data: Path) -> None:
    first = data / "initial_admin_password"
    old = first.read_text().strip() if first.exists() else PASSWORD
    with httpx.Client(base_url=URL, headers={"x-aimindserve-csrf": "1", "origin": URL}, timeout=60) as client:
        client.post("/api/v1/session", json={"username": "admin", "password": old}).raise_for_status()
        if old != PASSWORD:
            change = {"current": old, "new": PASSWORD}
            client.post("/api/v1/session/password", json=change).raise_for_status()
        print([one["name"] for one in client.get("/api/v1/deployments").raise_for_status().json()["items"]])


def ask(data: Path) -> None:
    key = (data / "keys" / "local-cli").read_text().strip()
    request = json.loads((data / "demo-request.json").read_text())
    end = time.monotonic() + PATIENCE
    with httpx.Client(headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE) as client:
        while (answer := client.post(f"{URL}/v1/chat/completions", json=request)).status_code == 503:
            assert time.monotonic() < end, answer.text
            time.sleep(0.2)
    print(answer.raise_for_status().json()["choices"][0]["message"]["content"])


if __name__ == "__main__":
    {"login": login, "ask": ask}[sys.argv[1]](Path(sys.argv[2]))
