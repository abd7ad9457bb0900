"""Raw conversations: a connection by lines and counts, and small SMTP, IMAP and POP3 clients on it.
They send exactly the bytes they are told, which the library clients do not."""

import base64
import re
import socket
import ssl
import time

PATIENCE = 60.0


def tls_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Closed(Exception):
    """The peer closed the connection."""


class Talk:
    def __init__(self, port, tls=False, patience=PATIENCE, host="127.0.0.1"):
        self.sock = socket.create_connection((host, port), timeout=patience)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = b""
        if tls:
            self.start_tls()

    def start_tls(self):
        self.sock = tls_context().wrap_socket(self.sock)

    def send(self, data):
        if isinstance(data, str):
            data = data.encode()
        self.sock.sendall(data)

    def fill(self):
        try:
            data = self.sock.recv(1 << 18)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError) as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("end of input")
        self.input += data

    def line(self) -> bytes:
        while b"\n" not in self.input:
            self.fill()
        line, self.input = self.input.split(b"\n", 1)
        return line + b"\n"

    def take(self, count) -> bytes:
        if len(self.input) < count:
            parts, have = [self.input], len(self.input)
            while have < count:
                self.input = b""
                self.fill()
                parts.append(self.input)
                have += len(self.input)
            self.input = b"".join(parts)
        data, self.input = self.input[:count], self.input[count:]
        return data

    def rest(self, patience=10.0) -> bytes:
        """Everything until the peer closes, or says nothing for so long."""
        self.sock.settimeout(patience)
        try:
            while True:
                self.fill()
        except (Closed, OSError):
            pass
        data, self.input = self.input, b""
        return data

    def is_closed(self, patience=10.0) -> bool:
        self.sock.settimeout(patience)
        try:
            while True:
                self.fill()
        except Closed:
            return True
        except OSError:
            return False

    def close(self):
        self.sock.close()


class Refused(Exception):
    """The server said no."""


