"""Filters of others look at mail before it is taken: clamd with EICAR in many wrappings, rspamd, OpenDKIM and spamass-milter as milters, and
a milter that says odd things."""

import base64
import binascii
import gzip
import io
import lzma
import quopri
import socket
import sqlite3
import struct
import tarfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from lib.dns import Dns
from lib.filters import EICAR, GTUBE, GTUBE_JUNK, Clamd, Rspamd, Scripted, Spamd, SpamassMilter, config, packet
from lib.milter import OpenDkim
from lib.runner import need_program
from lib.server import Postroad, free_port
from lib.sink import Sink
from lib.talk import Closed, Imap, Refused, Smtp

HEAD = b"From: Ann <ann@remote.test>\r\nTo: bob@example.test\r\nSubject: %s\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n" \
       b"Message-ID: <%s@remote.test>\r\nMIME-Version: 1.0\r\n"


def letter(subject, body=b"Hello Bob, see you on Monday.\r\n", kind=b"text/plain"):
    return HEAD % (subject, subject) + b"Content-Type: " + kind + b"\r\n\r\n" + body


def with_file(subject, content, name=b"report.dat", kind=b"application/octet-stream", encoding=b"base64"):
    """A letter with one attached file."""
    coded = {b"base64": lambda: base64.encodebytes(content).replace(b"\n", b"\r\n"),
             b"quoted-printable": lambda: quopri.encodestring(content).replace(b"\n", b"\r\n") + b"\r\n",
             b"7bit": lambda: content + b"\r\n"}[encoding]()
    parts = (b"--b\r\nContent-Type: text/plain\r\n\r\nplease read\r\n--b\r\nContent-Type: " + kind + b"\r\nContent-Transfer-Encoding: "
             + encoding + b"\r\nContent-Disposition: attachment; filename=\"" + name + b"\"\r\n\r\n" + coded + b"--b--\r\n")
    return letter(subject, parts, b"multipart/mixed; boundary=b")


def zipped(name, content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def tarred(name, content):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def uuencoded(name, content):
    lines = [binascii.b2a_uu(content[at:at + 45]) for at in range(0, len(content), 45)]
    return b"begin 644 " + name + b"\r\n" + b"".join(lines).replace(b"\n", b"\r\n") + b"`\r\nend\r\n"


def tnef(name, content):
    """winmail.dat with one attached file."""
    def attribute(level, number, data):
        return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    return (struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00089006, struct.pack("<I", 0x10000))
            + attribute(2, 0x00069002, bytes([1, 0]) + bytes(12)) + attribute(2, 0x00018010, name + b"\0")
            + attribute(2, 0x0006800F, content))


