"""Who guesses passwords is shut out of all doors, also by the kernel's firewall, until the ban ends or is lifted.

The firewall is that of a network namespace of the test's own: the machine's is not touched."""

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.runner import need, need_program  # noqa: E402
from lib.server import Postroad  # noqa: E402

GUESSER, NEIGHBOUR = "127.0.0.66", "127.0.0.67"
DOORS = ("smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "http", "https")


def connect(server, door, source):
    return socket.create_connection(("127.0.0.1", server.port(door)), timeout=20, source_address=(source, 0))


def first_line(server, door, source):
    """What a door says at first; nothing if it closes, None if it is shut by the firewall."""
    try:
        with connect(server, door, source) as line:
            line.settimeout(20)
            return line.recv(1000).decode()
    except (ConnectionRefusedError, ConnectionResetError):
        return None


def guess(server, source, count=5):
    """Log-ins under names that nobody has, a connection each."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for number in range(count):
        with context.wrap_socket(connect(server, "imaps", source)) as line:
            talk = line.makefile("rwb")
            assert talk.readline().startswith(b"* OK")
            talk.write(b"a LOGIN nobody%d@example.test letmein\r\n" % number)
            talk.flush()
            answer = talk.readline()
            assert answer.startswith(b"a NO"), answer


def bans(server):
    return json.loads(server.cli("--json", "ban", "list").stdout)


def wait(what, condition, within=20.0):
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def forget_loopback(server):
    """Loopback is never banned by itself, unless the operator wishes."""
    server.cli("ban", "allow", "remove", "127.0.0.0/8")


def test_all_doors_are_shut(directory):
    with Postroad(directory) as server:
        guess(server, GUESSER, 8)
        assert bans(server) == [], "loopback is exempt"
        forget_loopback(server)
        guess(server, GUESSER)
        # It holds at once; its row is written beside the log-in.
        wait("the row", lambda: bans(server))
        (ban,) = bans(server)
        assert ban["network"] == GUESSER and ban["cause"] == "spraying" and ban["doors"] == "all", ban
        assert first_line(server, "smtp", GUESSER).startswith("421 4.7.0 your address is shut out until ")
        assert first_line(server, "imap", GUESSER).startswith("* BYE")
        assert first_line(server, "pop3", GUESSER).startswith("-ERR [SYS/TEMP]")
        for door in ("submissions", "imaps", "pop3s", "http", "https"):
            assert not first_line(server, door, GUESSER), door
        assert first_line(server, "smtp", NEIGHBOUR).startswith("220 ")
        server.kill()
        server.start()
        assert first_line(server, "smtp", GUESSER).startswith("421 "), "it outlasts a crash"
        assert "is let in again" in server.cli("ban", "remove", GUESSER).stdout
        assert first_line(server, "smtp", GUESSER).startswith("220 ")
        done = server.cli("ban", "remove", GUESSER, check=False)
        assert done.returncode == 1 and "is not banned" in done.stderr, done
        server.cli("ban", "add", "127.0.0.64/26", "--for", "2s", "--why", "a trial")
        assert "a trial" in server.cli("ban", "list").stdout
        assert first_line(server, "smtp", NEIGHBOUR).startswith("421 ")
        wait("the ban ends", lambda: first_line(server, "smtp", NEIGHBOUR).startswith("220 "))


def test_the_firewall(directory):
    need_program("nft", "ip", "unshare")
    probe = subprocess.run(["unshare", "-rn", "nft", "list", "tables"], capture_output=True, text=True)
    need(probe.returncode == 0, f"no firewall in a namespace of our own: {probe.stderr.strip()}")
    inner = ["unshare", "-rn", sys.executable, __file__, str(directory)]
    done = subprocess.run(inner, capture_output=True, text=True, timeout=300, env=os.environ)
    assert done.returncode == 0, done.stdout + done.stderr


def nft(*arguments):
    return subprocess.run(["nft", *arguments], capture_output=True, text=True)


def in_namespace(directory):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with Postroad(directory, extra="[bans]\nnftables = true") as server:
        table = nft("list", "table", "inet", "postroad").stdout
        assert "banned4" in table and "banned6_smtp" in table, table + server.tail()
        forget_loopback(server)
        guess(server, GUESSER)
        wait("the firewall knows", lambda: GUESSER in nft("list", "set", "inet", "postroad", "banned4").stdout)
        for door in DOORS:
            assert first_line(server, door, GUESSER) is None, door
            with connect(server, door, NEIGHBOUR):
                pass
        # A ban holds in the kernel while the server is away, and again when it is back.
        server.kill()
        server.start()
        wait("bans are pushed at the start", lambda: first_line(server, "smtp", GUESSER) is None)
        server.cli("ban", "remove", GUESSER)
        wait("lifted", lambda: (first_line(server, "smtp", GUESSER) or "").startswith("220 "))
        assert GUESSER not in nft("list", "set", "inet", "postroad", "banned4").stdout
        # Wide and narrow ones over one another, only port 25, and the end by the kernel's own clock.
        server.cli("ban", "add", NEIGHBOUR)
        server.cli("ban", "add", "127.0.0.64/26", "--for", "3s")
        wait("both", lambda: first_line(server, "smtp", GUESSER) is None)
        wait("the wide one ends", lambda: (first_line(server, "smtp", GUESSER) or "").startswith("220 "))
        server.cli("ban", "remove", NEIGHBOUR)
        server.cli("ban", "add", NEIGHBOUR, "--smtp-only", "--for", "ever")
        wait("port 25", lambda: first_line(server, "smtp", NEIGHBOUR) is None)
        assert first_line(server, "imap", NEIGHBOUR).startswith("* OK")
        # Whoever loads rules of the machine's own flushes all of them first: ours come back.
        assert nft("flush", "ruleset").returncode == 0
        assert first_line(server, "imap", NEIGHBOUR).startswith("* OK")
        wait("the table is made anew", lambda: NEIGHBOUR in nft("list", "set", "inet", "postroad", "banned4_smtp").stdout, within=60.0)
        wait("port 25 again", lambda: first_line(server, "smtp", NEIGHBOUR) is None)
        server.stop()
        assert nft("list", "table", "inet", "postroad").returncode != 0, "it takes its table away"


if __name__ == "__main__":
    in_namespace(Path(sys.argv[1]))
