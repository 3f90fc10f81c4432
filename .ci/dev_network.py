"""A network of its own for a suite: started, asked, and stopped with nothing left behind."""

import contextlib
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

START_SECONDS_MAX = 60
ANSWER_SECONDS_MAX = 30
STOP_SECONDS_MAX = 30
LOG_BYTES_SHOWN = 4000


class Failed(Exception):
    """The promise that did not hold."""


def cache() -> pathlib.Path:
    """Where tools are kept between runs: outside the checkout."""
    home = os.environ.get("DDT_CI_CACHE") or pathlib.Path.home() / ".cache/ddt-ci"
    return pathlib.Path(home)


def binary() -> pathlib.Path:
    """The release build of ddt that the suite is about."""
    target = os.environ.get("CARGO_TARGET_DIR") or cache() / "target"
    path = pathlib.Path(target) / "release/ddt"
    if not path.is_file():
        raise Failed(f"{path} is not built: cargo build --release")
    return path


def report(message: str) -> None:
    """Says something beside what the suite prints."""
    print(message, file=sys.stderr, flush=True)


def quietly(command: list, seconds_max: int, **options) -> bool:
    """Runs an installation; whether it worked. What it says goes to standard error."""
    report("+ " + " ".join(map(str, command)))
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=seconds_max, **options
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        report(str(error))
        return False
    return done.returncode == 0


def processes_naming(folder: str) -> list[int]:
    """Processes whose command line names the folder: only a suite's own do."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


def require_nothing_left(folder: str) -> None:
    """Waits until no process of the suite is left; ends those that stay, and says so."""
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while left := processes_naming(folder):
        if time.monotonic() > deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            raise Failed(f"left processes behind: {left}")
        time.sleep(0.1)


def stop(process: subprocess.Popen) -> None:
    """Asks a process and its group to end, then insists."""
    for wanted in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, wanted)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOP_SECONDS_MAX)
            return


def start(command: list, folder: pathlib.Path, **options) -> subprocess.Popen:
    """Starts a command in a process group of its own, which stop() ends."""
    return subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        # Started from a background job, an interrupt would be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **options,
    )


class Network:
    """A running `ddt dev`."""

    def __init__(self, data: dict) -> None:
        self.data = data
        self.api = data["api"].rstrip("/")

    def environment(self) -> dict[str, str]:
        """What the command line needs to know of this network."""
        files = {"DDT_HOME": self.data["home"], "DDT_PASSWORD_FILE": self.data["password_file"]}
        return {**os.environ, **files, "DDT_API": self.api}

    def ddt(self, *arguments: str) -> dict:
        """What the command line answers, as JSON."""
        done = subprocess.run(
            [binary(), *arguments, "--yes", "--json"],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS_MAX,
        )
        if done.returncode != 0:
            raise Failed(f"ddt {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)["data"]

    def get(self, path: str) -> dict:
        """What the public API answers, as JSON."""
        # No proxy: the API is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.api + path, timeout=ANSWER_SECONDS_MAX) as answer:
            return json.load(answer)

    def account(self, name: str) -> str:
        """The account of a test wallet."""
        return next(it["account"] for it in self.data["accounts"] if it["name"] == name)


def first_line(process: subprocess.Popen) -> str:
    """The first line a process prints; whatever follows is read and dropped."""
    lines: queue.Queue = queue.Queue()

    def read() -> None:
        for line in process.stdout:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    try:
        return lines.get(timeout=START_SECONDS_MAX)
    except queue.Empty:
        return ""


@contextlib.contextmanager
def network(folder: pathlib.Path):
    """A fresh network whose state is in the folder."""
    command = [binary(), "dev", "--json", "--listen", "127.0.0.1:0", "--state", folder / "state"]
    log = folder / "ddt.log"
    with log.open("wb") as errors:
        process = start(command, folder, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        line = first_line(process)
        if not line:
            raise Failed("ddt dev did not get ready")
        yield Network(json.loads(line)["data"])
        if process.poll() is not None:
            raise Failed(f"ddt dev ended by itself, exit code {process.returncode}")
    except BaseException:
        report(log.read_text(errors="replace")[-LOG_BYTES_SHOWN:])
        raise
    finally:
        stop(process)


def run(name: str, suite) -> None:
    """Runs a suite in a temporary folder; ends the script with what came of it."""
    # So that an interrupted run, too, stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix=f"ddt-{name}-") as folder:
            try:
                suite(pathlib.Path(folder))
            finally:
                require_nothing_left(folder)
    except (Failed, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        sys.exit(f"{name}: {error}")
