"""Every encrypted door as openssl's client and Python see it: no old protocol, no weak suite, resumption, the right certificate."""

import os
import socket
import ssl
import subprocess

from lib.runner import need_program
from lib.server import Postroad, free_port
from lib.talk import Imap, Smtp

DOORS = (("smtp", "smtp"), ("submission", "smtp"), ("imap", "imap"), ("pop3", "pop3"), ("submissions", None), ("imaps", None), ("pop3s", None))
EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
#: Forward secrecy and authenticated encryption; all that TLS 1.2 may use here.
MODERN = ("ECDHE+AESGCM", "ECDHE+CHACHA20")
WEAK = EVERYTHING.replace(":@", "".join(f":!{suite}" for suite in MODERN) + ":@")


def probe(port, starttls, *arguments):
    """(whether a handshake was made, all that openssl printed)."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *(["-starttls", starttls] if starttls else []), *arguments]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=60, env={**os.environ, "OPENSSL_CONF": "/dev/null"})
    said = (done.stdout + done.stderr).decode(errors="replace")
    return "Cipher is (NONE)" not in said and "Cipher is " in said, said


def test_old_protocols_and_weak_suites_are_refused(directory):
    need_program("openssl")
    with Postroad(directory) as server:
        for service, starttls in DOORS:
            port = server.port(service)
            for old in ("-tls1", "-tls1_1"):
                made, said = probe(port, starttls, old, "-cipher", EVERYTHING)
                assert not made, f"{service} speaks {old}:\n{said}"
            for new in ("-tls1_2", "-tls1_3"):
                made, said = probe(port, starttls, new)
                assert made, f"{service} does not speak {new}:\n{said}"
                assert "Compression: NONE" in said, said
            made, said = probe(port, starttls, "-tls1_2", "-cipher", WEAK)
            assert not made, f"{service} takes a weak suite:\n{said}"
            for suite in MODERN:
                made, said = probe(port, starttls, "-tls1_2", "-cipher", suite)
                assert made, f"{service} lacks {suite}:\n{said}"


def test_the_probe_can_see_old_protocols(directory):
    """A server of openssl's own that does speak TLS 1.0 and a weak suite: the test above can fail."""
    need_program("openssl")
    key, certificate, port = directory / "key", directory / "cert", free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=old.test",
                    "-days", "2"], check=True, capture_output=True)
    old = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-key", key, "-cert", certificate, "-cipher", EVERYTHING],
                           env={**os.environ, "OPENSSL_CONF": "/dev/null"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.PIPE)
    try:
        for line in old.stdout:
            if b"ACCEPT" in line:
                break
        assert probe(port, None, "-tls1", "-cipher", EVERYTHING)[0]
        assert probe(port, None, "-tls1_2", "-cipher", WEAK)[0]
    finally:
        old.kill()
        old.wait()


def test_sessions_are_resumed(directory):
    with Postroad(directory) as server:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.minimum_version = context.maximum_version = version
            session = None
            for again in (False, True):
                with socket.create_connection(("127.0.0.1", server.port("imaps")), timeout=30) as plain:
                    with context.wrap_socket(plain, server_hostname=f"mail.{server.domain}", session=session) as secure:
                        assert secure.recv(4096).startswith(b"* OK")
                        assert secure.session_reused is again, (version, again)
                        secure.sendall(b"a LOGOUT\r\n")
                        while secure.recv(4096):
                            pass
                        session = secure.session


def test_nothing_secret_without_tls(directory):
    with Postroad(directory) as server:
        smtp = Smtp(server.port("submission")).hello()
        assert not smtp.offers("AUTH") and smtp.offers("STARTTLS"), smtp.extensions
        assert smtp.command("AUTH PLAIN AGEAYg==")[0] in (530, 538)
        assert smtp.secure().offers("AUTH")
        imap = Imap(server.port("imap"), tls=False)
        assert b"LOGINDISABLED" in imap.command("CAPABILITY")[1][0][0]
