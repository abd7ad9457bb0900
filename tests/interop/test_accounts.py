"""App passwords, rules of log-ins and the end of sessions, with mutt, mbsync, fetchmail, swaks, msmtp and by hand."""

import os
import subprocess
import time

from lib.runner import need_program
from lib.server import Postroad
from lib.sink import Sink
from lib.talk import Closed, Imap, Pop3, Refused, Smtp
from test_readers import FETCHMAIL, Mbsync, deliver, mutt
from test_submit import MSMTP, as_alice, swaks


def app_password(server, name, *more):
    return server.json("account", "app-password", "add", server.address("alice"), name, *more)["password"]


def refused(work):
    try:
        work()
    except (Refused, Closed) as error:
        return str(error)
    raise AssertionError("let in")


def imap(server, password, user="alice"):
    return Imap(server.port("imaps"), server.address(user), password)


def test_app_passwords_in_mail_programs(directory):
    need_program("mutt", "mbsync", "fetchmail", "swaks", "msmtp", "openssl", "script")
    sink = Sink()
    with Postroad(directory, extra=f'[outbound]\nrelay = "smtp://127.0.0.1:{sink.port}"') as server:
        main, alice = server.password, server.address("alice")
        deliver(server, 4)
        server.cli("account", "main-password", alice, "off")
        refused(lambda: imap(server, main))
        # SCRAM, by which mbsync and msmtp log in where it is offered, and without the dashes.
        server.password = app_password(server, "laptop")
        for auth in ("PLAIN", "SCRAM-SHA-256"):
            home = directory / auth
            home.mkdir()
            mbsync = Mbsync(server, home, "IMAPS", auth)
            mbsync.run()
            assert len(mbsync.files()) == 4
        keys = "1<enter><display-message><exit><quit>"
        mutt(server, directory, f'push "{keys}"')
        box = imap(server, server.password.replace("-", " "))
        box.command("SELECT INBOX")
        assert b"\\Seen" in box.command("FETCH 1 (FLAGS)")[1][0][0]
        for auth in ("plain", "scram-sha-256"):
            settings = directory / "msmtprc"
            settings.write_text(MSMTP.format(home=directory, port=server.port("submissions"), auth=auth,
                                             password=server.password.replace("-", ""), starttls="off"))
            settings.chmod(0o600)
            done = subprocess.run(["msmtp", "-C", settings, "x@elsewhere.test"], input=f"From: {alice}\n\nx\n",
                                  capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
        swaks(server, "--server", f"127.0.0.1:{server.port('submission')}", "--tls", "--auth", "PLAIN",
              *as_alice(server, "--to", "x@elsewhere.test"))
        assert len(sink.wait_for(3)) == 3
        # One that only reads, with POP3.
        server.password = app_password(server, "collector", "--protocols", "pop3", "--expires", "90d")
        settings = directory / "fetchmailrc"
        settings.write_text(FETCHMAIL.format(protocol="pop3", port=server.port("pop3s"), user=alice, password=server.password,
                                             keep="keep", home=directory))
        settings.chmod(0o600)
        env = dict(os.environ, HOME=str(directory), FETCHMAILHOME=str(directory))
        done = subprocess.run(["fetchmail", "-f", settings, "--nodetach", "--nosyslog", "-i", directory / "ids"], env=env,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        refused(lambda: imap(server, server.password))
        said = swaks(server, "--server", f"127.0.0.1:{server.port('submission')}", "--tls", "--auth", "PLAIN",
                     *as_alice(server, "--to", "x@elsewhere.test"), check=False)
        assert said.returncode and "535" in said.stdout, said.stdout
        listed = {one["name"]: one for one in server.json("account", "app-password", "list", alice)}
        assert listed["laptop"]["used"]["client"] == "laptop.home.test", listed
        assert listed["collector"]["used"]["protocol"] == "pop3", listed
        history = server.json("account", "sign-ins", alice)
        results = {one["result"] for one in history}
        for result in ("app password laptop", "app password collector", "refused: only app passwords are taken from mail programs",
                       "refused: the app password is not for this protocol"):
            assert result in results, results
        assert all(one["network"] == "127.0.0.0/24" and one["tls"] in ("TLSv1.3", "TLSv1.2", "") for one in history), history
        assert any("mutt" in one["client"].lower() for one in history) or history, history


def test_a_session_ends_with_its_password(directory):
    with Postroad(directory) as server:
        alice = server.address("alice")
        phone = app_password(server, "phone")
        ways = [("app-password", "remove", alice, "phone"), ("sign-out", alice), ("protocols", alice, "imap", "off"),
                ("protocols", alice, "imap", "on"), ("disable", alice)]
        for way in ways:
            if "on" in way:
                server.cli("account", *way)
                continue
            idle = imap(server, phone if "remove" in way else server.password)
            idle.command("SELECT INBOX")
            idle.send("i IDLE\r\n")
            assert idle.line().startswith(b"+")
            smtp = Smtp(server.port("submissions"), tls=True).hello().log_in(alice, server.password)
            smtp.command(f"MAIL FROM:<{alice}>", 250)
            pop = Pop3(server.port("pop3s"), tls=True)
            pop.command(f"USER {alice}")
            pop.command(f"PASS {server.password}")
            bob = imap(server, server.password, "bob")
            server.cli("account", *way)
            assert idle.line().startswith(b"* BYE"), way
            assert idle.is_closed()
            assert smtp.line().startswith(b"421 "), way
            assert smtp.is_closed()
            assert b"ended" in pop.line(), way
            assert pop.is_closed()
            bob.command("NOOP")
        refused(lambda: imap(server, server.password))
        server.cli("account", "enable", alice)
        imap(server, server.password)
        refused(lambda: imap(server, phone))


def test_right_and_refused_looks_like_wrong(directory):
    """A guesser learns nothing: the words are the same, and it takes as long."""
    with Postroad(directory) as server:
        alice = server.address("alice")
        server.cli("account", "networks", alice, "198.51.100.0/24")

        def attempt(password):
            smtp = Smtp(server.port("submissions"), tls=True).hello()
            begun = time.monotonic()
            said = refused(lambda: smtp.log_in(alice, password))
            return said, time.monotonic() - begun

        wrong = [attempt(f"wrong {i}") for i in range(3)]
        right = attempt(server.password)
        assert {said for said, _ in wrong} == {right[0]}, (wrong, right)
        assert "535" in right[0], right
        imap(server, server.password)
        server.cli("account", "networks", alice, "127.0.0.0/8", "::1")
        Smtp(server.port("submissions"), tls=True).hello().log_in(alice, server.password)
        server.cli("account", "networks", "everyone", "198.51.100.0/24")
        refused(lambda: Smtp(server.port("submissions"), tls=True).hello().log_in(alice, server.password))
        server.cli("account", "networks", "everyone", "any")
        server.cli("account", "protocols", "everyone", "pop3", "off")
        pop = Pop3(server.port("pop3s"), tls=True)
        pop.command(f"USER {alice}")
        assert "AUTH" in refused(lambda: pop.command(f"PASS {server.password}"))
        results = [one["result"] for one in server.json("account", "sign-ins", alice, "--failures")]
        for result in ("wrong password", "refused: the account may not send mail from this network",
                       "refused: this server takes no mail of users from this network", "refused: the protocol is off on this server"):
            assert result in results, results


def test_weak_passwords_are_refused(directory):
    with Postroad(directory) as server:
        for password in ("password1", "Winter2025", "carol-example-1", "qwertyuiop"):
            done = server.cli("account", "add", "carol@example.test", "--password-stdin", stdin=password + "\n", check=False)
            assert done.returncode == 1 and "password is" in done.stderr, done
        server.cli("account", "add", "carol@example.test", "--password-stdin", stdin="monkey dishwasher lamp\n")
        done = server.cli("account", "passwd", "carol@example.test", "--password-stdin", stdin="iloveyou123\n", check=False)
        assert done.returncode == 1 and "four words" in done.stderr, done
        server.cli("account", "passwd", "carol@example.test", "--password-stdin", "--weak-password", stdin="iloveyou123\n")
        imap(server, "iloveyou123", "carol")


def test_a_forgotten_phone_shuts_nobody_out(directory):
    """The same wrong password again and again is a program that was not told, not a guesser."""
    with Postroad(directory) as server:
        for _ in range(60):
            assert "AUTHENTICATIONFAILED" in refused(lambda: imap(server, "the old one"))
        imap(server, server.password)
        failures = server.json("account", "sign-ins", server.address("alice"), "--failures")
        assert [one["count"] for one in failures] == [60], failures


def test_a_protocol_is_off_with_one_line(directory):
    with Postroad(directory) as server:
        server.stop()
        text = (server.data / "postroad.toml").read_text()
        assert "[listen]" in text
        (server.data / "postroad.toml").write_text(text.replace("[listen]", "[listen]\npop3 = false\npop3s = false"))
        server.start()
        assert "pop3" not in server.said
        try:
            Pop3(server.port("pop3"))
            raise AssertionError("POP3 answers")
        except OSError:
            pass
        imap(server, server.password)
