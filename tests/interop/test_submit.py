"""swaks and msmtp submit mail, by every way to log in; and what must not be let through is not."""

import subprocess
import textwrap

from lib.runner import need_program
from lib.server import Postroad
from lib.sink import Sink
from lib.talk import Imap, Refused, Smtp


def served(directory, **more):
    sink = Sink()
    server = Postroad(directory, extra=f'[outbound]\nrelay = "smtp://127.0.0.1:{sink.port}"', **more)
    return server, sink


def swaks(server, *arguments, check=True):
    done = subprocess.run(["swaks", "--suppress-data", "--timeout", "30", "--ehlo", "laptop.home.test", *arguments],
                          capture_output=True, text=True, timeout=90)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def as_alice(server, *more):
    return ["--from", server.address("alice"), "--auth-user", server.address("alice"), "--auth-password", server.password, *more]


def test_swaks_starttls(directory):
    need_program("swaks")
    server, sink = served(directory)
    with server:
        for mechanism in ("PLAIN", "LOGIN"):
            swaks(server, "--server", f"127.0.0.1:{server.port('submission')}", "--tls", "--auth", mechanism,
                  *as_alice(server, "--to", "out@elsewhere.test"))
        swaks(server, "--server", f"127.0.0.1:{server.port('submissions')}", "--tls-on-connect", "--auth", "PLAIN",
              *as_alice(server, "--to", server.address("bob")))
        assert len(sink.wait_for(2)) == 2
        assert Imap(server.port("imaps"), server.address("bob"), server.password).wait_for(1) == 1


def test_swaks_from_outside(directory):
    need_program("swaks")
    server, sink = served(directory)
    with server:
        port = f"127.0.0.1:{server.port('smtp')}"
        swaks(server, "--server", port, "--from", "a@remote.test", "--to", server.address("bob"))
        swaks(server, "--server", port, "--tls", "--from", "a@remote.test", "--to", server.address("bob"))
        assert Imap(server.port("imaps"), server.address("bob"), server.password).wait_for(2) == 2
        assert "550" in swaks(server, "--server", port, "--from", "a@remote.test", "--to", "nobody@example.test", check=False).stdout
        relay = swaks(server, "--server", port, "--from", "a@remote.test", "--to", "x@elsewhere.test", check=False)
        assert relay.returncode and ("550" in relay.stdout or "554" in relay.stdout), relay.stdout
        assert not sink.letters


def test_wrong_password(directory):
    need_program("swaks")
    server, _ = served(directory)
    with server:
        done = swaks(server, "--server", f"127.0.0.1:{server.port('submission')}", "--tls", "--auth", "PLAIN", "--from",
                     server.address("alice"), "--auth-user", server.address("alice"), "--auth-password", "wrong", "--to",
                     "x@elsewhere.test", check=False)
        assert done.returncode and "535" in done.stdout, done.stdout


def test_others_addresses_are_refused(directory):
    server, sink = served(directory)
    with server:
        smtp = Smtp(server.port("submission")).hello().secure().log_in(server.address("alice"), server.password)
        letter = b"From: %s\r\nTo: x@elsewhere.test\r\nSubject: hi\r\n\r\nhi\r\n"
        for sender, author in (("bob@example.test", b"alice@example.test"), ("alice@example.test", b"bob@example.test"),
                               ("alice@example.test", b"boss@bank.test")):
            try:
                smtp.deliver(sender, "x@elsewhere.test", letter % author)
                raise AssertionError(f"{author} let through with reverse-path {sender}")
            except Refused as error:
                assert str(error).startswith("5"), error
            smtp.close()
            smtp = Smtp(server.port("submission")).hello().secure().log_in(server.address("alice"), server.password)
        smtp.deliver("alice+shop@example.test", "x@elsewhere.test", letter % b"alice+shop@example.test")
        assert len(sink.wait_for(1)) == 1


