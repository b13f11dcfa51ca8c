"""An independent reverse proxy: aiohttp with its parser in pure Python (no llhttp). Prints its port.

``python reference_proxy.py ENGINE_PORT``; AIOHTTP_NO_EXTENSIONS=1 chooses the parser.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import ClientSession, TCPConnector, web
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy


async def main(engine: int) -> None:
    if HttpRequestParser is not HttpRequestParserPy:
        sys.exit("the parser in C is not the one to compare with")
    async with ClientSession(connector=TCPConnector(limit=0)) as session:

        async def forward(request: web.Request) -> web.Response:
            body = await request.read()
            url = f"http://127.0.0.1:{engine}/"
            async with session.post(url, data=body, headers={"content-type": "application/octet-stream"}) as answer:
                return web.Response(body=await answer.read())

        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{tail:.*}", forward)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
