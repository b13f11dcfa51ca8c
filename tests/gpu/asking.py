"""Asking a real engine about pictures."""

import base64
import io
import json
import urllib.request

from PIL import Image


def ask_about_picture(port: int, key: str, pictures: int) -> dict[str, int]:
    """The usage of one answer of 8 tokens about ``pictures`` pictures of 224 x 224 pixels (blocking)."""
    file = io.BytesIO()
    Image.new("RGB", (224, 224), (200, 30, 30)).save(file, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    content: list[object] = [{"type": "image_url", "image_url": {"url": url}}] * pictures
    content = [*content, {"type": "text", "text": "what is this"}]
    body = {"model": "tiny", "max_tokens": 8, "ignore_eos": True, "messages": [{"role": "user", "content": content}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json", "authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        usage: dict[str, int] = json.load(answer)["usage"]
    return usage