class Smtp(Talk):
    def __init__(self, port, tls=False, **more):
        super().__init__(port, tls, **more)
        self.expect(220)
        self.extensions = []

    def reply(self):
        """(code, text) of one reply of any number of lines."""
        lines = []
        while True:
            line = self.line()
            lines.append(line[4:].strip().decode(errors="replace"))
            if line[3:4] != b"-":
                return int(line[:3]), "\n".join(lines)

    def expect(self, *codes):
        code, text = self.reply()
        if code not in codes:
            raise Refused(f"{code} {text}, wanted {codes}")
        return code, text

    def command(self, text, *codes):
        self.send(text + "\r\n")
        return self.expect(*codes) if codes else self.reply()

    def hello(self, name="client.remote.test"):
        self.extensions = self.command(f"EHLO {name}", 250)[1].split("\n")[1:]
        return self

    def offers(self, word) -> bool:
        return any(e.split(" ")[0].upper() == word for e in self.extensions)

    def secure(self):
        self.command("STARTTLS", 220)
        self.start_tls()
        return self.hello()

    def log_in(self, login, password):
        self.command("AUTH PLAIN " + base64.b64encode(f"\0{login}\0{password}".encode()).decode(), 235)
        return self

    def deliver(self, sender, recipient, message):
        """DATA; the message has CR LF line ends. Pipelined as far as it may be."""
        self.send(f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n")
        self.expect(250)
        self.expect(250)
        self.expect(354)
        self.send(stuffed(message) + b".\r\n")
        return self.expect(250)

    def deliver_binary(self, sender, recipient, message):
        """BDAT with BODY=BINARYMIME: any bytes whatever."""
        self.send(f"MAIL FROM:<{sender}> BODY=BINARYMIME\r\nRCPT TO:<{recipient}>\r\n")
        self.expect(250)
        self.expect(250)
        self.send(b"BDAT %d LAST\r\n" % len(message) + message)
        return self.expect(250)

    def quit(self):
        self.command("QUIT", 221)
        self.close()


def stuffed(message: bytes) -> bytes:
    if message.startswith(b"."):
        message = b"." + message
    message = message.replace(b"\r\n.", b"\r\n..")
    return message if message.endswith(b"\r\n") or not message else message + b"\r\n"


LITERAL = re.compile(rb"\{(\d+)\}\r\n$")


class Imap(Talk):
    def __init__(self, port, login=None, password=None, tls=True, greet=True):
        super().__init__(port, tls)
        self.number = 0
        if greet:
            self.line()
        if login:
            self.command(f'LOGIN "{login}" "{password}"')

    def tag(self):
        self.number += 1
        return f"t{self.number}"

    def response(self) -> list:
        """One response: a list of text and literals by turns."""
        parts = []
        while True:
            line = self.line()
            parts.append(line)
            found = LITERAL.search(line)
            if not found:
                return parts
            parts.append(self.take(int(found.group(1))))

    def until(self, tag):
        untagged = []
        while True:
            parts = self.response()
            if parts[0].startswith(tag.encode() + b" "):
                text = parts[0][len(tag) + 1:].decode(errors="replace").strip()
                if not text.startswith("OK"):
                    raise Refused(text)
                return text, untagged
            untagged.append(parts)

    def command(self, text):
        """(the tagged text, the untagged responses); `Refused` when it is not OK."""
        tag = self.tag()
        self.send(f"{tag} {text}\r\n")
        return self.until(tag)

    def append(self, mailbox, message: bytes, flags=""):
        tag = self.tag()
        # NUL is only allowed in literal8 (RFC 3516).
        kind = "~" if b"\0" in message else ""
        self.send(f"{tag} APPEND {mailbox} {flags and flags + ' '}{kind}{{{len(message)}+}}\r\n".encode() + message + b"\r\n")
        return self.until(tag)[0]

    def bodies(self, mailbox, batch=200):
        """All messages of a mailbox in the order of their numbers."""
        self.command(f"SELECT {mailbox}")
        count = self.count(mailbox)
        for first in range(1, count + 1, batch):
            _, untagged = self.command(f"FETCH {first}:{min(count, first + batch - 1)} (UID BODY.PEEK[])")
            for parts in untagged:
                if b" FETCH " in parts[0]:
                    yield body_of(parts)

    def count(self, mailbox="INBOX") -> int:
        _, untagged = self.command(f"STATUS {mailbox} (MESSAGES)")
        status = next(parts[0] for parts in untagged if parts[0].startswith(b"* STATUS"))
        return int(re.search(rb"MESSAGES (\d+)", status).group(1))

    def wait_for(self, count, mailbox="INBOX", within=60.0):
        end = time.monotonic() + within
        while time.monotonic() < end:
            have = self.count(mailbox)
            if have >= count:
                return have
            time.sleep(0.05)
        raise AssertionError(f"{mailbox} has {have} messages, wanted {count}")

    def logout(self):
        try:
            self.command("LOGOUT")
        except (Closed, Refused, OSError):
            pass
        self.close()


def body_of(parts) -> bytes:
    """The literal or quoted string of BODY[] in a FETCH response."""
    for before, literal in zip(parts[0::2], parts[1::2]):
        if re.search(rb"(BODY\[\]|BINARY\[\]) ~?\{\d+\}\r\n$", before):
            return literal
    quoted = re.search(rb'BODY\[\] "((?:[^"\\]|\\.)*)"', parts[0])
    if quoted:
        return re.sub(rb"\\(.)", rb"\1", quoted.group(1))
    raise AssertionError(f"no body in {parts[0]!r}")


class Pop3(Talk):
    def __init__(self, port, login=None, password=None, tls=True):
        super().__init__(port, tls)
        self.greeting = self.line()
        if login:
            self.command(f"USER {login}")
            self.command(f"PASS {password}")

    def command(self, text) -> str:
        self.send(text + "\r\n")
        line = self.line().decode(errors="replace").strip()
        if not line.startswith("+OK"):
            raise Refused(line)
        return line

    def lines(self, text) -> bytes:
        """A command with an answer of several lines, unstuffed."""
        self.command(text)
        lines = []
        while True:
            line = self.line()
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
