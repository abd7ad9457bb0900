"""BIND as the only name server of a small world: one zone that takes changes with a key (RFC 2136), the others fixed."""

import base64
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from .server import free_port

READY_WITHIN = 30.0
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"

#: Short negative answers: whoever asks again sees what has been published since.
HEAD = "$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 1\n@ NS ns\nns A 127.0.0.1\n"


class Bind:
    """`open_zone` can be changed with `key_file`; `fixed` maps zones to their further lines. All other names do not exist."""

    KEY = "postroad"

    def __init__(self, directory, open_zone, extra="", fixed=None):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.zone, self.port, self.process = open_zone, free_port(), None
        secret = base64.b64encode(os.urandom(32)).decode()
        key = f'key "{self.KEY}" {{\n\talgorithm hmac-sha256;\n\tsecret "{secret}";\n}};\n'
        self.key_file = self.directory / "postroad.key"
        self.key_file.write_text(key)
        zones = {".": "$TTL 60\n. SOA ns. hostmaster. 1 3600 600 86400 1\n. NS ns.\nns. A 127.0.0.1\n",
                 open_zone: HEAD + extra, **{name: HEAD + lines for name, lines in (fixed or {}).items()}}
        settings = [f'options {{ directory "{self.directory}"; pid-file "{self.directory}/pid"; session-keyfile "{self.directory}/session"; '
                    f'listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; empty-zones-enable no; '
                    f'dnssec-validation no; managed-keys-directory "{self.directory}"; }};\ncontrols {{ }};\n', key]
        for name, text in zones.items():
            file = self.directory / f"zone-{'root' if name == '.' else name}"
            file.write_text(text)
            update = f"update-policy {{ grant {self.KEY} zonesub ANY; }};" if name == open_zone else ""
            settings.append(f'zone "{name}" {{ type primary; file "{file}"; {update} }};\n')
        (self.directory / "named.conf").write_text("".join(settings))
        self.start()

    def start(self):
        self.log = open(self.directory / "log", "ab")
        self.process = subprocess.Popen([shutil.which("named", path=PATH), "-g", "-c", self.directory / "named.conf"],
                                        stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                if deadline < time.monotonic() or self.process.poll() is not None:
                    raise RuntimeError("named does not start: " + (self.directory / "log").read_text())
                time.sleep(0.02)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def at(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(self, name, kind):
        """The answer's records as dig writes them."""
        done = subprocess.run(["dig", "+short", "+tcp", "+norecurse", "-p", str(self.port), "@127.0.0.1", name, kind],
                              capture_output=True, text=True, timeout=30, check=True)
        return sorted(line for line in done.stdout.splitlines() if line)

    def serial(self) -> int:
        return int(self.ask(self.zone, "SOA")[0].split()[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.log.close()
