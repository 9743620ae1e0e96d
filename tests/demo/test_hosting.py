"""An app beside the gateway, in the same process."""

import signal

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gateway.demo.hosting import hosted

APP = Starlette(routes=[Route("/", lambda request: PlainTextResponse("here"))])


async def test_the_app_answers_for_as_long_as_the_block_runs():
    async with hosted(APP) as address, httpx.AsyncClient() as client:
        assert address.startswith("http://127.0.0.1:")
        assert (await client.get(address)).text == "here"

    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(address)


async def test_two_apps_have_two_addresses():
    async with hosted(APP) as one, hosted(APP) as other:
        assert one != other


async def test_signals_stay_with_whoever_took_them_before():
    before = signal.getsignal(signal.SIGTERM)

    async with hosted(APP):
        assert signal.getsignal(signal.SIGTERM) is before
