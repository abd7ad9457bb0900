"""Certificates from an authority: Pebble visits us, and the names are served with what it gives, without a restart."""

import socket
import ssl
import subprocess
import time

from lib.bind import Bind
from lib.dns import Dns
from lib.pebble import Pebble
from lib.runner import need_program
from lib.server import Postroad

WITHIN = 60.0


def shown(port, name, roots):
    """The names of the certificate that a client asking for `name` is shown, or why it is not believed."""
    context = ssl.create_default_context(cafile=str(roots))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name) as secure:
                return sorted(value for kind, value in secure.getpeercert()["subjectAltName"] if kind == "DNS")
        except ssl.SSLError as error:
            return str(error)


def wait_for(what, condition, server):
    deadline = time.monotonic() + WITHIN
    while not condition():
        if deadline < time.monotonic():
            raise AssertionError(f"{what} did not happen\n{server.cli('--json', 'certificate', 'list', check=False).stdout}\n{server.tail()}")
        time.sleep(0.1)


def served(directory, names):
    """A server, the DNS with these names leading to it, and an authority that visits it."""
    need_program("pebble", "openssl")
    zone = {(name, "A"): ["127.0.0.1"] for name in (*names, Pebble.NAME)}
    dns = Dns(zone)
    server = Postroad(directory / "here")
    pebble = Pebble(directory / "pebble", dns.port, server.port("http"), server.port("https"))
    server.stop()
    server.configure(f'[dns]\nresolvers = ["127.0.0.1:{dns.port}"]\n[tls]\nacme = "{pebble.directory}"\n'
                     f'contact = "postmaster@example.test"\nroots = "{pebble.roots}"')
    return server, pebble, dns


def test_pebble_gives_certificates(directory):
    host = "mail.example.test"
    server, pebble, dns = served(directory, [host, "mta-sts.example.test", "autoconfig.example.test"])
    with pebble, server:
        before = shown_before(server)
        server.start()
        roots = directory / "roots.pem"
        roots.write_bytes(pebble.issuer())
        wait_for("a certificate", lambda: shown(server.port("imaps"), host, roots) == [host], server)
        below = ["autoconfig.example.test", "mta-sts.example.test"]
        wait_for("the domain's certificate", lambda: shown(server.port("https"), below[0], roots) == below, server)
        assert before != host, "at first there was one of our own making"
        for service in ("submissions", "pop3s", "https"):
            assert shown(server.port(service), host, roots) == [host], service

        # The policy and the settings are fetched with them, as mail servers and programs do.
        context = ssl.create_default_context(cafile=str(roots))
        with socket.create_connection(("127.0.0.1", server.port("https")), timeout=30) as plain:
            with context.wrap_socket(plain, server_hostname="mta-sts.example.test") as secure:
                secure.sendall(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.test\r\nConnection: close\r\n\r\n")
                answer = b"".join(iter(lambda: secure.recv(4096), b""))
        assert b"mx: mail.example.test" in answer, answer

        listed = server.json("certificate", "list")
        assert [one["names"] for one in listed["certificates"]] == [[host], ["mta-sts.example.test", "autoconfig.example.test"]], listed
        assert all(one["problem"] is None for one in listed["certificates"]), listed

        # A domain that comes later gets its own.
        dns.zone["mta-sts.other.test", "A"] = ["127.0.0.1"]
        server.cli("domain", "add", "other.test")
        wait_for("a new domain's", lambda: shown(server.port("https"), "mta-sts.other.test", roots) == ["mta-sts.other.test"], server)

        # A new key waits for its TLSA record, and `dns show` has both meanwhile.
        def tlsa():
            records = server.json("dns", "show", "example.test")
            records = records["records"] if isinstance(records, dict) else records
            return [r["value"] for r in records if r["type"] == "TLSA"]
        assert len(tlsa()) == 1, tlsa()
        server.cli("certificate", "new-key", host)
        assert len(tlsa()) == 2, tlsa()

        # After a restart they are served at once, without the authority.
        server.stop()
        asked = pebble.said().count("POST")
        server.start()
        wait_for("the old one", lambda: shown(server.port("imaps"), host, roots) == [host], server)
        assert pebble.said().count("/order-plz") <= asked, "nothing new was ordered"


def shown_before(server):
    server.start()
    try:
        return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port('imaps')}"], input=b"", capture_output=True,
                              timeout=30).stdout.decode(errors="replace").split("issuer=")[-1].splitlines()[0]
    finally:
        server.stop()


def test_pebble_looks_at_the_tls_port(directory):
    """Without port 80 the names are proved in the handshake (TLS-ALPN-01)."""
    host = "mail.example.test"
    server, pebble, dns = served(directory, [host])
    with pebble, server:
        file = server.data / "postroad.toml"
        file.write_text(file.read_text().replace("[listen]", "[listen]\nhttp = false", 1))
        server.start()
        assert " http=" not in server.said, server.said
        roots = directory / "roots.pem"
        roots.write_bytes(pebble.issuer())
        wait_for("a certificate", lambda: shown(server.port("imaps"), host, roots) == [host], server)


def test_names_are_proved_in_the_dns(directory):
    """With no port open to the authority, but a name server that takes changes (DNS-01)."""
    need_program("pebble", "openssl", "named")
    host = "mail.example.test"
    with Bind(directory / "bind", "example.test", extra="mail A 127.0.0.1\n", fixed={Pebble.NAME: "@ A 127.0.0.1\n"}) as bind:
        server = Postroad(directory / "here")
        with Pebble(directory / "pebble", bind.port, 9, 9) as pebble, server:
            server.stop()
            file = server.data / "postroad.toml"
            file.write_text(file.read_text().replace("[listen]", "[listen]\nhttp = false\nhttps = false", 1))
            server.configure(f'[dns]\nresolvers = ["127.0.0.1:{bind.port}"]\n[tls]\nacme = "{pebble.directory}"\nroots = "{pebble.roots}"')
            server.cli("dns", "server", "add", "example.test", f"127.0.0.1:{bind.port}", "--tsig-file", str(bind.key_file))
            server.start()
            roots = directory / "roots.pem"
            roots.write_bytes(pebble.issuer())
            wait_for("a certificate", lambda: shown(server.port("imaps"), host, roots) == [host], server)
            assert bind.ask(f"_acme-challenge.{host}", "TXT") == [], "the proof is taken away"


def test_what_stands_in_the_way_is_told(directory):
    """The name leads elsewhere: the authority's own words are in the list, and it works once that is mended."""
    host = "mail.example.test"
    server, pebble, dns = served(directory, [])
    with pebble, server:
        server.start()
        problem = lambda: [one["problem"] for one in server.json_any("certificate", "list")["certificates"]]
        wait_for("a reason", lambda: any("no address" in (text or "") for text in problem()), server)
        assert server.cli("certificate", "list", check=False).returncode == 3
        dns.zone[host, "A"] = ["127.0.0.3"]
        server.cli("certificate", "fetch")
        wait_for("the authority's words", lambda: any("127.0.0.3" in (text or "") or "refused" in (text or "") for text in problem()), server)
        dns.zone[host, "A"] = ["127.0.0.1"]
        server.cli("certificate", "fetch")
        roots = directory / "roots.pem"
        roots.write_bytes(pebble.issuer())
        wait_for("a certificate", lambda: shown(server.port("imaps"), host, roots) == [host], server)
        assert server.cli("certificate", "list").returncode == 0
