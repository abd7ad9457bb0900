"""Filters for the tests: clamd, rspamd, spamd with spamass-milter, each with settings of its own and nothing of the network; and a milter
that does and says what a test tells it, to see what is asked of it."""

import json
import os
import shutil
import socket
import struct
import subprocess
import threading
import time

from .server import free_port

READY_WITHIN = 60.0

# In two halves, so that this file is no find itself.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
# For rspamd alone: junk, not refused.
GTUBE_JUNK = GTUBE.replace(b"XJS", b"YJS", 1)


class Program:
    """A program that runs until the test is over."""

    def begin(self, directory, command, is_ready, **more):
        self.directory = directory
        self.log_path = directory / "log"
        self.log = open(self.log_path, "ab")
        path = os.environ["PATH"] + ":/usr/sbin:/sbin"
        self.process = subprocess.Popen([str(part) for part in command], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                        env={**os.environ, "PATH": path}, **more)
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                if is_ready():
                    return
            except OSError:
                pass
            if deadline < time.monotonic() or self.process.poll() is not None:
                raise RuntimeError(f"{command[0]} does not start: {self.said()}")
            time.sleep(0.05)

    def said(self):
        return self.log_path.read_text(errors="replace")[-4000:]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def answers(port):
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    return True


class Clamd(Program):
    """Knows the one signature that is written here, by its bytes wherever they are. `local` is its socket."""

    def __init__(self, directory, stream_max="2M"):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "db").mkdir(exist_ok=True)
        # Any kind of file, at any place.
        (directory / "db/test.ndb").write_text(f"Eicar-Of-The-Test:0:*:{EICAR.hex()}\n")
        self.local, self.port = directory / "clamd.sock", free_port()
        (directory / "clamd.conf").write_text("\n".join([
            f"DatabaseDirectory {directory}/db", f"LocalSocket {self.local}", f"TCPSocket {self.port}", "TCPAddr 127.0.0.1",
            "Foreground yes", f"TemporaryDirectory {directory}", f"StreamMaxLength {stream_max}", "SelfCheck 0",
            "AllowAllMatchScan no", "ScanMail yes", ""]))
        self.begin(directory, ["clamd", "--config-file", directory / "clamd.conf"], self._is_there)

    def _is_there(self):
        with socket.socket(socket.AF_UNIX) as talk:
            talk.settimeout(5)
            talk.connect(str(self.local))
            talk.sendall(b"zPING\0")
            return talk.recv(100) == b"PONG\0"

    def scan(self, data):
        """What it says by itself."""
        with socket.socket(socket.AF_UNIX) as talk:
            talk.settimeout(60)
            talk.connect(str(self.local))
            talk.sendall(b"zINSTREAM\0" + struct.pack("!I", len(data)) + data + bytes(4))
            return b"".join(iter(lambda: talk.recv(4096), b"")).rstrip(b"\0").decode()


class Rspamd(Program):
    """As Debian sets it up, with its proxy as a milter that scans by itself; what asks the network is switched off."""

    offline = ("asn arc dkim dkim_signing dmarc spf rbl surbl mx_check fuzzy_check url_redirector clickhouse greylist ratelimit "
               "history_redis reputation replies neural rspamd_update bayes_expiry hfilter").split()

    def __init__(self, directory, add_header=6, reject=15):
        local = directory / "rspamd/local.d"
        local.mkdir(parents=True)
        (directory / "rspamd/override.d").mkdir()
        self.port, control, normal = free_port(), free_port(), free_port()
        (local / "worker-proxy.inc").write_text(
            f'bind_socket = "127.0.0.1:{self.port}"; milter = yes; timeout = 30s; count = 1;\n'
            'upstream "local" { default = yes; self_scan = yes; }\n')
        (local / "worker-normal.inc").write_text(f'bind_socket = "127.0.0.1:{normal}"; enabled = false;\n')
        (local / "worker-controller.inc").write_text(
            f'bind_socket = "127.0.0.1:{control}"; secure_ip = "127.0.0.1"; password = "x"; enable_password = "x";\n')
        (local / "options.inc").write_text('dns { nameserver = ["127.0.0.1:9"]; timeout = 0.05s; retransmits = 1; }\n'
                                            'local_addrs = []; enable_test_patterns = true;\n')
        (local / "logging.inc").write_text(f'type = "file"; filename = "{directory}/rspamd.log"; level = "info";\n')
        (local / "actions.conf").write_text(f"reject = {reject}; add_header = {add_header}; greylist = null;\n")
        (local / "milter_headers.conf").write_text('use = ["x-spamd-result", "x-spam-status", "spam-header"];\n'
                                                   "skip_local = false; skip_authenticated = false;\n")
        for module in self.offline:
            (local / f"{module}.conf").write_text("enabled = false;\n")
        command = ["rspamd", "-f", "-i", "-u", "root", "-g", "root", "-c", "/etc/rspamd/rspamd.conf"]
        for name, path in (("LOCAL_CONFDIR", directory / "rspamd"), ("DBDIR", directory), ("RUNDIR", directory), ("LOGDIR", directory)):
            command.append(f"--var={name}={path}")
        self.begin(directory, command, lambda: answers(self.port))

    def said(self):
        log = self.directory / "rspamd.log"
        return super().said() + (log.read_text(errors="replace")[-4000:] if log.exists() else "")


