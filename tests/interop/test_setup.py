"""From nothing to a first message that is signed, authenticated and delivered, in one command: with BIND under RFC 2136 for the
records, Pebble for the certificate, and a second server that judges what arrives."""

import json
import os
import pty
import re
import signal
import ssl
import socket
import subprocess
import time

from lib.bind import Bind
from lib.pebble import Pebble
from lib.runner import need_program
from lib.server import Postroad, STANDARD, free_offset, free_port, program
from lib.talk import Imap

HERE, THERE = "here.test", "other.test"
HOST = f"mail.{HERE}"
#: The whole way, in seconds.
WITHIN = 60.0


class Fresh:
    """A host without anything, the DNS, an authority, and somebody to write to."""

    def __init__(self, directory, zone_lines=""):
        need_program("named", "dig", "pebble", "openssl")
        self.data, self.offset = directory / "data", free_offset()
        there = "@ MX 10 mx\nmx A 127.0.0.1\n"
        self.bind = Bind(directory / "bind", HERE, zone_lines, {THERE: there, Pebble.NAME: "@ A 127.0.0.1\n"})
        self.there = Postroad(directory / "there", users=("bob",), domain=THERE, extra=f'[dns]\nresolvers = ["{self.bind.at}"]')
        self.pebble = Pebble(directory / "pebble", self.bind.port, self.port("http"), self.port("https"))

    def port(self, service):
        return STANDARD[service] + self.offset

    def command(self, *more, authority=True):
        return [str(program()), "--json", "--data", str(self.data), "setup", f"you@{HERE}", "--yes",
                "--listen", "127.0.0.1", "--port-offset", str(self.offset), "--resolver", self.bind.at, "--name-server", self.bind.at,
                "--dns-server", self.bind.at, "--tsig-file", str(self.bind.key_file), "--acme", self.pebble.directory if authority else "none",
                "--roots", str(self.pebble.roots), "--outbound-port", str(self.there.port("smtp")),
                "--probe", f"127.0.0.1:{self.there.port('smtp')}", "--no-systemd", "--first-message-to", self.there.address("bob"), *more]

    def setup(self, *more, timeout=120, **how):
        done = subprocess.run(self.command(*more, **how), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout)
        said = json.loads(done.stdout) if done.stdout else None
        return done.returncode, said, done.stderr

    def cli(self, *arguments):
        done = subprocess.run([program(), "--json", "--data", self.data, *arguments], capture_output=True, text=True, timeout=60)
        return done.returncode, json.loads(done.stdout or "null"), done.stderr

    def log(self):
        try:
            return (self.data / "postroad.log").read_text()[-4000:]
        except OSError:
            return ""

    def inbox(self):
        imap = Imap(self.there.port("imaps"), self.there.address("bob"), self.there.password)
        return list(imap.bodies("INBOX"))

    def server_pid(self):
        try:
            found = re.search(r"serve \(process (\d+)\)", (self.data / "lock").read_text())
            return int(found.group(1)) if found else None
        except OSError:
            return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pid = self.server_pid()
        if pid:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.there.kill()
        self.pebble.__exit__()
        self.bind.__exit__()


def is_authenticated(message):
    head = re.sub(rb"\r\n[ \t]+", b" ", message.split(b"\r\n\r\n", 1)[0]).decode()
    results = next(line for line in head.split("\r\n") if line.startswith("Authentication-Results:"))
    for verdict in ("spf=pass", "dkim=pass", "dmarc=pass"):
        assert verdict in results, results
    return head


def test_from_nothing_to_a_delivered_message(directory):
    with Fresh(directory) as world:
        begun = time.monotonic()
        code, said, complaint = world.setup()
        took = time.monotonic() - begun
        assert code == 0, f"{said} {complaint}\n{world.log()}"
        assert took < WITHIN, f"{took} s"
        assert said["records_right"] and said["certificate"] and said["left"] == [], said
        assert said["first_message"].startswith("taken"), said
        assert re.fullmatch(r"[a-z0-9]{4}(-[a-z0-9]{4}){3}", said["password"]), said

        [message] = world.inbox()
        head = is_authenticated(message)
        assert f"From: you@{HERE}" in head, head
        assert head.count("DKIM-Signature:") == 2, "one of each algorithm"

        # What was published is what is wished for, the pin of the fetched certificate included.
        assert world.bind.ask(HERE, "MX") == [f"10 {HOST}."]
        assert world.bind.ask(f"_25._tcp.{HOST}", "TLSA"), "the certificate is pinned"
        code, checked, _ = world.cli("dns", "check", HERE, "--name-server", world.bind.at)
        assert code == 0 and checked["right"], checked

        # So do the names from which the policy and the settings are fetched.
        names = [one["names"] for one in world.cli("certificate", "list")[1]["certificates"]]
        assert [HOST] in names and any(f"mta-sts.{HERE}" in some and f"autoconfig.{HERE}" in some for some in names), names

        # Mail programs are served with the authority's certificate, and the password works.
        roots = directory / "issuer.pem"
        roots.write_bytes(world.pebble.issuer())
        context = ssl.create_default_context(cafile=str(roots))
        with socket.create_connection(("127.0.0.1", world.port("imaps")), timeout=30) as plain:
            with context.wrap_socket(plain, server_hostname=HOST) as secure:
                assert (("DNS", HOST),) == secure.getpeercert()["subjectAltName"]
        Imap(world.port("imaps"), f"you@{HERE}", said["password"])

        # A new signing key is published by the server itself, and one that is gone goes.
        code, rotated, complaint = world.cli("dkim", "rotate", HERE)
        assert code == 0, complaint
        selectors = {r["name"] for r in world.cli("dns", "show", HERE)[1] if "._domainkey." in r["name"] and r["action"] == "publish"}
        assert len(selectors) == 4, selectors
        deadline = time.monotonic() + 20
        while not all(world.bind.ask(name, "TXT") for name in selectors):
            assert time.monotonic() < deadline, f"{selectors} are not published\n{world.log()}"
            time.sleep(0.1)

        # Again: everything is found, nothing is changed.
        config, serial = (world.data / "postroad.toml").read_bytes(), world.bind.serial()
        code, again, complaint = world.setup()
        assert code == 0, f"{again} {complaint}"
        assert again["password"] is None and again["left"] == [], again
        assert (world.data / "postroad.toml").read_bytes() == config
        assert world.bind.serial() == serial
        assert len(world.inbox()) == 1, "the first message is sent once"
        return f"{took:.1f} s from nothing to the inbox"


