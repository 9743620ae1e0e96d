"""The processes of a run: the app, whoever asks, and the servers that are compared, each on its processor."""

import json
import os
import socket
import subprocess
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path

import ours
from contenders import Contender, require_right
from load import Figures, Job
from servers import OTHERS
from tools import HERE, PYTHON, asked, free_port, in_production, processors, started


class Comparison:
    """What a run measures with; all of it ends with the stack."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._ports: dict[str, int] = {}
        self._pids: dict[str, int] = {}
        self.serving, self.asking = processors()
        for processor in self.serving | self.asking:
            log = folder / f"awake-{processor}.log"
            awake = [PYTHON, str(HERE / "awake.py"), str(os.getpid())]
            stack.enter_context(started(awake, on={processor}, log=log, is_ready=partial(_require_awake, log)))
        self._app_port = free_port()
        self._app = f"http://127.0.0.1:{self._app_port}"
        app = [PYTHON, str(HERE / "app.py"), str(self._app_port)]
        stack.enter_context(started(app, on=self.asking, log=folder / "app.log", is_ready=self._asked_of_app))
        load = started(
            [PYTHON, str(HERE / "load.py")], on=self.asking, log=folder / "load.log", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._load = stack.enter_context(load)

    def start_other(self, key: str) -> Contender:
        """Starts one of the others."""
        contender, command = OTHERS[key]
        port = free_port()

        def is_ready() -> None:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()

        process = started(
            command(self._app, port, self._folder),
            on=self.serving,
            log=self._folder / f"{key}.log",
            environment=in_production(),
            is_ready=is_ready,
        )
        self._ports[key], self._pids[key] = port, self._stack.enter_context(process).pid
        self._check(contender)
        return contender

    def start_ours(self) -> list[Contender]:
        """Starts the gateway and fills it."""
        port, configuration = free_port(), ours.environment(self._folder)
        process = started(
            [*ours.COMMAND, "serve", "--port", str(port)],
            on=self.serving,
            log=self._folder / "gateway.log",
            environment=in_production(**configuration),
            is_ready=lambda: asked("GET /readyz HTTP/1.1\r\n\r\n", port=port),
        )
        self._ports["gateway"], self._pids["gateway"] = port, self._stack.enter_context(process).pid
        contenders = ours.Setting(configuration, port=port, app=self._app).contenders()
        for contender in contenders:
            self._check(contender)
        return contenders

    def measure(self, contender: Contender, *, concurrency: int, seconds: float) -> Figures:
        """One measurement. Ends the run where the app was not asked once for each request that needs it."""
        before = self._asked_of_app()
        job = Job(
            port=self._ports[contender.server],
            request=contender.request,
            mark=contender.mark,
            marks=contender.marks,
            pid=self._pids[contender.server],
            concurrency=concurrency,
            seconds=seconds,
            is_same=contender.is_same,
        )
        assert self._load.stdin is not None
        assert self._load.stdout is not None
        print(json.dumps(asdict(job)), file=self._load.stdin, flush=True)
        measured = json.loads(self._load.stdout.readline() or '{"failure": "Whoever asks has ended."}')
        if "failure" in measured:
            raise SystemExit(f"{contender.name}, {concurrency} at once: {measured['failure']}")
        reached, needed = self._asked_of_app() - before, measured["requests"] if contender.asks_app else 0
        if reached != needed and not contender.is_same:
            raise SystemExit(f"{contender.name} asked the app {reached} times where it needed it {needed} times.")
        return Figures(**{**measured, "reached": reached})

    def _check(self, contender: Contender) -> None:
        require_right(contender, asked(contender.request, port=self._ports[contender.server]))

    def _asked_of_app(self) -> int:
        return int(asked("GET /asked HTTP/1.1\r\n\r\n", port=self._app_port))


def _require_awake(log: Path) -> None:
    if not log.read_text():
        raise ValueError("it does not run in the idle class yet")
