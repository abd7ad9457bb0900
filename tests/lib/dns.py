"""An authoritative DNS server for tests, from a table of text: UDP and TCP on one loopback port."""

import ipaddress
import socket
import socketserver
import struct
import threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}


def name_bytes(name):
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def data_bytes(kind, text):
    if kind == "A":
        return ipaddress.IPv4Address(text).packed
    if kind == "AAAA":
        return ipaddress.IPv6Address(text).packed
    if kind == "MX":
        preference, host = text.split()
        return struct.pack("!H", int(preference)) + name_bytes(host)
    if kind == "TXT":
        raw = text.encode()
        return b"".join(bytes([len(raw[i:i + 255])]) + raw[i:i + 255] for i in range(0, max(len(raw), 1), 255))
    return name_bytes(text)


class Dns:
    """`zone` maps (name, kind) to a list of texts, as in {("a.test", "MX"): ["10 mx.a.test"]}."""

    def __init__(self, zone, port=0):
        self.zone = {(name.lower().rstrip("."), kind): values for (name, kind), values in zone.items()}
        self.asked = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for _ in range(20):
            self.udp.bind(("127.0.0.1", port))
            self.port = self.udp.getsockname()[1]
            try:
                self.tcp = self._tcp()
                break
            except OSError:
                self.udp.close()
                self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        threading.Thread(target=self._serve_udp, daemon=True).start()
        threading.Thread(target=self.tcp.serve_forever, daemon=True).start()

    def _tcp(self):
        answer = self.answer

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while True:
                    head = self.rfile.read(2)
                    if len(head) < 2:
                        return
                    reply = answer(self.rfile.read(struct.unpack("!H", head)[0]))
                    self.wfile.write(struct.pack("!H", len(reply)) + reply)

        server = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), Handler)
        server.daemon_threads = True
        return server

    def _serve_udp(self):
        while True:
            try:
                query, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            try:
                self.udp.sendto(self.answer(query), peer)
            except (OSError, IndexError, struct.error):
                pass

    def answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin1"))
            at += 1 + query[at]
        question = query[12:at + 5]
        kind = struct.unpack("!H", query[at + 1:at + 3])[0]
        name = ".".join(labels).lower()
        word = next((w for w, number in TYPES.items() if number == kind), str(kind))
        self.asked.append((name, word))
        records, target = [], name
        for _ in range(8):
            if (target, "CNAME") in self.zone and word != "CNAME":
                alias = self.zone[target, "CNAME"][0]
                records.append((target, "CNAME", alias))
                target = alias.lower().rstrip(".")
            else:
                break
        records += [(target, word, value) for value in self.zone.get((target, word), [])]
        known = any(n == target or n.endswith("." + target) for n, _ in self.zone)
        body = b""
        for owner, w, value in records:
            data = data_bytes(w, value)
            body += name_bytes(owner) + struct.pack("!HHIH", TYPES[w], 1, 60, len(data)) + data
        flags = 0x8400 | (struct.unpack("!H", query[2:4])[0] & 0x0100) | 0x0080 | (0 if known or records else 3)
        return query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + question + body

    def close(self):
        self.udp.close()
        self.tcp.shutdown()
        self.tcp.server_close()
