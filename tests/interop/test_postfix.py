"""Postfix and Postroad exchange mail both ways: by MX and by the relay setting."""

import smtplib

from lib.dns import Dns
from lib.postfix import Postfix, installed
from lib.runner import need
from lib.server import Postroad
from lib.talk import Imap, Smtp

BODY = b"".join(b"line %d of the letter, with an equals sign = and a dot\r\n.\r\n..\r\n" % i for i in range(200))


def letter(sender, recipient, subject=b"hello"):
    return b"From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nDate: Mon, 03 Jun 2024 10:00:00 +0000\r\nMessage-ID: <1@remote.test>\r\n\r\n" % (
        sender.encode(), recipient.encode(), subject) + BODY


def body(content):
    return content.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1].replace(b"\n", b"\r\n")


def test_postfix_to_postroad(directory):
    need(installed(), "postfix is not installed")
    with Postroad(directory) as server, Postfix(directory, "other.test", {"example.test": server.port("smtp")}) as postfix:
        for i in range(20):
            with smtplib.SMTP("127.0.0.1", postfix.port) as smtp:
                smtp.sendmail("pat@other.test", ["alice@example.test", "bob@example.test"], letter("pat@other.test", "alice@example.test"))
        for user in ("alice", "bob"):
            imap = Imap(server.port("imaps"), server.address(user), server.password)
            assert imap.wait_for(20) == 20
            for content in imap.bodies("INBOX"):
                assert body(content) == BODY
        assert "TLS connection established" in postfix.log(), "no STARTTLS on the way"
        # One that is not there comes back by Postfix's own bounce.
        with smtplib.SMTP("127.0.0.1", postfix.port) as smtp:
            smtp.sendmail("pat@other.test", ["nobody@example.test"], letter("pat@other.test", "nobody@example.test"))
        bounce = postfix.wait_for("pat", 1)[0]
        assert b"nobody@example.test" in bounce and b"550" in bounce, bounce


def submit(server, count, recipient):
    smtp = Smtp(server.port("submission")).hello().secure().log_in(server.address("alice"), server.password)
    for i in range(count):
        smtp.deliver(server.address("alice"), recipient, letter(server.address("alice"), recipient))
    smtp.quit()


def test_postroad_to_postfix_by_relay(directory):
    need(installed(), "postfix is not installed")
    with Postfix(directory, "other.test") as postfix:
        with Postroad(directory, extra=f'[outbound]\nrelay = "smtp://127.0.0.1:{postfix.port}"') as server:
            submit(server, 20, "pat@other.test")
            for content in postfix.wait_for("pat", 20):
                assert body(content) == BODY


def test_postroad_to_postfix_by_mx(directory):
    need(installed(), "postfix is not installed")
    with Postfix(directory, "other.test") as postfix:
        dns = Dns({
            ("other.test", "MX"): ["10 dead.other.test", "20 mx.other.test"],
            # Nothing listens there: the second choice is taken.
            ("dead.other.test", "A"): ["127.9.9.9"],
            ("mx.other.test", "A"): ["127.0.0.1"],
            ("plain.test", "A"): ["127.0.0.1"],
            ("nomail.test", "MX"): ["0 ."],
        })
        extra = f'[dns]\nresolvers = ["127.0.0.1:{dns.port}"]\n\n[outbound]\nport = {postfix.port}'
        with Postroad(directory, extra=extra) as server:
            submit(server, 20, "pat@other.test")
            for content in postfix.wait_for("pat", 20):
                assert body(content) == BODY
            # Null MX and names that do not exist come back as a report in words (RFC 7505, RFC 3464).
            submit(server, 1, "x@nomail.test")
            submit(server, 1, "x@missing.invalid.test")
            # Postfix refuses mail for others: the recipient is at fault, and we are told.
            submit(server, 1, "x@plain.test")
            imap = Imap(server.port("imaps"), server.address("alice"), server.password)
            imap.wait_for(3)
            reports = b"\n".join(imap.bodies("INBOX"))
            for word in (b"x@nomail.test", b"x@missing.invalid.test", b"x@plain.test", b"message/delivery-status"):
                assert word in reports, f"{word} in no report"


def test_round_trip(directory):
    """A letter goes to Postfix, comes back, and every hop leaves the body alone."""
    need(installed(), "postfix is not installed")
    from lib.server import free_offset
    with Postroad(directory) as server:
        with Postfix(directory, "other.test", {"example.test": server.port("smtp")},
                     settings=f"virtual_alias_maps = inline:{{pat@other.test=bob@example.test}}") as postfix:
            server.stop()
            server.configure(f'[outbound]\nrelay = "smtp://127.0.0.1:{postfix.port}"')
            server.start()
            submit(server, 5, "pat@other.test")
            imap = Imap(server.port("imaps"), server.address("bob"), server.password)
            imap.wait_for(5)
            for content in imap.bodies("INBOX"):
                assert body(content) == BODY
