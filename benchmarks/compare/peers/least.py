"""The least that a read takes in Python: uvicorn, aiohttp and orjson alone. The address of the app, and a port.

It has no framework, schema, token, database, limit or log, and no page but this one.
"""

import sys
from urllib.parse import parse_qs

import aiohttp
import orjson
import uvicorn

APP, PORT = sys.argv[1], int(sys.argv[2])
HEADERS = [(b"content-type", b"application/json")]
upstream: aiohttp.ClientSession | None = None


async def answer(scope, receive, send):
    """The app's answer, read and written anew."""
    global upstream
    if scope["type"] != "http":
        return
    if upstream is None:
        # A session belongs to a running loop.
        upstream = aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())
    page = parse_qs(scope["query_string"].decode())["page"][0]
    async with upstream.get(f"{APP}/items?page={page}") as found:
        items = orjson.loads(await found.read())
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": orjson.dumps(items)})


if __name__ == "__main__":
    uvicorn.run(answer, host="127.0.0.1", port=PORT, log_level="error", access_log=False, loop="uvloop", http="httptools", lifespan="off")