def test_what_leaves_is_clean_and_signed(directory):
    server, sink = served(directory)
    with server:
        smtp = Smtp(server.port("submission")).hello("laptop-of-alice.home.test").secure()
        smtp.hello("laptop-of-alice.home.test")
        smtp.log_in(server.address("alice"), server.password)
        smtp.deliver(server.address("alice"), "x@elsewhere.test",
                     b"From: Alice <alice@example.test>\r\nTo: x@elsewhere.test\r\nBcc: secret@elsewhere.test\r\n"
                     b"User-Agent: Mailer/1.0\r\nX-Originating-IP: 10.1.2.3\r\nSubject: hi\r\n\r\n.dot\r\nhi\r\n")
        letter = sink.wait_for(1)[0]
        head, body = letter.content.split(b"\r\n\r\n", 1)
        low = head.lower()
        assert body == b".dot\r\nhi\r\n", body
        for word in (b"bcc", b"secret@", b"user-agent", b"laptop-of-alice", b"10.1.2.3", b"127.0.0.1"):
            assert word not in low, f"{word} leaves in\n{head.decode()}"
        assert b"\r\ndate:" in b"\r\n" + low and b"\r\nmessage-id:" in b"\r\n" + low, head
        assert low.count(b"dkim-signature:") == 2 and b"a=rsa-sha256" in low and b"a=ed25519-sha256" in low, head
        assert letter.sender == "alice@example.test"


MSMTP = """\
defaults
tls on
tls_certcheck off
logfile {home}/msmtp.log
account a
host 127.0.0.1
port {port}
tls_starttls {starttls}
auth {auth}
user alice@example.test
password {password}
from alice@example.test
domain laptop.home.test
account default : a
"""


def test_msmtp_by_every_mechanism(directory):
    need_program("msmtp")
    server, sink = served(directory)
    with server:
        for count, (door, auth) in enumerate((("submission", "plain"), ("submission", "login"), ("submission", "scram-sha-256"),
                                              ("submissions", "scram-sha-256"), ("submissions", "plain")), 1):
            settings = directory / "msmtprc"
            settings.write_text(MSMTP.format(home=directory, port=server.port(door), auth=auth, password=server.password,
                                             starttls="on" if door == "submission" else "off"))
            settings.chmod(0o600)
            letter = textwrap.dedent(f"""\
                From: alice@example.test
                To: x@elsewhere.test
                Subject: by {auth}

                hello
                """)
            done = subprocess.run(["msmtp", "-C", settings, "x@elsewhere.test"], input=letter, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"{auth}: {done.stderr}"
            assert f"by {auth}".encode() in sink.wait_for(count)[-1].content
        settings.write_text(settings.read_text().replace(server.password, "wrong"))
        done = subprocess.run(["msmtp", "-C", settings, "x@elsewhere.test"], input="From: alice@example.test\n\nx\n", capture_output=True, text=True, timeout=60)
        assert done.returncode != 0


def test_scram_plus_by_hand(directory):
    """SCRAM-SHA-256-PLUS with tls-server-end-point, which no program at hand speaks (RFC 5802, RFC 7677, RFC 5929)."""
    import base64
    import hashlib
    import hmac
    server, _ = served(directory)
    with server:
        smtp = Smtp(server.port("submissions"), tls=True).hello()
        auth = next(e for e in smtp.extensions if e.startswith("AUTH"))
        assert "SCRAM-SHA-256-PLUS" in auth, auth
        certificate = smtp.sock.getpeercert(binary_form=True)
        binding = hashlib.sha256(certificate).digest()
        bare = f"n={server.address('alice')},r=clientnonce"
        first = "p=tls-server-end-point,," + bare
        smtp.send("AUTH SCRAM-SHA-256-PLUS " + base64.b64encode(first.encode()).decode() + "\r\n")
        challenge = base64.b64decode(smtp.expect(334)[1]).decode()
        fields = dict(part.split("=", 1) for part in challenge.split(","))
        assert fields["r"].startswith("clientnonce")
        salted = hashlib.pbkdf2_hmac("sha256", server.password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        sign = lambda key, text: hmac.new(key, text, hashlib.sha256).digest()
        client = sign(salted, b"Client Key")
        without = "c=" + base64.b64encode(b"p=tls-server-end-point,," + binding).decode() + ",r=" + fields["r"]
        text = f"{bare},{challenge},{without}".encode()
        proof = bytes(a ^ b for a, b in zip(client, sign(hashlib.sha256(client).digest(), text)))
        final = without + ",p=" + base64.b64encode(proof).decode()
        smtp.send(base64.b64encode(final.encode()).decode() + "\r\n")
        code, said = smtp.reply()
        if code == 334:
            verifier = base64.b64decode(said).decode()
            assert verifier == "v=" + base64.b64encode(sign(sign(salted, b"Server Key"), text)).decode()
            smtp.send("\r\n")
            code, said = smtp.reply()
        assert code == 235, said
