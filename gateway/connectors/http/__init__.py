"""Requests to external apps: sent once, bounded in time and bytes, and never to an address inside the network unless allowed."""

from gateway.connectors.http.client import Http
from gateway.connectors.http.json_bodies import counted_json, decode_json
from gateway.connectors.http.json_pages import JsonPage, PageShape, read_page
from gateway.connectors.http.request import AppRequest
from gateway.connectors.http.response import AppResponse
from gateway.connectors.http.web_address import WebAddress

__all__ = [
    "AppRequest",
    "AppResponse",
    "Http",
    "JsonPage",
    "PageShape",
    "WebAddress",
    "counted_json",
    "decode_json",
    "read_page",
]
