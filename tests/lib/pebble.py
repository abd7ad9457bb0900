"""Pebble, the small ACME authority of Let's Encrypt's makers, on loopback ports, with a root of its own for its pages."""

import json
import os
import socket
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

from .server import free_port

READY_WITHIN = 30.0


class Pebble:
    """Looks names up at `dns_port`, and visits them at `http_port` and `https_port`."""

    NAME = "ca.test"

    def __init__(self, directory, dns_port, http_port, https_port):
        directory.mkdir(parents=True, exist_ok=True)
        self.port, self.management = free_port(), free_port()
        self.roots = directory / "root.pem"
        key, certificate = directory / "key.pem", directory / "certificate.pem"
        self._certificate(directory, key, certificate)
        settings = {"pebble": {"listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
                               "certificate": str(certificate), "privateKey": str(key), "httpPort": http_port, "tlsPort": https_port,
                               "ocspResponderURL": "", "externalAccountBindingRequired": False}}
        (directory / "pebble.json").write_text(json.dumps(settings))
        self.log = open(directory / "log", "ab")
        self.process = subprocess.Popen(
            ["pebble", "-config", directory / "pebble.json", "-dnsserver", f"127.0.0.1:{dns_port}"], stdout=self.log, stderr=self.log,
            # It refuses some good nonces by default, as a real authority does now and then: that stays.
            env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0"})
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                if deadline < time.monotonic() or self.process.poll() is not None:
                    raise RuntimeError("pebble does not start: " + (directory / "log").read_text())
                time.sleep(0.05)

    def _certificate(self, directory, key, certificate):
        root_key = directory / "root-key.pem"
        run = lambda *a: subprocess.run(["openssl", *map(str, a)], check=True, capture_output=True)
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", root_key, "-out", self.roots,
            "-subj", "/CN=Root of the pages", "-days", "3", "-addext", "basicConstraints=critical,CA:TRUE")
        request, extra = directory / "request.pem", directory / "extra"
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={self.NAME}")
        extra.write_text(f"subjectAltName=DNS:{self.NAME}\nbasicConstraints=CA:FALSE\n")
        run("x509", "-req", "-in", request, "-CA", self.roots, "-CAkey", root_key, "-CAcreateserial", "-days", "3", "-out", certificate,
            "-extfile", extra)

    @property
    def directory(self) -> str:
        return f"https://{self.NAME}:{self.port}/dir"

    def issuer(self) -> bytes:
        """The root of the certificates that it makes, PEM."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return urllib.request.urlopen(f"https://127.0.0.1:{self.management}/roots/0", context=context, timeout=30).read()

    def said(self) -> str:
        return Path(self.log.name).read_text(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
