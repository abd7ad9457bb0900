"""A remote SMTP server that keeps what it is sent, and does what it is told to do with it."""

import re
import socket
import threading
import time


class Letter:
    def __init__(self, sender, recipients, content, raw):
        self.sender, self.recipients, self.content, self.raw = sender, recipients, content, raw
        #: Whether our final 250 was written to the client (it may still not have read it).
        self.answered = False
        self.when = time.monotonic()


class Sink:
    """`policy(event, argument)` may give a reply to say instead of yes, or `None`; events are MAIL, RCPT, DATA and
    CONTENT. `extensions` are offered in EHLO; the sink speaks DATA only, so a sender must not need more."""

    def __init__(self, port=0, host="127.0.0.1", policy=None, extensions=("PIPELINING", "8BITMIME", "SIZE 60000000")):
        self.policy = policy or (lambda event, argument: None)
        self.extensions = extensions
        self.letters = []
        self.lock = threading.Condition()
        self.listener = socket.create_server((host, port), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._guard, args=(stream,), daemon=True).start()

    def _guard(self, stream):
        try:
            with stream:
                self._serve(stream)
        except OSError:
            pass

    def _serve(self, stream):
        stream.settimeout(120)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = stream.makefile("rb")
        stream.sendall(b"220 sink.test ESMTP\r\n")
        sender, recipients = None, []
        while True:
            line = lines.readline()
            if not line:
                return
            verb, text = line[:4].upper(), line.decode(errors="replace").strip()
            if verb in (b"EHLO", b"HELO"):
                offered = ["sink.test", *self.extensions]
                for i, word in enumerate(offered):
                    stream.sendall(f"250{' ' if i == len(offered) - 1 else '-'}{word}\r\n".encode())
            elif verb == b"MAIL":
                sender, recipients = address_in(text), []
                self._say(stream, self.policy("MAIL", sender) or "250 2.1.0 ok")
            elif verb == b"RCPT":
                reply = self.policy("RCPT", address_in(text)) or "250 2.1.5 ok"
                if reply.startswith("2"):
                    recipients.append(address_in(text))
                self._say(stream, reply)
            elif verb == b"DATA":
                reply = "503 5.5.1 no recipients" if not recipients else self.policy("DATA", sender) or "354 go on"
                self._say(stream, reply)
                if reply.startswith("354") and not self._content(stream, lines, sender, list(recipients)):
                    return
            elif verb == b"QUIT":
                self._say(stream, "221 2.0.0 bye")
                return
            elif verb in (b"RSET", b"NOOP"):
                self._say(stream, "250 2.0.0 ok")
            else:
                self._say(stream, "502 5.5.1 what?")

    def _content(self, stream, lines, sender, recipients) -> bool:
        raw = []
        while True:
            line = lines.readline()
            if not line:
                return False
            raw.append(line)
            if line == b".\r\n":
                break
        whole = b"".join(raw)
        content = b"".join(part[1:] if part.startswith(b".") else part for part in raw[:-1])
        reply = self.policy("CONTENT", content) or "250 2.0.0 kept"
        if reply == "CUT":
            # Kept, but the client does not hear of it.
            with self.lock:
                self.letters.append(Letter(sender, recipients, content, whole))
                self.lock.notify_all()
            return False
        if reply.startswith("2"):
            letter = Letter(sender, recipients, content, whole)
            with self.lock:
                self.letters.append(letter)
                self.lock.notify_all()
            self._say(stream, reply)
            letter.answered = True
        else:
            self._say(stream, reply)
        return True

    def _say(self, stream, reply):
        stream.sendall(reply.encode() + b"\r\n")

    def wait_for(self, count, within=60.0):
        with self.lock:
            if not self.lock.wait_for(lambda: len(self.letters) >= count, within):
                raise AssertionError(f"the sink has {len(self.letters)} letters, wanted {count}")
            return list(self.letters)

    def close(self):
        self.listener.close()


def address_in(text) -> str:
    found = re.search(r"<([^>]*)>", text)
    return found.group(1) if found else ""
