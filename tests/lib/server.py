"""A Postroad of a test: made by `quickstart` in a directory of its own, on ports of its own."""

import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "Correct-horse-7"
DOMAIN = "example.test"
STANDARD = {"smtp": 25, "submissions": 465, "submission": 587, "pop3": 110, "pop3s": 995, "imap": 143, "imaps": 993, "http": 80, "https": 443}
READY_WITHIN = 60.0
STOPPED_WITHIN = 60.0


def program() -> Path:
    """$POSTROAD_BIN, else what cargo built last."""
    named = os.environ.get("POSTROAD_BIN")
    if named:
        return Path(named).resolve()
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [p for p in (target / "release/postroad", target / "debug/postroad") if p.exists()]
    if not built:
        raise SystemExit("no postroad to test: run `cargo build` first, or set POSTROAD_BIN")
    return max(built, key=lambda p: p.stat().st_mtime)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def free_offset() -> int:
    """An offset at which none of the standard ports is taken."""
    for _ in range(200):
        offset = random.randrange(11000, 31000)
        try:
            for port in STANDARD.values():
                with socket.socket() as s:
                    s.bind(("127.0.0.1", port + offset))
            return offset
        except OSError:
            continue
    raise RuntimeError("no free ports")


class Postroad:
    """`extra` is added to the config file after the first start, before any account is used."""

    def __init__(self, directory, users=("alice", "bob"), domain=DOMAIN, extra="", password=PASSWORD):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data = self.directory / "data"
        self.domain = domain
        self.password = password
        self.offset = free_offset()
        self.process = None
        self.said = ""
        self.log = self.directory / "postroad.log"
        first, *others = users
        self.start("quickstart", f"{first}@{domain}", "--password-stdin", "--port-offset", str(self.offset))
        for user in others:
            self.add_account(f"{user}@{domain}")
        if extra:
            self.stop()
            self.configure(extra)
            self.start()

    # ---------------------------------------------------------------- life
    def start(self, *arguments):
        """Starts (`serve` by default) and waits for `ready`; the seconds that took."""
        arguments = arguments or ("serve",)
        begun = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [program(), "--data", self.data, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.process.stdin.write(self.password.encode() + b"\n")
        self.process.stdin.close()
        self.said = ""
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(self.process.stdout, ready), daemon=True).start()
        if not ready.wait(READY_WITHIN) or not any(line.startswith("ready") for line in self.said.splitlines()):
            raise RuntimeError(f"not ready: {self.said}\n{self.tail()}")
        return time.monotonic() - begun

    def _listen(self, stdout, ready):
        for line in stdout:
            self.said += line.decode(errors="replace")
            if line.startswith(b"ready"):
                ready.set()
        ready.set()

    def kill(self):
        """As a power cut would: no chance to tidy up."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, within=STOPPED_WITHIN) -> int:
        status = self.process.wait(within)
        self.process = None
        return status

    def stop(self):
        if self.process and self.process.poll() is None:
            self.terminate()
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.kill()
                raise RuntimeError("the server did not stop after SIGTERM\n" + self.tail())
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    # ---------------------------------------------------------------- settings and commands
    def configure(self, text):
        with open(self.data / "postroad.toml", "a") as f:
            f.write("\n" + text + "\n")

    def cli(self, *arguments, stdin=None, check=True, timeout=60):
        done = subprocess.run([program(), "--data", self.data, *arguments], input=stdin, capture_output=True, text=True,
                              timeout=timeout)
        if check and done.returncode:
            raise RuntimeError(f"postroad {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def json(self, *arguments):
        return json.loads(self.cli("--json", *arguments).stdout)

    def json_any(self, *arguments):
        """Whatever the exit status."""
        return json.loads(self.cli("--json", *arguments, check=False).stdout)

    def add_account(self, address, password=None):
        self.cli("account", "add", address, "--password-stdin", stdin=(password or self.password) + "\n")

    def port(self, service) -> int:
        return STANDARD[service] + self.offset

    def address(self, user) -> str:
        return f"{user}@{self.domain}"

    def tail(self, count=30) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])
        except OSError:
            return ""