def test_an_interrupted_run_goes_on(directory):
    with Fresh(directory) as world:
        # Cut wherever it happens to be, again and again; and once with the name server away.
        for seconds in (0.15, 0.4, 0.8, 1.5):
            process = subprocess.Popen(world.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(seconds)
            process.kill()
            process.wait()
        world.bind.stop()
        code, said, complaint = world.setup("--wait", "1")
        assert code != 0, f"{said} {complaint}"
        world.bind.start()
        code, said, complaint = world.setup()
        assert code == 0, f"{said} {complaint}\n{world.log()}"
        assert said["left"] == [] and said["first_message"].startswith("taken"), said
        assert len(world.inbox()) == 1
        is_authenticated(world.inbox()[0])


def test_what_others_put_there_stays(directory):
    """A domain in use: one SPF record with others' senders, a DMARC policy, another mail host, other texts."""
    lines = ('@ TXT "v=spf1 include:_spf.shop.test ~all"\n@ TXT "proof=1"\n@ MX 20 old.elsewhere.test.\n'
             '_dmarc TXT "v=DMARC1; p=quarantine; rua=mailto:boss@here.test"\n')
    with Fresh(directory, lines) as world:
        code, said, complaint = world.setup("--wait", "20", authority=False)
        assert code in (0, 3), f"{said} {complaint}"
        assert world.bind.ask(HERE, "TXT") == ['"proof=1"', '"v=spf1 mx include:_spf.shop.test ~all"']
        assert world.bind.ask(f"_dmarc.{HERE}", "TXT") == ['"v=DMARC1; p=quarantine; rua=mailto:boss@here.test"']
        assert world.bind.ask(HERE, "MX") == [f"10 {HOST}.", "20 old.elsewhere.test."]
        code, checked, _ = world.cli("dns", "check", HERE, "--name-server", world.bind.at)
        assert code == 3, checked
        strange = [r for r in checked["records"] if r["state"] != "right"]
        assert [(r["type"], r["tenure"], r["value"]) for r in strange] == [("MX", "foreign", "20 old.elsewhere.test.")], strange
        code, done, _ = world.cli("dns", "publish", HERE, "--dry-run")
        assert code == 0 and done["edits"] == [], done
        code, done, _ = world.cli("dns", "publish", HERE, "--take-over")
        assert code == 0 and done["edits"] == ["- here.test. 0 IN MX 20 old.elsewhere.test."], done
        assert world.bind.ask(HERE, "MX") == [f"10 {HOST}."]


def test_at_most_three_questions_are_asked(directory):
    """On a terminal, with nothing given: each question has a default, and Enter takes it."""
    with Fresh(directory) as world:
        command = [str(program()), "--data", str(world.data), "setup", f"you@{HERE}", "--listen", "127.0.0.1", "--port-offset", str(world.offset),
                   "--resolver", world.bind.at, "--name-server", world.bind.at, "--probe", f"127.0.0.1:{free_port()}", "--acme", "none",
                   "--no-systemd", "--wait", "1"]
        ours, theirs = pty.openpty()
        process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True)
        os.close(theirs)
        seen, asked = "", 0
        while True:
            try:
                seen += os.read(ours, 65536).decode(errors="replace")
            except OSError:
                break
            if len(re.findall(r"(?m)^[A-Z][^\n]*: $", seen.replace("\r", ""))) > asked and seen.endswith(": "):
                asked += 1
                os.write(ours, b"\n")
        said = process.stdout.read().decode()
        assert process.wait(30) == 3, said + seen
        assert asked == 3, seen
        assert f"[{HOST}]" in seen and "port 25 is closed" in seen, seen
        assert f'hostname = "{HOST}"' in (world.data / "postroad.toml").read_text()
        # The checklist is drawn in place.
        assert "\x1b[2K" in seen and "missing" in seen, seen
        assert "Password" in said and "Left to do" in said, said


def test_the_zone_file_is_one_that_bind_takes(directory):
    need_program("named-checkzone")
    server = Postroad(directory / "here")
    with server:
        text = server.cli("dns", "show", server.domain, "--format", "bind").stdout
        head = f"$ORIGIN {server.domain}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 1\n@ NS ns\nns A 127.0.0.1\n"
        file = directory / "zone"
        file.write_text(head + text)
        done = subprocess.run(["named-checkzone", "-i", "local", server.domain, file], capture_output=True, text=True,
                              env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        assert done.returncode == 0 and "loaded serial" in done.stdout, done.stdout + done.stderr
        listed = server.json("dns", "show", server.domain)
        ours = [r for r in listed if r["action"] == "publish" and r["type"] != "PTR"]
        dumped = subprocess.run(["named-checkzone", "-D", "-i", "local", server.domain, file], capture_output=True, text=True,
                                env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}).stdout
        for record in ours:
            if record["name"].endswith(server.domain):
                assert re.search(rf"(?m)^{re.escape(record['name'])}\.\s+3600\s+IN\s+{record['type']}\s", dumped), (record, dumped)