def wrappings():
    """EICAR as mail brings it: (name, message, clamd must find it)."""
    inner = with_file(b"inner", EICAR, b"eicar.txt")
    folded = base64.b64encode(EICAR)
    yield "in the text", letter(b"v01", EICAR + b"\r\n"), True
    yield "base64", with_file(b"v02", EICAR, b"eicar.txt"), True
    yield "quoted-printable", with_file(b"v03", EICAR, b"eicar.txt", encoding=b"quoted-printable"), True
    yield "as it is", with_file(b"v04", EICAR, b"eicar.txt", encoding=b"7bit"), True
    yield "zip", with_file(b"v05", zipped("eicar.txt", EICAR), b"a.zip", b"application/zip"), True
    yield "zip in zip", with_file(b"v06", zipped("b.zip", zipped("eicar.txt", EICAR)), b"a.zip", b"application/zip"), True
    yield "zip in zip in zip", with_file(b"v07", zipped("c.zip", zipped("b.zip", zipped("eicar.txt", EICAR))), b"a.zip"), True
    yield "tar.gz", with_file(b"v08", tarred("eicar.txt", EICAR), b"a.tar.gz", b"application/gzip"), True
    yield "gz", with_file(b"v09", gzip.compress(EICAR), b"eicar.gz", b"application/gzip"), True
    yield "zip called a picture", with_file(b"v10", zipped("eicar.txt", EICAR), b"holiday.jpg", b"image/jpeg"), True
    yield "called text", with_file(b"v11", EICAR, b"notes.txt", b"text/plain"), True
    yield "no name", letter(b"v12", b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n" + folded
                            + b"\r\n--b--\r\n", b"multipart/mixed; boundary=b"), True
    yield "a forwarded message", letter(b"v13", b"--x\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--x--\r\n",
                                        b"multipart/mixed; boundary=x"), True
    yield "a message alone", letter(b"v14", inner, b"message/rfc822"), True
    yield "uuencoded", letter(b"v15", b"see this\r\n\r\n" + uuencoded(b"eicar.txt", EICAR) + b"\r\n"), True
    yield "TNEF", with_file(b"v16", tnef(b"eicar.txt", EICAR), b"winmail.dat", b"application/ms-tnef"), False
    yield "name in pieces (RFC 2231)", with_file(b"v17", EICAR).replace(
        b'filename="report.dat"', b"filename*0=\"eic\";\r\n\tfilename*1=\"ar.txt\""), True
    yield "base64 in one line of junk", letter(b"v18", b"--b\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                                               + folded[:40] + b"\r\n" + folded[40:] + b"\r\n--b--\r\n", b"multipart/mixed; boundary=b"), True
    yield "alternative", letter(b"v19", b"--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nContent-Type: text/html\r\n"
                                b"Content-Transfer-Encoding: base64\r\n\r\n" + folded + b"\r\n--b--\r\n",
                                b"multipart/alternative; boundary=b"), True
    yield "multipart in multipart", letter(
        b"v20", b"--o\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + folded + b"\r\n--i--\r\n--o--\r\n", b"multipart/mixed; boundary=o"), True


def deliver(server, message, sender="ann@remote.test", to=("bob@example.test",), hello="client.remote.test"):
    """(code, words) of the last answer."""
    smtp = Smtp(server.port("smtp")).hello(hello)
    try:
        smtp.command(f"MAIL FROM:<{sender}>", 250)
        for recipient in to:
            smtp.command(f"RCPT TO:<{recipient}>", 250)
        smtp.command("DATA", 354)
        smtp.send(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        return smtp.reply()
    finally:
        smtp.close()


def submit(server, message, to="out@elsewhere.test", user="alice"):
    smtp = Smtp(server.port("submission")).hello("laptop.test").secure().log_in(server.address(user), server.password)
    try:
        smtp.deliver(server.address(user), to, message)
        return 250, ""
    except Refused as refused:
        return int(str(refused)[:3]), str(refused)
    finally:
        smtp.close()


def inbox(server, count, user="bob", mailbox="INBOX"):
    imap = Imap(server.port("imaps"), server.address(user), server.password)
    imap.wait_for(count, mailbox)
    bodies = list(imap.bodies(mailbox))
    imap.logout()
    assert len(bodies) == count, len(bodies)
    return bodies


def test_clamd_finds_eicar_in_many_wrappings(directory):
    need_program("clamd")
    with Clamd(directory / "clamd") as clamd, Postroad(directory / "here", extra=config(clamd=clamd.local)) as server:
        assert deliver(server, letter(b"clean"))[0] == 250
        found = missed = 0
        for name, message, must in wrappings():
            theirs = "FOUND" in clamd.scan(message)
            code, words = deliver(server, message)
            # What clamd finds is refused with the name; what it does not see, it does not see.
            assert (code == 554) == theirs, (name, theirs, code, words)
            assert not theirs or ("5.7.1" in words and "Eicar-Of-The-Test" in words), (name, words)
            assert theirs or not must, f"clamd does not find it: {name}"
            found, missed = found + theirs, missed + (not theirs)
        assert found >= 19, found
        assert deliver(server, with_file(b"clean2", b"%PDF-1.4 nothing", b"a.pdf", b"application/pdf"))[0] == 250
        inbox(server, 2 + missed)
        code, words = submit(server, with_file(b"out", EICAR, b"eicar.txt").replace(b"ann@remote.test", b"alice@example.test"))
        assert code == 554 and "Eicar-Of-The-Test" in words, words
        log = server.tail(2000)
        assert log.count('"event":"virus"') == found + 1, log
        # The operator hears of it once a day, and once of a user's machine.
        server.stop()
        notices = [row[0] for row in sqlite3.connect(server.data / "postroad.db").execute("SELECT kind FROM notice ORDER BY id")]
        assert notices == ["virus", "virus-sent"], notices
        return f"{found} wrappings refused, {missed} not seen by clamd"


def topics(server):
    """What the operator is told of; the server is stopped for it."""
    server.stop()
    with sqlite3.connect(server.data / "postroad.db") as base:
        return [row[0].rsplit("/", 1)[0] for row in base.execute("SELECT topic FROM notice ORDER BY id")]


def test_clamd_over_tcp_and_larger_than_it_takes(directory):
    """What is too large for it comes again as large: it is not put off for days unless that is chosen, and says nothing of clamd."""
    need_program("clamd")
    big = letter(b"big", (b"x" * 70 + b"\r\n") * 40_000)
    with Clamd(directory / "clamd", stream_max="1M") as clamd:
        at = f"127.0.0.1:{clamd.port}"
        with Postroad(directory / "pass", extra=config(clamd=at)) as server:
            assert deliver(server, letter(b"clean"))[0] == 250
            assert deliver(server, letter(b"bad", EICAR + b"\r\n"))[0] == 554
            for _ in range(2):
                code, words = deliver(server, big)
                assert code == 250, words
            log = server.tail(200)
            assert "StreamMaxLength" in log and "answers again" not in log, log
            # The rules for attachments have seen it.
            program = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(2_000_000)
            assert deliver(server, with_file(b"exe", program, b"invoice.exe"))[0] == 554
            inbox(server, 3)
            assert topics(server) == ["virus", "filter-size/clamd"]
        for choice, answer in (("refuse", 552), ("defer", 451)):
            with Postroad(directory / choice, extra=config(clamd={"at": at, "when_too_large": choice})) as server:
                code, words = deliver(server, big)
                assert code == answer and ("5.3.4" in words) == (answer == 552), words
                assert submit(server, big.replace(b"ann@remote.test", b"alice@example.test"))[0] == answer
                assert deliver(server, letter(b"clean"))[0] == 250
                assert topics(server) == ["filter-size/clamd"]


def test_a_filter_that_hangs_holds_up_only_itself(directory):
    """With a milter that takes messages and says nothing, others are not kept waiting one after the other, and clamd goes on."""
    need_program("clamd")
    patience = 4
    with Clamd(directory / "clamd") as clamd, Scripted({"E": []}) as hung:
        milters = [{"name": "hung", "at": f"127.0.0.1:{hung.port}", "when_unavailable": "pass", "patience_secs": patience}]
        with Postroad(directory / "here", extra=config(clamd=clamd.local, milters=milters)) as server:
            def one(number):
                begun = time.monotonic()
                code, words = deliver(server, letter(b"all%d" % number))
                return code, words, time.monotonic() - begun

            with ThreadPoolExecutor(30) as pool:
                answers = list(pool.map(one, range(30)))
            assert {code for code, _, _ in answers} == {250}, answers
            # Twenty at once; few of those that wait for them are asked before it is known that it says nothing.
            asked = hung.letters().count("E")
            assert 3 <= asked <= 25, asked
            # Now it rests: most are not kept waiting, each has its virus found.
            for number in range(10):
                assert one(number)[0] == 250
            assert hung.letters().count("E") - asked <= 3, hung.letters()
            code, words = deliver(server, letter(b"bad", EICAR + b"\r\n"))
            assert code == 554 and "Eicar" in words, words
            # It answers again: somebody finds that out, and then it sees all.
            hung.says["E"] = [packet("h", b"X-Seen\0yes\0"), packet("c")]
            for number in range(100):
                assert one(number)[0] == 250
                if "answers again" in server.tail(50):
                    break
                time.sleep(0.3)
            before = hung.letters().count("E")
            assert one(0)[0] == 250 and hung.letters().count("E") == before + 1
            assert topics(server) == ["filter-down/hung", "virus"]


def test_clamd_that_hangs_is_waited_for_by_few(directory):
    """Accepted, never answered: as by a machine that stands still."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        clamd = {"at": f"127.0.0.1:{silent.getsockname()[1]}", "when_unavailable": "pass", "patience_secs": 2}
        with Scripted() as milter, Postroad(directory / "here", extra=config(clamd=clamd, milters=[f"127.0.0.1:{milter.port}"])) as server:
            with ThreadPoolExecutor(25) as pool:
                answers = list(pool.map(lambda number: deliver(server, letter(b"n%d" % number))[0], range(25)))
            assert set(answers) == {250}, answers
            assert milter.letters().count("E") == 25
            assert topics(server) == ["filter-down/clamd"]


def test_clamd_down_defers_or_passes(directory):
    need_program("clamd")
    nobody = free_port()
    with Postroad(directory / "defer", extra=config(clamd=f"127.0.0.1:{nobody}")) as server:
        code, words = deliver(server, letter(b"wait"))
        assert code == 451 and "4.7.1" in words, words
        assert submit(server, letter(b"out").replace(b"ann@remote.test", b"alice@example.test"), "bob@example.test")[0] == 451
    with Postroad(directory / "pass", extra=config(clamd=directory / "none.sock", when="pass")) as server:
        assert deliver(server, letter(b"go"))[0] == 250
        inbox(server, 1)
    # It comes back: mail passes, and viruses do not.
    with ExitStack() as stack:
        server = stack.enter_context(Postroad(directory / "back", extra=config(clamd=directory / "c/clamd.sock")))
        assert deliver(server, letter(b"wait"))[0] == 451
        stack.enter_context(Clamd(directory / "c"))
        assert deliver(server, letter(b"go"))[0] == 250
        assert deliver(server, letter(b"bad", EICAR + b"\r\n"))[0] == 554


def test_rspamd_rejects_and_adds_header_fields(directory):
    need_program("rspamd")
    with Rspamd(directory / "filter") as rspamd, \
            Postroad(directory / "here", extra=config(milters=[{"name": "rspamd", "at": f"127.0.0.1:{rspamd.port}"}])) as server:
        try:
            code, words = deliver(server, letter(b"gtube", GTUBE + b"\r\n"))
            assert code == 554 and "Gtube" in words, (code, words)
            assert deliver(server, letter(b"clean"))[0] == 250
            (body,) = inbox(server, 1)
            head = body.split(b"\r\n\r\n")[0]
            assert b"\r\nX-Spamd-Result: " in head, head
            # What it calls spam is marked by it, and that speaks in our own verdict.
            assert deliver(server, letter(b"junk", GTUBE_JUNK + b"\r\n"))[0] == 250
            (junk,) = inbox(server, 1, mailbox="Junk")
            assert b"\r\nX-Spam: Yes" in junk and b"rspamd" in junk.split(b"\r\nReceived:")[0], junk
            code, words = submit(server, letter(b"mine", GTUBE + b"\r\n").replace(b"ann@remote.test", b"alice@example.test"))
            assert code == 554, words
        except AssertionError:
            print(rspamd.said())
            raise


def test_opendkim_verifies_and_signs_as_a_milter(directory):
    need_program("opendkim", "openssl")
    from test_authentication import rsa_key, unfolded  # noqa: PLC0415
    pem, record = rsa_key()
    zone = {"od._domainkey.remote.test": record}
    sink = Sink()
    with ExitStack() as stack:
        signer = stack.enter_context(OpenDkim(directory / "sign", {}, "example.test", "od", pem, internal="192.0.2.99"))
        verifier = stack.enter_context(OpenDkim(directory / "verify", zone))
        maker = stack.enter_context(OpenDkim(directory / "maker", {}, "remote.test", "od", pem))
        judge = stack.enter_context(OpenDkim(directory / "judge", {"od._domainkey.example.test": record}))
        milters = [{"name": "verify", "at": f"inet:{verifier.port}@127.0.0.1", "doors": "inbound"},
                   {"name": "sign", "at": f"127.0.0.1:{signer.port}", "doors": "submission"}]
        server = stack.enter_context(Postroad(directory / "here", extra=f'[outbound]\nrelay = "smtp://127.0.0.1:{sink.port}"\n'
                                              + config(milters=milters)))
        signed, word = maker.filter(letter(b"signed"), "ann@remote.test", "bob@example.test")
        assert word in "ca" and signed.startswith(b"DKIM-Signature:")
        assert deliver(server, signed)[0] == 250
        (body,) = inbox(server, 1)
        results = unfolded(body, "Authentication-Results")
        assert any("opendkim.test" in one and "dkim=pass" in one for one in results), results
        # One that was touched on its way.
        assert deliver(server, signed.replace(b"Monday", b"Friday"))[0] == 250
        touched = [b for b in inbox(server, 2) if b"Friday" in b][0]
        assert any("opendkim.test" in one and "dkim=fail" in one for one in unfolded(touched, "Authentication-Results"))
        # What leaves has a signature of the milter's, since libmilter gave it {auth_type}; ours are above it; all hold.
        assert submit(server, letter(b"out").replace(b"ann@remote.test", b"alice@example.test"))[0] == 250
        left = sink.wait_for(1)[0].content
        signatures = unfolded(left, "DKIM-Signature")
        assert any("s=od;" in one for one in signatures) and len(signatures) >= 2, signatures
        filtered, _ = judge.filter(left, "alice@example.test", "out@elsewhere.test")
        results = unfolded(filtered, "Authentication-Results")
        assert any('header.s=od' in one and "dkim=pass" in one for one in results), results
        # Several messages go over one connection.
        for number in range(3):
            assert deliver(server, letter(b"more%d" % number))[0] == 250


def test_spamass_milter_with_spamd(directory):
    need_program("spamd", "spamass-milter")
    with ExitStack() as stack:
        spamd = stack.enter_context(Spamd(directory / "spamd"))
        milter = stack.enter_context(SpamassMilter(directory / "milter", spamd))
        server = stack.enter_context(Postroad(directory / "here", extra=config(milters=[{"name": "spamassassin", "at": f"unix:{milter.local}"}])))
        assert deliver(server, letter(b"clean"))[0] == 250
        (body,) = inbox(server, 1)
        assert b"\r\nX-Spam-Status: No" in body, body
        code, words = deliver(server, letter(b"gtube", GTUBE + b"\r\n"))
        assert code == 550, (code, words)


def test_macros_and_commands_as_sendmail_gives_them(directory):
    with Scripted() as seen, Scripted(macros=[(0, "j {client_addr}"), (2, "{mail_addr}"), (5, "nonsense i")],
                                      agree=(6, 0x1FF, 0x1FF000 | 0x80)) as picky:
        milters = [{"name": "seen", "at": f"127.0.0.1:{seen.port}"}, {"name": "picky", "at": f"127.0.0.1:{picky.port}"}]
        with Postroad(directory / "here", extra=config(milters=milters)) as server:
            body = b"Z" * 70 + b"\r\n"
            message = letter(b"folded").replace(b"Subject: folded", b"Subject: folded\r\n\tand more") + body * 2000
            assert deliver(server, message, to=("bob@example.test", "alice@example.test"))[0] == 250
            assert seen.offered == (6, 0x1FF, 0x1FFFFF), seen.offered
            letters = seen.letters()
            assert letters.startswith("ODCHDMDRDRDT") or letters.startswith("ODCDHDMDRDRDT"), letters
            assert letters.rstrip("Q").endswith("DNBBBDE"), letters
            connect = seen.macros("C")
            assert connect["{client_addr}"] == "127.0.0.1" and connect["j"] == "mail.example.test", connect
            assert {"v", "_", "{daemon_name}"} <= set(connect), connect
            mail = seen.macros("M")
            assert mail["{mail_addr}"] == "ann@remote.test" and len(mail["i"]) == 16, mail
            assert seen.macros("R")["{rcpt_addr}"] == "alice@example.test"
            assert seen.data_of("M")[0].startswith(b"<ann@remote.test>\0")
            assert seen.data_of("R") == [b"<bob@example.test>\0", b"<alice@example.test>\0"]
            assert seen.data_of("C")[0].endswith(b"4\0\x00127.0.0.1\0"), seen.data_of("C")
            assert b"Subject\0folded\n\tand more\0" in seen.data_of("L"), seen.data_of("L")
            assert b"".join(seen.data_of("B")) == message.split(b"\r\n\r\n", 1)[1]
            assert not [one for one in seen.data_of("L") if one.startswith((b"Received\0", b"Authentication-Results\0"))]
            # The other had said what it wants.
            assert set(picky.macros("C")) == {"j", "{client_addr}"} and set(picky.macros("M")) == {"{mail_addr}"}
            assert set(picky.macros("E")) == {"i"} and picky.macros("R")["{rcpt_mailer}"] == "local"
            assert b"Subject\0 folded\n\tand more\0" in picky.data_of("L")
            assert submit(server, letter(b"mine").replace(b"ann@remote.test", b"alice@example.test"), "bob@example.test")[0] == 250
            assert seen.macros("M")["{auth_authen}"] == "alice@example.test"


def test_a_kept_connection_may_be_closed_by_the_filter(directory):
    with Scripted() as milter, Postroad(directory / "here", extra=config(milters=[f"127.0.0.1:{milter.port}"])) as server:
        for number in range(3):
            assert deliver(server, letter(b"kept%d" % number))[0] == 250
        assert milter.connections == 1 and milter.letters().count("K") == 0 and milter.letters().count("C") == 1, milter.letters()
        assert deliver(server, letter(b"other"), hello="other.remote.test")[0] == 250
        assert milter.connections == 1 and milter.letters().count("K") == 1, milter.letters()
        # Another door of the same host is told of: who is logged in there is no stranger, and a stranger no user.
        before = milter.letters().count("C")
        assert deliver(server, letter(b"mx"), hello="laptop.test")[0] == 250
        assert submit(server, letter(b"mine").replace(b"ann@remote.test", b"alice@example.test"), "bob@example.test")[0] == 250
        told = milter.macros("C")
        assert told["{daemon_name}"] == "MSA" and milter.macros("H")["{tls_version}"].startswith("TLS"), told
        assert deliver(server, letter(b"mx again"), hello="laptop.test")[0] == 250
        assert milter.macros("C")["{daemon_name}"] == "MTA" and milter.letters().count("C") == before + 3, milter.letters()
        # It is not kept for ever, also where no message comes.
        milter.wait_for("Q")
        milter.hangs_up = True
        for number in range(3):
            assert deliver(server, letter(b"cut%d" % number))[0] == 250
        assert milter.connections == 4, milter.connections
        inbox(server, 10)


def test_old_filters_and_many_messages_at_once(directory):
    for version in (2, 3, 4, 5):
        with Scripted(agree=(version, 0x1F, 0)) as old, \
                Postroad(directory / f"old{version}", extra=config(milters=[f"127.0.0.1:{old.port}"])) as server:
            for number in range(3):
                assert deliver(server, letter(b"old%d" % number))[0] == 250
            # Before version 4 there is no DATA; before 6 another peer needs a connection of its own.
            assert old.connections == 1 and old.letters().count("C") == 1, old.letters()
            assert ("T" in old.letters()) == (version >= 4), old.letters()
            assert deliver(server, letter(b"other"), hello="other.remote.test")[0] == 250
            assert old.connections == 2 and "K" not in old.letters(), old.letters()
            inbox(server, 4)
    with Scripted() as milter, Postroad(directory / "many", extra=config(milters=[f"127.0.0.1:{milter.port}"])) as server:
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda number: deliver(server, letter(b"n%d" % number), hello=f"h{number % 4}.remote.test")[0], range(48)))
        assert set(answers) == {250}, answers
        assert milter.letters().count("E") == 48 and milter.connections < 48, milter.connections
        inbox(server, 48)
        # Refused at the greeting: for all messages, and the next asks anew.
        milter.says["C"] = [packet("y", b"550 5.7.1 not from there\0")]
        for _ in range(2):
            code, words = deliver(server, letter(b"no"), hello="new.remote.test")
            assert code == 550 and "not from there" in words, words
        del milter.says["C"]
        assert deliver(server, letter(b"yes"), hello="new.remote.test")[0] == 250


def change(number, name, value):
    return packet("m", struct.pack("!I", number) + name + b"\0" + value + b"\0")


def test_every_change_is_made_and_seen_by_the_next(directory):
    wishes = [packet("h", b"X-Added\0one\n\ttwo\0"), packet("i", struct.pack("!I", 0) + b"X-First\0here\0"), change(1, b"Subject", b"changed"),
              change(1, b"X-Gone", b""), packet("b", b"new body\nof two lines\n"), packet("p"), packet("-", b"<bob@example.test>\0"),
              packet("+", b"<alice@example.test>\0"), packet("+", b"<stranger@elsewhere.test>\0"), packet("e", b"<bounces@remote.test>\0"), packet("c")]
    with Scripted({"E": wishes}) as first, Scripted() as second:
        milters = [f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}"]
        with Postroad(directory / "here", extra=config(milters=milters)) as server:
            message = letter(b"old").replace(b"MIME-Version", b"X-Gone: yes\r\nMIME-Version")
            assert deliver(server, message)[0] == 250
            (body,) = inbox(server, 1, "alice")
            head, text = body.split(b"\r\n\r\n", 1)
            assert text == b"new body\r\nof two lines\r\n", text
            assert b"\r\nX-Added: one\r\n\ttwo" in head and b"\r\nX-First: here\r\nFrom:" in head, head
            assert b"\r\nSubject: changed\r\n" in head and b"X-Gone" not in head
            assert head.startswith(b"Return-Path: <bounces@remote.test>\r\n"), head
            assert b"X-First\0here\0" in second.data_of("L") and second.data_of("B") == [b"new body\r\nof two lines\r\n"]
            assert second.data_of("R") == [b"<alice@example.test>\0"] and second.data_of("M")[0].startswith(b"<bounces@remote.test>\0")


def test_refusals_delays_and_what_is_thrown_away(directory):
    said = {}
    with Scripted({"E": lambda data: said.get("E", [packet("c")]), "R": lambda data: said.get(data, [packet("c")]),
                   "M": lambda data: said.get("M", [packet("c")])}) as milter, \
            Postroad(directory / "here", extra=config(milters=[{"name": "odd", "at": f"127.0.0.1:{milter.port}", "patience_secs": 3}])) as server:
        both = ("bob@example.test", "alice@example.test")
        said["E"] = [packet("y", b"550-5.7.9 not\r\n550 5.7.9 today\0")]
        code, words = deliver(server, letter(b"a"))
        assert code == 550 and "5.7.9 not" in words and "5.7.9 today" in words, words
        said["E"] = [packet("t")]
        assert deliver(server, letter(b"b"))[0] == 451
        said["E"] = [packet("r")]
        assert deliver(server, letter(b"c"))[0] == 550
        del said["E"]
        said["M"] = [packet("r")]
        assert deliver(server, letter(b"d"))[0] == 550
        del said["M"]
        # One recipient alone does not get it: it is set aside; it is refused if that is all.
        said[b"<bob@example.test>\0"] = [packet("y", b"550 5.7.1 not him\0")]
        assert deliver(server, letter(b"e"), to=both)[0] == 250
        inbox(server, 1, "alice")
        inbox(server, 0)
        code, words = deliver(server, letter(b"f"))
        assert code == 550 and "not him" in words, words
        del said[b"<bob@example.test>\0"]
        # Said yes, and kept apart.
        said["E"] = [packet("q", b"looks odd\0"), packet("c")]
        assert deliver(server, letter(b"g"))[0] == 250
        said["E"] = [packet("d")]
        assert deliver(server, letter(b"h"))[0] == 250
        del said["E"]
        inbox(server, 0)
        held = server.json("quarantine", "list")
        assert [one["cause"] for one in held] == ["discard", "quarantine", "set-aside"], held
        # That of him who did not get it: its sender cannot be told.
        assert "other recipients have it" in held[2]["why"] and held[2]["subject"] == "e", held
        assert held[1]["why"] == "looks odd" and held[1]["filter"] == "odd" and held[1]["recipients"] == ["bob@example.test"]
        shown = server.cli("quarantine", "show", str(held[1]["id"])).stdout
        assert "looks odd" in shown and "Subject: g" in shown
        released = server.json("quarantine", "release", held[1]["trace"])
        assert released["released"][0]["mailboxes"] == 1, released
        assert b"Subject: g" in inbox(server, 1)[0]
        server.stop()
        assert sorted(server.json("quarantine", "delete", "all")["deleted"]) == [held[2]["id"], held[0]["id"]]
        assert server.json("quarantine", "list") == []


def test_what_is_held_outlives_a_crash(directory):
    """Said yes to, held, and the power fails: each is in quarantine, once, and released whole."""
    body = b"".join(b"line %05d of something that is worth keeping\r\n" % number for number in range(400))
    with Scripted({"E": [packet("q", b"looks odd\0"), packet("c")]}) as milter, \
            Postroad(directory / "here", extra=config(milters=[f"127.0.0.1:{milter.port}"])) as server:
        said_yes, begun, numbers = set(), set(), iter(range(10_000))

        def sender():
            while True:
                number = next(numbers)
                begun.add(number)
                try:
                    if deliver(server, letter(b"held%d" % number, body))[0] != 250:
                        return
                except (OSError, Closed, Refused):
                    return
                said_yes.add(number)

        for kills in range(1, 4):
            threads = [threading.Thread(target=sender) for _ in range(4)]
            for thread in threads:
                thread.start()
            while len(said_yes) < kills * 15 and any(thread.is_alive() for thread in threads):
                time.sleep(0.01)
            server.kill()
            for thread in threads:
                thread.join()
            server.start()
        assert len(said_yes) >= 45, said_yes
        held = [int(one["subject"].removeprefix("held")) for one in server.json("quarantine", "list")]
        assert said_yes <= set(held) <= begun and len(held) == len(set(held)), (said_yes, held)
        inbox(server, 0)
        released = server.json("quarantine", "release", "all")
        assert len(released["released"]) == len(held) and released["failed"] == [], released
        server.kill()
        server.start()
        assert server.json("quarantine", "list") == []
        bodies = inbox(server, len(held))
        assert all(one.endswith(body) for one in bodies)
        assert server.json("quarantine", "release", "all")["released"] == []
        assert "empty" in server.cli("quarantine", "release", "all").stdout


def test_a_refused_recipient_is_bounced_where_the_sender_is_proven(directory):
    sink = Sink()
    dns = Dns({("remote.test", "TXT"): ["v=spf1 ip4:127.0.0.1 -all"], ("remote.test", "MX"): ["10 mx.remote.test"]})
    no = {b"<bob@example.test>\0": [packet("y", b"550 5.7.1 not him\0")]}
    both = ("bob@example.test", "alice@example.test")
    with Scripted({"R": lambda data: no.get(data, [packet("c")])}) as milter:
        settings = (f'[dns]\nresolvers = ["127.0.0.1:{dns.port}"]\n[outbound]\nrelay = "smtp://127.0.0.1:{sink.port}"\n'
                    + config(milters=[f"127.0.0.1:{milter.port}"]))
        with Postroad(directory / "here", extra=settings) as server:
            assert deliver(server, letter(b"one"), to=both)[0] == 250
            report = sink.wait_for(1)[0]
            assert report.sender == "" and report.recipients == ["ann@remote.test"], report.recipients
            assert b"bob@example.test" in report.content and b"not him" in report.content, report.content
            assert b"alice@example.test" not in report.content
            # At once, also where the message itself is held for the others.
            milter.says["E"] = [packet("q", b"odd\0"), packet("c")]
            assert deliver(server, letter(b"three"), to=both)[0] == 250
            assert b"bob@example.test" in sink.wait_for(2)[1].content
            assert [one["recipients"] for one in server.json("quarantine", "list")] == [["alice@example.test"]]
            del milter.says["E"]
            # Nobody hears of it whose envelope may be forged.
            assert deliver(server, letter(b"two"), sender="ann@other.test", to=both)[0] == 250
            inbox(server, 2, "alice")
            inbox(server, 0)
            assert len(sink.letters) == 2, [one.recipients for one in sink.letters]


def test_a_milter_that_makes_no_sense_is_not_believed(directory):
    """A header that smuggles lines, packets without end, silence: 451 or through, never harm."""
    odd = {"smuggled": [packet("h", b"X-A\0b\r\nBcc: everybody\0"), packet("c")],
           "no header": [packet("h", b"X-A\0b\n\nbody\0"), packet("c")],
           "bad name": [packet("h", b"X A:\0b\0"), packet("c")],
           "not agreed": [packet("b", b"body"), packet("c")],
           "huge": [struct.pack("!I", 0x7FFFFFFF) + b"c"],
           "empty": [struct.pack("!I", 0)],
           "unknown": [packet("Z")],
           "no reply": [packet("y", b"250 fine\0")],
           "cut": [b"\0\0"]}
    said = []
    with Scripted({"E": lambda data: said}, agree=(6, 0x1FF & ~0x2, 0)) as milter:
        def settings(when):
            return config(milters=[{"name": "odd", "at": f"127.0.0.1:{milter.port}", "when_unavailable": when, "patience_secs": 2}])
        with Postroad(directory / "defer", extra=settings("defer")) as server:
            for name, packets in odd.items():
                said[:] = packets
                assert deliver(server, letter(b"x"))[0] == 451, name
            said[:] = [packet("c")]
            assert deliver(server, letter(b"x"))[0] == 250
            # Silence ends it; what says that it works on it is waited for.
            said[:] = []
            begun = time.monotonic()
            assert deliver(server, letter(b"x"))[0] == 451
            assert time.monotonic() - begun < 30

            def slow(_data):
                for _ in range(4):
                    time.sleep(1)
                    yield packet("p")
                yield packet("c")
            milter.says["E"] = slow
            begun = time.monotonic()
            assert deliver(server, letter(b"x"))[0] == 250
            assert 3.5 < time.monotonic() - begun
            milter.says["E"] = lambda data: said
        with Postroad(directory / "pass", extra=settings("pass")) as server:
            said[:] = odd["smuggled"]
            assert deliver(server, letter(b"through"))[0] == 250
            (body,) = inbox(server, 1)
            assert b"Bcc" not in body and b"X-A" not in body


def test_attachment_rules_need_no_daemon(directory):
    program = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(500)
    with Postroad(directory / "here") as server:
        code, words = deliver(server, with_file(b"exe", program, b"invoice.exe"))
        assert code == 554 and "invoice.exe" in words and "a program" in words and "link" in words, words
        code, words = deliver(server, with_file(b"zip", zipped("invoice.exe", program), b"invoice.zip", b"application/zip"))
        assert code == 554 and "invoice.exe" in words, words
        assert deliver(server, with_file(b"js", b"var a = 1;", b"invoice.js", b"text/javascript"))[0] == 554
        packed = lzma.compress(gzip.decompress(tarred("run.exe", program)))
        code, words = deliver(server, with_file(b"xz", zipped("b.tar.xz", packed), b"a.zip", b"application/zip"))
        assert code == 554 and "a.zip > b.tar.xz > run.exe" in words, words
        # The whole message is the file.
        head = HEAD % (b"root", b"root") + b"Content-Transfer-Encoding: base64\r\nContent-Type: "
        for kind in (b"text/x-msdownload; name=invoice.exe", b"text/plain; name*0=invo; name*1=ice.exe"):
            assert deliver(server, head + kind + b"\r\n\r\n" + base64.encodebytes(program).replace(b"\n", b"\r\n"))[0] == 554, kind
        assert deliver(server, with_file(b"pdf", b"%PDF-1.4", b"a.pdf", b"application/pdf"))[0] == 250
        code, words = submit(server, with_file(b"mine", program, b"tool.exe").replace(b"ann@remote.test", b"alice@example.test"), "bob@example.test")
        assert code == 554 and "tool.exe" in words and "postmaster" in words, words
        kinds = {one["kind"]: one for one in server.json("attachment", "list")["kinds"]}
        assert kinds["program"]["action"] == "refuse" and kinds["program"]["by"] == "built in"
        server.cli("attachment", "set", "program", "hold", "--domain", "example.test")
        assert deliver(server, with_file(b"held", program, b"invoice.exe"))[0] == 250
        (held,) = server.json("quarantine", "list")
        assert held["cause"] == "attachment" and "invoice.exe" in held["why"]
        server.cli("attachment", "set", "program", "junk")
        server.cli("attachment", "reset", "program", "--domain", "example.test")
        assert deliver(server, with_file(b"junk", program, b"invoice.exe"))[0] == 250
        inbox(server, 1, mailbox="Junk")
        server.cli("attachment", "set", "program", "mark")
        assert deliver(server, with_file(b"marked", program, b"invoice.exe"))[0] == 250
        server.cli("attachment", "set", "program", "allow")
        assert deliver(server, with_file(b"allowed", program, b"invoice.exe"))[0] in (250,)
        wrong = server.cli("attachment", "set", "progam", "allow", check=False)
        assert wrong.returncode == 2 and "program" in wrong.stderr


def test_a_filter_that_is_down_is_told_of(directory):
    need_program("clamd")
    with Clamd(directory / "clamd") as clamd, Scripted() as milter:
        settings = config(clamd=clamd.local, milters=[{"name": "sieve", "at": f"127.0.0.1:{milter.port}", "when_unavailable": "pass"}])
        with Postroad(directory / "here", extra=settings) as server:
            def findings():
                check = server.json_any("config", "check")["findings"]
                doctor = [one for one in server.json_any("doctor")["findings"] if one.get("check", one.get("id")) == "sys.filter"]
                return [one["message"] for one in check if "filters" in one["message"]], doctor

            assert findings() == ([], []), findings()
            clamd.stop()
            check, doctor = findings()
            assert len(check) == 1 and "clamd" in check[0], check
            assert len(doctor) == 1 and "clamd" in str(doctor[0]) and "put off" in str(doctor[0]), doctor
            milter.close()
            shown = server.json("config", "show")["filters"]
            assert shown["clamd"]["at"] == f"unix:{clamd.local}" and shown["clamd"]["when_too_large"] == "pass", shown
            assert shown["milters"][0]["name"] == "sieve" and shown["milters"][0]["when_unavailable"] == "pass", shown
