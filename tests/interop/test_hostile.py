"""Hostile clients over real sockets, bounded in number and time, beside people who send and read: how long a message of
theirs takes meanwhile, and how much memory the server needs."""

import socket
import ssl
import threading
import time

from lib.server import Postroad
from lib.talk import Imap

CLIENTS = 200
SIEGE = 20.0
LETTERS = 20
# What the server may need beyond its quiet self: a few hundred conversations, not more.
MEMORY_MIB_MAX = 150


def resident_mib(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        line = next(line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


class Enemy(threading.Thread):
    """One hostile client; comes again until the siege is over."""

    def __init__(self, server, number, until):
        super().__init__(daemon=True)
        self.server, self.number, self.until = server, number, until
        # Networks of their own: a neighbourhood is known as one.
        self.source = f"127.{1 + number // 250}.{number % 250}.7"
        self.rounds = 0

    def run(self):
        kinds = (self.guess, self.harvest, self.talk_early, self.write_slowly, self.flood, self.endless, self.half_tls, self.browse)
        while time.monotonic() < self.until:
            try:
                kinds[self.number % len(kinds)]()
            except OSError:
                pass
            self.rounds += 1
            time.sleep(0.5)

    def connect(self, door):
        return socket.create_connection(("127.0.0.1", self.server.port(door)), timeout=5, source_address=(self.source, 0))

    def guess(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(self.connect("imaps")) as line:
            line.recv(1000)
            line.sendall(b"a LOGIN alice@example.test guess%d\r\n" % self.rounds)
            line.recv(1000)

    def harvest(self):
        with self.connect("smtp") as line:
            line.recv(1000)
            for text in ["EHLO bot.test", "MAIL FROM:<>"] + [f"RCPT TO:<u{self.rounds}x{n}@example.test>" for n in range(10)]:
                line.sendall(text.encode() + b"\r\n")
                if not line.recv(4000):
                    return

    def talk_early(self):
        with self.connect("smtp") as line:
            line.sendall(b"EHLO bot\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n")
            while line.recv(1000):
                pass

    def write_slowly(self):
        with self.connect("smtp") as line:
            while time.monotonic() < self.until:
                line.sendall(b"E")
                time.sleep(1)

    def flood(self):
        lines = []
        try:
            for _ in range(50):
                lines.append(self.connect("smtp"))
            time.sleep(5)
        finally:
            for line in lines:
                line.close()

    def endless(self):
        with self.connect("smtp") as line:
            for _ in range(100):
                line.sendall(b"A" * 16384)

    def half_tls(self):
        with self.connect("submissions") as line:
            line.sendall(b"\x16\x03\x01\x02\x00\x01")
            line.recv(1000)

    def browse(self):
        with self.connect("smtp") as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while line.recv(1000):
                pass


def send(server, number):
    """A letter of somebody else's server, from connection to 250; the seconds it took."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port("smtp")), timeout=30, source_address=("127.200.0.9", 0)) as line:
        talk = line.makefile("rwb")

        def reply():
            while True:
                got = talk.readline()
                assert got, "closed"
                if got[3:4] != b"-":
                    return got

        assert reply().startswith(b"220")
        for text in (b"EHLO mail.friend.test", b"MAIL FROM:<f@friend.test>", b"RCPT TO:<alice@example.test>", b"DATA",
                     b"From: f@friend.test\r\nTo: alice@example.test\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
                     b"Message-ID: <m%d@friend.test>\r\nSubject: letter %d\r\n\r\nSee you on Friday.\r\n." % (number, number)):
            talk.write(text + b"\r\n")
            talk.flush()
            got = reply()
            assert got[:1] in b"23", got
    return time.monotonic() - begun


def test_people_do_not_notice(directory):
    # Nobody here has a reverse name: a friend would have to come again.
    with Postroad(directory) as server:
        server.cli("ban", "allow", "remove", "127.0.0.0/8")
        server.cli("greylist", "off")
        send(server, 999)
        quiet = resident_mib(server)
        until = time.monotonic() + SIEGE
        enemies = [Enemy(server, number, until) for number in range(CLIENTS)]
        for enemy in enemies:
            enemy.start()
        times, most = [], quiet
        for number in range(LETTERS):
            times.append(send(server, number))
            most = max(most, resident_mib(server))
            time.sleep(SIEGE / LETTERS / 2)
        reader = Imap(server.port("imaps"), server.address("alice"), server.password)
        assert reader.wait_for(LETTERS + 1) == LETTERS + 1
        for enemy in enemies:
            enemy.join(60)
        banned = server.cli("--json", "ban", "list", "--limit", "1000").stdout.count('"network"')
        assert max(times) < 1.0, times
        assert most - quiet < MEMORY_MIB_MAX, (quiet, most)
        assert CLIENTS // 8 <= banned, banned
        return f"slowest letter {max(times):.2f} s; memory {quiet:.0f} -> {most:.0f} MiB; {banned} of {CLIENTS} banned"
