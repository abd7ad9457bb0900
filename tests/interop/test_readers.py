"""imaplib, mutt, mbsync, poplib and fetchmail read, flag, move and delete."""

import imaplib
import os
import poplib
import re
import ssl
import subprocess

from lib.runner import need_program
from lib.server import Postroad
from lib.talk import Imap, Smtp, tls_context


def letter(i, size=600):
    text = f"Message {i} for the readers of this house.\r\n" * (size // 45 + 1)
    return (f"From: Sender {i} <s{i}@remote.test>\r\nTo: alice@example.test\r\nSubject: letter number {i}\r\n"
            f"Date: Mon, {1 + i % 28:02d} Jun 2024 10:00:00 +0000\r\nMessage-ID: <{i}@remote.test>\r\n\r\n{text}").encode()


def deliver(server, count, first=0, to="alice"):
    smtp = Smtp(server.port("smtp")).hello()
    for i in range(first, first + count):
        smtp.deliver(f"s{i}@remote.test", server.address(to), letter(i))
    smtp.quit()


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def test_imaplib(directory):
    with Postroad(directory) as server:
        deliver(server, 12)
        with imaplib.IMAP4("127.0.0.1", server.port("imap")) as imap:
            imap.starttls(tls_context())
            ok(imap.login(server.address("alice"), server.password))
            names = b"\n".join(ok(imap.list()))
            for name in (b"INBOX", b"\\Sent", b"\\Drafts", b"\\Trash", b"\\Junk", b"\\Archive"):
                assert name in names, names
            assert ok(imap.select("INBOX")) == [b"12"]
            assert ok(imap.search(None, "SUBJECT", '"letter number 7"'))[0] == b"8"
            assert ok(imap.fetch("8", "(BODY.PEEK[TEXT])"))[0][1].startswith(b"Message 7")
            assert b"\\Seen" not in ok(imap.fetch("8", "(FLAGS)"))[0]
            ok(imap.fetch("8", "(BODY[HEADER.FIELDS (SUBJECT)])"))
            assert b"\\Seen" in ok(imap.fetch("8", "(FLAGS)"))[0]
            ok(imap.store("1:3", "+FLAGS", r"(\Flagged $Important)"))
            assert ok(imap.search(None, "KEYWORD", "$Important"))[0] == b"1 2 3"
            ok(imap.create("Projects"))
            ok(imap.create("Projects/2024"))
            ok(imap.copy("1", "Projects/2024"))
            ok(imap._simple_command("MOVE", "2:3", "Projects"))
            imap._untagged_response("OK", [None], "EXPUNGE")
            assert ok(imap.status("Projects", "(MESSAGES UNSEEN)"))[0].endswith(b"(MESSAGES 2 UNSEEN 2)")
            ok(imap.store("1", "+FLAGS", r"(\Deleted)"))
            ok(imap.expunge())
            assert ok(imap.select("INBOX")) == [b"9"]
            ok(imap.append("Drafts", r"(\Draft)", None, letter(99)))
            assert ok(imap.status("Drafts", "(MESSAGES)"))[0].endswith(b"(MESSAGES 1)")
            ok(imap.rename("Projects", "Work"))
            assert b"Work/2024" in b"\n".join(ok(imap.list()))
            ok(imap.subscribe("Work"))
            assert b"Work" in b"\n".join(ok(imap.lsub()))
            ok(imap.delete("Work/2024"))
            structure = ok(imap.fetch("1", "(ENVELOPE BODYSTRUCTURE RFC822.SIZE INTERNALDATE)"))[0]
            assert b'"letter number' in structure and b'"text" "plain"' in structure.lower(), structure
            ok(imap.close())


def test_sessions_see_each_other(directory):
    with Postroad(directory) as server:
        deliver(server, 3)
        one = Imap(server.port("imaps"), server.address("alice"), server.password)
        two = Imap(server.port("imaps"), server.address("alice"), server.password)
        one.command("SELECT INBOX")
        two.command("SELECT INBOX")
        two.send("i IDLE\r\n")
        assert two.line().startswith(b"+")
        two.sock.settimeout(5)
        deliver(server, 1, first=3)
        assert b"4 EXISTS" in two.line()
        one.command(r"STORE 2 +FLAGS (\Flagged)")
        while True:
            line = two.line()
            if b"FETCH" in line:
                assert b"* 2 FETCH" in line and b"\\Flagged" in line, line
                break
        one.command(r"STORE 1 +FLAGS.SILENT (\Deleted)")
        one.command("EXPUNGE")
        while b"* 1 EXPUNGE" not in two.line():
            pass
        two.send("DONE\r\n")
        while not two.line().startswith(b"i OK"):
            pass


MUTT = """\
set folder="imaps://{user}@127.0.0.1:{port}/"
set spoolfile="+INBOX"
set imap_user="{user}"
set imap_pass="{password}"
set ssl_force_tls=yes
set certificate_file="{home}/certificates"
unset ssl_verify_host
unset ssl_verify_dates
set header_cache=""
set mail_check=1
set quit=yes
set delete=yes
set move=no
set confirmappend=no
set confirmcreate=no
set wait_key=no
set sleep_time=0
set resume_draft_files=no
{script}
"""


def mutt(server, directory, script, arguments=()):
    """mutt in a pseudo terminal, driven by `push`."""
    certificate = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port('imaps')}", "-showcerts"],
                                 input=b"", capture_output=True, timeout=30).stdout
    found = re.search(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", certificate, re.S)
    (directory / "certificates").write_bytes(found.group(0))
    settings = directory / "muttrc"
    settings.write_text(MUTT.format(user=server.address("alice"), port=server.port("imaps"), password=server.password, home=directory,
                                    script=script))
    command = f"mutt -n -F {settings} " + " ".join(arguments)
    env = dict(os.environ, TERM="xterm", HOME=str(directory), LINES="40", COLUMNS="120")
    done = subprocess.run(["script", "-qec", command, "/dev/null"], env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return done.stdout


def test_mutt(directory):
    need_program("mutt", "script", "openssl")
    with Postroad(directory) as server:
        deliver(server, 6)
        imap = Imap(server.port("imaps"), server.address("alice"), server.password)
        # Read the first, flag the second, save the third into Archive, delete the fourth, and leave.
        keys = ("1<enter><display-message><exit>2<enter><flag-message>3<enter><save-message>=Archive<enter>"
                "4<enter><delete-message><sync-mailbox><quit>")
        said = mutt(server, directory, f'push "{keys}"')
        assert imap.count() == 4, (imap.count(), said[-1500:])
        assert imap.count("Archive") == 1
        imap.command("SELECT INBOX")
        _, flags = imap.command("FETCH 1:* (FLAGS)")
        assert b"\\Seen" in flags[0][0], flags
        assert b"\\Flagged" in flags[1][0], flags


MBSYNC = """\
IMAPAccount postroad
Host 127.0.0.1
Port {port}
User {user}
Pass {password}
SSLType {tls}
CertificateFile {home}/certificates
AuthMechs {auth}

IMAPStore far
Account postroad

MaildirStore near
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
CopyArrivalDate yes
"""


class Mbsync:
    def __init__(self, server, directory, tls="IMAPS", auth="*"):
        self.home = directory
        port = server.port("imaps" if tls == "IMAPS" else "imap")
        found = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port('imaps')}", "-showcerts"],
                               input=b"", capture_output=True, timeout=30).stdout
        (directory / "certificates").write_bytes(re.search(rb"-----BEGIN CERT.*?-----END CERTIFICATE-----\n", found, re.S).group(0))
        (directory / "mail").mkdir(exist_ok=True)
        (directory / "mbsyncrc").write_text(MBSYNC.format(
            port=port, user=server.address("alice"), password=server.password, home=directory, tls=tls, auth=auth))

    def run(self):
        done = subprocess.run(["mbsync", "-c", self.home / "mbsyncrc", "-V", "all"], capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr

    def files(self, mailbox="INBOX"):
        return sorted(f for part in ("cur", "new") for f in (self.home / "mail" / mailbox / part).glob("*"))

    def state(self):
        return {f.relative_to(self.home): f.read_bytes() for f in (self.home / "mail").rglob("*") if f.is_file() and "mbsyncstate" not in f.name}


def test_mbsync_5000_messages_both_ways(directory):
    need_program("mbsync", "openssl")
    with Postroad(directory) as server:
        imap = Imap(server.port("imaps"), server.address("alice"), server.password)
        # Half is there, half is here.
        for first in range(0, 2500, 50):
            tags = []
            for i in range(first, first + 50):
                message, tag = letter(i), imap.tag()
                tags.append(tag)
                imap.send(f"{tag} APPEND INBOX (\\Seen) {{{len(message)}+}}\r\n".encode() + message + b"\r\n")
            for tag in tags:
                imap.until(tag)
        mbsync = Mbsync(server, directory)
        for part in ("cur", "new", "tmp"):
            (directory / "mail/INBOX" / part).mkdir(parents=True, exist_ok=True)
        for i in range(2500, 5000):
            (directory / f"mail/INBOX/cur/17000000{i}.M{i}.here:2,FS").write_bytes(letter(i).replace(b"\r\n", b"\n"))
        mbsync.run()
        assert imap.count() == 5000, imap.count()
        assert len(mbsync.files()) == 5000, len(mbsync.files())
        imap.command("SELECT INBOX")
        _, flagged = imap.command("SEARCH FLAGGED")
        numbers = flagged[0][0].split()[2:]
        assert len(numbers) == 2500, len(numbers)
        before, uids = mbsync.state(), imap.command("FETCH 1:* (UID FLAGS)")[1]
        mbsync.run()
        assert mbsync.state() == before, "the second run changed something here"
        assert imap.command("FETCH 1:* (UID FLAGS)")[1] == uids, "the second run changed something there"
        subjects = {re.search(rb"(?m)^Subject: (.*?)\r?$", content).group(1) for content in imap.bodies("INBOX")}
        assert len(subjects) == 5000
        # Changes on both sides: here 10 flags go and 10 letters are removed, there 10 are flagged and 10 expunged.
        files = mbsync.files()
        for file in files[:10]:
            file.unlink()
        imap.command(r"UID STORE 100:109 +FLAGS.SILENT (\Answered)")
        imap.command(r"UID STORE 200:209 +FLAGS.SILENT (\Deleted)")
        imap.command("EXPUNGE")
        mbsync.run()
        imap.command("NOOP")
        assert imap.count() == len(mbsync.files()) and 4980 <= imap.count() <= 4990, (imap.count(), len(mbsync.files()))
        state = mbsync.state()
        mbsync.run()
        assert mbsync.state() == state


def test_mbsync_log_in_by_every_mechanism(directory):
    need_program("mbsync", "openssl")
    with Postroad(directory) as server:
        deliver(server, 2)
        done = []
        for tls, auth in (("STARTTLS", "LOGIN"), ("IMAPS", "PLAIN"), ("STARTTLS", "SCRAM-SHA-256")):
            home = directory / auth
            home.mkdir()
            mbsync = Mbsync(server, home, tls, auth)
            mbsync.run()
            assert len(mbsync.files()) == 2
            done.append(auth)
        return ", ".join(done)


def test_poplib(directory):
    with Postroad(directory) as server:
        deliver(server, 5)
        pop = poplib.POP3("127.0.0.1", server.port("pop3"), timeout=30)
        assert b"STLS" in b" ".join(k.encode() for k in pop.capa())
        pop.stls(tls_context())
        pop.user(server.address("alice"))
        pop.pass_(server.password)
        assert pop.stat()[0] == 5
        uidls = pop.uidl()[1]
        assert len({line.split()[1] for line in uidls}) == 5
        content = b"\r\n".join(pop.retr(2)[1])
        assert b"Subject: letter number 1" in content
        assert b"\r\n".join(pop.top(2, 1)[1]).count(b"Message 1") == 1
        pop.dele(1)
        pop.dele(2)
        pop.rset()
        pop.dele(3)
        # One session at a time: a second is told so (RFC 1939 §8, RESP-CODES).
        second = poplib.POP3_SSL("127.0.0.1", server.port("pop3s"), context=tls_context(), timeout=30)
        second.user(server.address("alice"))
        try:
            second.pass_(server.password)
            raise AssertionError("two sessions at once")
        except poplib.error_proto as error:
            assert b"IN-USE" in str(error).encode(), error
        pop.quit()
        third = poplib.POP3_SSL("127.0.0.1", server.port("pop3s"), context=tls_context(), timeout=30)
        third.user(server.address("alice"))
        third.pass_(server.password)
        assert third.stat()[0] == 4
        assert third.uidl()[1][0].split()[1] == uidls[0].split()[1]
        third.quit()


FETCHMAIL = """\
set no bouncemail
poll 127.0.0.1 protocol {protocol} service {port}
  user "{user}" there password "{password}"
  ssl sslproto "TLS1.2+" no sslcertck
  {keep} fetchall
  mda "cat >> {home}/fetched"
"""


def test_fetchmail(directory):
    need_program("fetchmail")
    with Postroad(directory) as server:
        for protocol, service, keep, count in (("pop3", "pop3s", "keep", 4), ("imap", "imaps", "keep", 4), ("pop3", "pop3s", "nokeep", 4)):
            if count and protocol == "pop3" and keep == "keep":
                deliver(server, 4)
            (directory / "fetched").unlink(missing_ok=True)
            settings = directory / "fetchmailrc"
            settings.write_text(FETCHMAIL.format(protocol=protocol, port=server.port(service), user=server.address("alice"),
                                                 password=server.password, keep=keep, home=directory))
            settings.chmod(0o600)
            env = dict(os.environ, HOME=str(directory), FETCHMAILHOME=str(directory))
            done = subprocess.run(["fetchmail", "-f", settings, "--nodetach", "--nosyslog", "-i", directory / f"ids{protocol}"],
                                  env=env, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"{protocol}: {done.returncode} {done.stdout}{done.stderr}"
            fetched = (directory / "fetched").read_text()
            assert fetched.count("Subject: letter number") == count, fetched[:2000]
        assert Imap(server.port("imaps"), server.address("alice"), server.password).count() == 0