class Spamd(Program):
    def __init__(self, directory):
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o777)
        shutil.copytree("/etc/spamassassin", directory / "site")
        (directory / "site/zz-test.cf").write_text("dns_available no\nskip_rbl_checks 1\nuse_bayes 0\nuse_razor2 0\nuse_pyzor 0\n")
        self.port = free_port()
        self.begin(directory, ["spamd", "-L", "-x", "-m", "1", "--siteconfigpath", directory / "site", "-i", "127.0.0.1", "-p", self.port,
                               "-A", "127.0.0.1", "-H", directory, "-s", directory / "spamd.log"], lambda: answers(self.port))


class SpamassMilter(Program):
    def __init__(self, directory, spamd):
        directory.mkdir(parents=True, exist_ok=True)
        self.local = directory / "spamass.sock"
        self.begin(directory, ["spamass-milter", "-p", self.local, "-r", "15", "-m", "--", "-d", "127.0.0.1", "-p", spamd.port],
                   self.local.exists)


def packet(letter, data=b""):
    return struct.pack("!I", len(data) + 1) + letter.encode() + data


class Scripted:
    """A milter that sees everything. `says` maps a command's letter to packets, or to a function of its data that gives them; what is not
    there is answered by "continue". `agree` is what it wants: version, actions, steps, and macros by stage."""

    def __init__(self, says=None, agree=(6, 0x1FF, 0), macros=(), port=0):
        self.says = says or {}
        self.agree, self.wanted = agree, macros
        self.seen = []
        self.hangs_up = False
        self.connections = 0
        self.offered = None
        self.lock = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._guard, args=(stream,), daemon=True).start()

    def _guard(self, stream):
        try:
            with stream:
                self._serve(stream, stream.makefile("rb"))
        except (OSError, struct.error):
            pass

    def _serve(self, stream, source):
        while True:
            head = source.read(4)
            if len(head) < 4:
                return
            data = source.read(struct.unpack("!I", head)[0])
            letter, data = data[:1].decode(), data[1:]
            with self.lock:
                self.seen.append((letter, data))
                self.lock.notify_all()
            if letter == "O":
                self.offered = struct.unpack("!III", data)
                lists = b"".join(struct.pack("!I", stage) + names.encode() + b"\0" for stage, names in self.wanted)
                stream.sendall(packet("O", struct.pack("!III", *self.agree) + lists))
            elif letter in self.says:
                say = self.says[letter]
                for one in say(data) if callable(say) else say:
                    stream.sendall(one)
            elif letter == "Q":
                return
            elif letter not in "DAK":
                stream.sendall(packet("c"))
            if letter == "E" and self.hangs_up:
                return

    def letters(self):
        with self.lock:
            return "".join(letter for letter, _ in self.seen)

    def wait_for(self, letter, within=READY_WITHIN):
        with self.lock:
            assert self.lock.wait_for(lambda: any(seen == letter for seen, _ in self.seen), within), letter

    def macros(self, stage):
        """All that was told for a command's letter."""
        found = {}
        for letter, data in list(self.seen):
            if letter == "D" and data[:1].decode() == stage:
                parts = data[1:].split(b"\0")[:-1]
                found.update(zip((p.decode() for p in parts[::2]), (p.decode() for p in parts[1::2])))
        return found

    def data_of(self, letter):
        return [data for seen, data in list(self.seen) if seen == letter]

    def close(self):
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def config(clamd=None, milters=(), when=None):
    """The section of `postroad.toml`; a filter is an address or a table of its keys."""
    lines = ["[filters]"]

    def one(milter):
        if isinstance(milter, dict):
            return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in milter.items()) + " }"
        return json.dumps(str(milter))

    if clamd:
        lines.append(f"clamd = {one(clamd)}")
    if when:
        lines.append(f'when_unavailable = "{when}"')
    if milters:
        lines.append(f"milters = [{', '.join(one(milter) for milter in milters)}]")
    return "\n".join(lines) + "\n"
