"""The API's description as a plain page: no script, nothing loaded from elsewhere."""

from html import escape
from typing import Any

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} API</title>
<h1>{title} API {version}</h1>
<p>Send an API key as <code>Authorization: Bearer sk-…</code>. Errors are <code>application/problem+json</code> with
<code>code</code>, <code>message</code>, <code>params</code> and <code>remedy</code>.
For programs: <a href="/openapi.json">openapi.json</a>. Inference: <code>/v1</code>, in OpenAI's shapes.</p>
{operations}
<h1>Shapes</h1>
{shapes}
</html>
"""
_OPERATION = """<h2 id="{id}"><code>{method} {path}</code></h2>
<p>{text}</p>
<ul>{facts}</ul>
"""


def api_page(document: dict[str, Any]) -> str:
    """HTML of an OpenAPI document as ``openapi.describe`` makes it."""
    operations = [
        _operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    shapes = [_shape(name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    info = document["info"]
    return _PAGE.format(
        title=escape(info["title"]),
        version=escape(info["version"]),
        operations="".join(operations),
        shapes="".join(shapes),
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    facts = [f"For: {escape(operation['x-policy'])}"]
    facts += [_parameter(parameter) for parameter in operation.get("parameters", ())]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        facts.append(f"Body: {_type(body)}")
    for status, answer in operation["responses"].items():
        for content in answer.get("content", {}).values():
            facts.append(f"{'Refusal' if status == 'default' else status}: {_type(content.get('schema', {}))}")
    return _OPERATION.format(
        id=escape(operation["operationId"]),
        method=method.upper(),
        path=escape(path),
        text=escape(operation.get("description", "")),
        facts="".join(f"<li>{fact}</li>" for fact in facts),
    )


def _parameter(parameter: dict[str, Any]) -> str:
    name, place = escape(parameter["name"]), escape(parameter["in"])
    text = escape(parameter.get("description", ""))
    return f"<code>{name}</code> ({place}): {_type(parameter.get('schema', {}))} {text}"


def _shape(name: str, schema: dict[str, Any]) -> str:
    fields = "".join(
        f"<li><code>{escape(field)}</code>: {_type(inner)}</li>"
        for field, inner in schema.get("properties", {}).items()
    )
    values = ", ".join(f"<code>{escape(str(value))}</code>" for value in schema.get("enum", ()))
    text = escape(schema.get("description", ""))
    return f'<h3 id="shape-{escape(name)}">{escape(name)}</h3><p>{text} {values}</p><ul>{fields}</ul>\n'


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words, with a link to a shape that has a name."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#shape-{name}">{name}</a>'
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_type(inner) for inner in schema[several])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    return escape(str(schema.get("type", "anything")))
