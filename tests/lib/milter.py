"""The mail server's side of the milter protocol, and OpenDKIM as a real filter on a loopback port."""

import socket
import struct
import subprocess
import time

from .server import free_port

ACTIONS = 0x1FF  # add, change and insert header fields, and the rest
READY_WITHIN = 30.0


class Milter:
    """One message through a filter: version 6, every step answered."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._send(b"O" + struct.pack("!III", 6, ACTIONS, 0))
        command, _ = self._receive()
        assert command == b"O", command

    def filter(self, message, sender, recipient, ip="127.0.0.1", helo="client.test", macros=()):
        """The message as it leaves the filter, and its last word (`c` continue, `a` accept, `r` reject, `t` try later)."""
        head, body = message.split(b"\r\n\r\n", 1)
        fields = head.replace(b"\r\n\t", b"\n\t").replace(b"\r\n ", b"\n ").split(b"\r\n")
        self._send(b"DC" + b"\0".join([b"j", b"filter.test", b""]))
        self._step(b"C" + helo.encode() + b"\0" + b"4" + struct.pack("!H", 25) + ip.encode() + b"\0")
        self._step(b"H" + helo.encode() + b"\0")
        self._send(b"DM" + b"".join(f"{name}\0{value}\0".encode() for name, value in [("i", "queueid1"), *macros]))
        self._step(b"M<" + sender.encode() + b">\0")
        self._step(b"R<" + recipient.encode() + b">\0")
        for field in fields:
            name, value = field.split(b":", 1)
            self._step(b"L" + name + b"\0" + value.removeprefix(b" ") + b"\0")
        self._step(b"N")
        for at in range(0, len(body), 65535):
            self._step(b"B" + body[at:at + 65535])
        self._send(b"E")
        added = []
        while True:
            command, data = self._receive()
            if command in (b"h", b"i"):
                name, value, _ = (data[4:] if command == b"i" else data).split(b"\0", 2)
                value = value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                added.append(name + b":" + (b"" if value[:1] == b" " else b" ") + value + b"\r\n")
            elif command in (b"c", b"a", b"r", b"t", b"d", b"y"):
                return b"".join(added) + message, command.decode()

    def _step(self, packet):
        self._send(packet)
        while True:
            command, _ = self._receive()
            if command != b"p":
                assert command in (b"c", b"a"), (packet[:40], command)
                return

    def _send(self, packet):
        self.sock.sendall(struct.pack("!I", len(packet)) + packet)

    def _receive(self):
        head = self._exactly(5)
        return head[4:], self._exactly(struct.unpack("!I", head[:4])[0] - 1)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            assert more, "the filter closed the connection"
            data += more
        return data


class OpenDkim:
    """Verifies with the keys in `zone` (name to TXT text); signs for `domain` when a key is given, what comes from `internal` or from a
    user who is logged in, as the macro {auth_type} says."""

    def __init__(self, directory, zone, domain=None, selector=None, key=None, algorithm="rsa-sha256", internal="127.0.0.1"):
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        (directory / "keys").write_text("".join(f"{name} {text}\n" for name, text in zone.items()))
        lines = [f"Socket inet:{self.port}@127.0.0.1", f"TestPublicKeys {directory}/keys", f"PidFile {directory}/pid", "Syslog no",
                 "Background no", "AutoRestart no", "RequireSafeKeys no", "Canonicalization relaxed/relaxed", "UMask 000",
                 "AuthservID opendkim.test", "On-BadSignature accept", "On-DNSError accept"]
        if key:
            (directory / "private").write_text(key)
            lines += ["Mode sv", f"Domain {domain}", f"Selector {selector}", f"KeyFile {directory}/private",
                      f"SignatureAlgorithm {algorithm}", f"InternalHosts {internal}"]
        else:
            lines += ["Mode v", "InternalHosts 192.0.2.99"]
        (directory / "conf").write_text("\n".join(lines) + "\n")
        self.log = open(directory / "log", "ab")
        self.process = subprocess.Popen(["/usr/sbin/opendkim", "-f", "-x", directory / "conf"], stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                if deadline < time.monotonic() or self.process.poll() is not None:
                    raise RuntimeError("opendkim does not start: " + (directory / "log").read_text())
                time.sleep(0.05)

    def filter(self, message, sender, recipient, **more):
        return Milter(self.port).filter(message, sender, recipient, **more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
