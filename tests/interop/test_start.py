"""The main job: one command sets up and serves; SIGTERM stops without loss."""

import os
import re
import time

from lib.server import Postroad, program
from lib.sink import Sink
from lib.talk import Imap, Refused, Smtp

LETTER = b"From: a@remote.test\r\nTo: alice@example.test\r\nSubject: %d\r\n\r\nhello\r\n"


def test_quickstart_says_what_a_person_needs(directory):
    with Postroad(directory) as server:
        assert "alice@example.test" in server.said, server.said
        for service in ("submission", "imaps"):
            assert str(server.port(service)) in server.said, f"no port of {service} in:\n{server.said}"
        assert str(server.data) in server.said, "where the data lies"
        assert "_domainkey" in server.said, "the DNS records"
        config = (server.data / "postroad.toml").read_text()
        assert len(config.splitlines()) <= 20, config
        server.stop()
        server.start("quickstart", "alice@example.test")
        Imap(server.port("imaps"), "alice@example.test", server.password).logout()


def test_quickstart_shows_a_made_password_once(directory):
    import subprocess
    from lib.server import free_offset
    data, offset = directory / "data", free_offset()
    command = [program(), "--data", data, "quickstart", "carol@example.test", "--port-offset", str(offset)]
    said = []
    for _ in range(2):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("ready"):
                break
        said.append("".join(lines))
        if len(said) == 1:
            password = re.search(r"[Pp]assword:?\s+(\S+)", said[0]).group(1)
            Imap(993 + offset, "carol@example.test", password).logout()
        process.terminate()
        process.wait(60)
    assert password not in said[1], "shown a second time"


def test_private_files_are_private(directory):
    with Postroad(directory) as server:
        closed = server.data.stat().st_mode & 0o077 == 0
        for file in server.data.rglob("*"):
            assert closed or os.stat(file).st_mode & 0o077 == 0, f"{file} is open to others"


def test_clear_text_login_is_refused(directory):
    with Postroad(directory) as server:
        imap = Imap(server.port("imap"), tls=False)
        capabilities = imap.command("CAPABILITY")[1][0][0]
        assert b"LOGINDISABLED" in capabilities and b"STARTTLS" in capabilities, capabilities
        try:
            imap.command(f"LOGIN alice@example.test {server.password}")
            raise AssertionError("logged in")
        except Refused as error:
            assert "PRIVACYREQUIRED" in str(error), error
        smtp = Smtp(server.port("submission")).hello()
        assert not smtp.offers("AUTH") and smtp.offers("STARTTLS"), smtp.extensions


def test_sigterm_loses_nothing(directory):
    """Sessions in the middle of a command finish it and are told; what was taken is there after the next start."""
    sink = Sink()
    with Postroad(directory, extra=f'[outbound]\nrelay = "smtp://127.0.0.1:{sink.port}"') as server:
        alice = server.address("alice")
        idle = Imap(server.port("imaps"), alice, server.password)
        idle.command("SELECT INBOX")
        idle.send("i1 IDLE\r\n")
        assert idle.line().startswith(b"+")
        waiting = Smtp(server.port("smtp")).hello()
        waiting.deliver("a@remote.test", alice, LETTER % 1)
        inside = Smtp(server.port("smtp")).hello()
        inside.send(f"MAIL FROM:<a@remote.test>\r\nRCPT TO:<{alice}>\r\nDATA\r\n")
        for code in (250, 250, 354):
            inside.expect(code)
        out = Smtp(server.port("submission")).hello().secure().log_in(alice, server.password)
        out.deliver(alice, "x@elsewhere.test", LETTER.replace(b"a@remote.test", alice.encode()) % 3)
        inside.send(LETTER % 2)
        server.terminate()
        time.sleep(0.3)
        inside.send(b".\r\n")
        inside.expect(250)
        assert waiting.reply()[0] == 421
        assert b"BYE" in idle.rest()
        assert server.wait() == 0
        server.start()
        imap = Imap(server.port("imaps"), alice, server.password)
        assert imap.count() == 2
        sink.wait_for(1)


def test_config_mistakes_are_named(directory):
    with Postroad(directory) as server:
        server.stop()
        assert server.cli("config", "check").returncode == 0
        server.configure("[tsl]\ncertificate = \"x\"")
        done = server.cli("config", "check", check=False)
        assert done.returncode != 0
        assert "tls" in done.stdout + done.stderr, done.stdout + done.stderr


def test_commands_work_running_and_stopped(directory):
    with Postroad(directory) as server:
        for _ in range(2):
            assert any(server.address("alice") in str(a) for a in server.json("account", "list")), "account list"
            assert "example.test" in str(server.json("domain", "list"))
            assert "_domainkey" in server.cli("dns", "show", "example.test", "--format", "bind").stdout
            server.json("queue", "list")
            assert server.cli("version").stdout.strip()
            server.stop()
        done = server.cli("account", "show", "nobody@example.test", check=False)
        assert done.returncode == 1 and done.stderr.strip()
        assert server.cli("acount", check=False).returncode == 2
        server.cli("account", "add", "dora@example.test", "--password-stdin", stdin="Another-good-1\n")
        server.start()
        Imap(server.port("imaps"), "dora@example.test", "Another-good-1").logout()
        server.cli("alias", "add", "office@example.test", "alice@example.test")
        Smtp(server.port("smtp")).hello().deliver("a@remote.test", "office@example.test", LETTER % 1)
        Smtp(server.port("smtp")).hello().deliver("a@remote.test", "alice+tag@example.test", LETTER % 2)
        assert Imap(server.port("imaps"), server.address("alice"), server.password).wait_for(2) == 2


def test_second_server_on_the_same_data_is_refused(directory):
    with Postroad(directory) as server:
        done = server.cli("serve", check=False, timeout=30)
        assert done.returncode == 1 and done.stderr.strip(), done


def test_ready_within_bounds(directory):
    with Postroad(directory) as server:
        seconds = []
        for _ in range(3):
            server.stop()
            seconds.append(server.start())
        return f"{min(seconds) * 1000:.0f} ms"
