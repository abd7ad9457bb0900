"""The tables of framing tricks and STARTTLS injections, every row against the live server."""

import time

from lib import corpora
from lib.runner import need
from lib.server import Postroad
from lib.sink import Sink
from lib.talk import Closed, Imap, Pop3, Refused, Smtp, Talk

LETTER = b"From: <a@sender.test>\r\nTo: <alice@example.test>\r\nSubject: %s\r\n\r\nfirst line\r\n"


def rows(name):
    if not corpora.folder():
        print("      no corpora: skipped smtp-smuggling (1 folder, 3 tables)")
    need(corpora.folder(), "../shared/corpora is absent")
    return corpora.table(name)


def write(talk, writes):
    """Several writes with a pause between, so that they arrive apart."""
    for i, part in enumerate(writes):
        if i:
            time.sleep(0.2)
        talk.send(part)


def replies(data: bytes):
    """The codes of the replies in a stream, in order (last lines only)."""
    return [int(line[:3]) for line in data.split(b"\r\n") if len(line) >= 3 and line[:3].isdigit() and line[3:4] != b"-"]


#: Variants of the rows that ask for several sizes, so that the dot lies on either side of a buffer's edge.
EDGES = [n for first, last in ((4088, 4098), (8184, 8194), (16376, 16386), (65528, 65538)) for n in range(first, last + 1)]


def variants(row):
    if row["id"].startswith("buffer-edge"):
        number = "4094" if row["id"] == "buffer-edge" else "4095"
        return [row["bytes"].replace(number, str(n)) for n in EDGES]
    return [row["bytes"]]


def end_of_data(server, imap, row, text):
    before = imap.count()
    talk = Smtp(server.port("smtp"), patience=20).hello()
    talk.send("MAIL FROM:<a@sender.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n")
    for code in (250, 250, 354):
        talk.expect(code)
    second = (b"MAIL FROM:<smuggled@sender.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n" + LETTER % b"second" + b"\r\n.\r\nQUIT\r\n")
    parts = corpora.unescape(text)
    try:
        write(talk, [LETTER % row["id"].encode() + parts[0], *parts[1:-1], parts[-1] + second] if len(parts) > 1
              else [LETTER % row["id"].encode() + parts[0] + second])
    except OSError:
        pass
    said = talk.rest(patience=5)
    time.sleep(0.02)
    stored = imap.count() - before
    codes = replies(said)
    wanted, where = row["wanted_inbound"], f"{row['id']} ({text[:40]}): {said[:300]!r}, {stored} stored"
    if wanted.startswith("refuse"):
        assert stored == 0, where
        assert codes and 500 <= codes[0] <= 599, where
        if "close" in wanted:
            assert not any(code in (250, 354) for code in codes), where
    elif wanted.startswith("content"):
        # The trick is text of the message; the message ends where its end stands, and the next QUIT is a QUIT.
        assert stored <= 1 and codes[0] in (250, 500, 550, 552, 554), where
        assert stored == 1 or codes[0] >= 500, where
    elif "bare LF in the command stream" in wanted or wanted.startswith("as above"):
        assert stored <= 1 and 500 in codes, where
    elif row["id"] == "overlong-line-then-end":
        assert stored <= 2, where
    elif row["id"] == "dot-crlf-first":
        assert stored <= 2 and codes[-1] == 221, where
    else:
        # The true end: what follows are commands, and both messages are real ones of this client.
        assert stored == 2 and codes[-1] == 221, where
    talk.close()
    return stored


def test_end_of_data_inbound(directory):
    with Postroad(directory) as server:
        imap = Imap(server.port("imaps"), server.address("alice"), server.password)
        failures, count = [], 0
        for row in rows("end-of-data.tsv"):
            for text in variants(row):
                count += 1
                try:
                    end_of_data(server, imap, row, text)
                except (AssertionError, Closed) as error:
                    failures.append(str(error)[:500])
        assert not failures, f"{len(failures)} of {count}:\n" + "\n".join(failures)
        # What was stored from the rows of plain content is what was sent, dots taken off.
        found = {}
        for content in imap.bodies("INBOX"):
            name = content.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
            found.setdefault(name, content.split(b"first line\r\n", 1)[1])
        for name, wanted in (("crlf-dot-sp-crlf", b"\r\n \r\n"), ("crlf-dotdot-crlf", b"\r\n.\r\n"), ("crlf-dotdotdot-crlf", b"\r\n..\r\n"),
                             ("crlf-dot-x-crlf", b"\r\nx\r\n"), ("crlf-sp-dot-crlf", b"\r\n .\r\n"), ("crlf-dot-tab-crlf", b"\r\n\t\r\n")):
            assert found[name].startswith(wanted), (name, found[name])
        return f"{count} cases"


def test_end_of_data_outbound(directory):
    """Our users' messages with the tricks inside leave as one message, whatever the next server takes for an end."""
    sink = Sink()
    with Postroad(directory, extra=f'[outbound]\nrelay = "smtp://127.0.0.1:{sink.port}"') as server:
        failures, refused, count = [], 0, 0
        for row in rows("end-of-data.tsv"):
            if row["wanted_outbound"].startswith("-"):
                continue
            count += 1
            smtp = Smtp(server.port("submission"), patience=20).hello().secure().log_in("alice@example.test", server.password)
            content = (b"From: <alice@example.test>\r\nTo: <x@sink.test>\r\nSubject: " + row["id"].encode() + b"\r\nMIME-Version: 1.0\r\n\r\nfirst line\r\n"
                       + b"".join(corpora.unescape(row["bytes"])) + b"MAIL FROM:<smuggled@sender.test>\r\nlast line\r\n")
            before = len(sink.letters)
            try:
                smtp.deliver_binary("alice@example.test", "x@sink.test", content)
            except Refused:
                refused += 1
                continue
            finally:
                smtp.close()
            letters = sink.wait_for(before + 1)
            raw = letters[-1].raw
            inner = raw[:-5].replace(b"\r\n", b"")
            where = f"{row['id']}: {raw[-400:]!r}"
            if raw.count(b"\r\n.\r\n") != 1 or b"\r" in inner or b"\n" in inner or b"\0" in raw:
                failures.append(where)
            if any(len(line) > 998 + 1 for line in raw.split(b"\r\n")):
                failures.append("long line: " + row["id"])
            time.sleep(0.02)
            if len(sink.letters) != before + 1:
                failures.append("two messages: " + where)
        assert not failures, f"{len(failures)} of {count}:\n" + "\n".join(failures)
        return f"{count} cases, {refused} refused at submission"


def test_other_framing(directory):
    with Postroad(directory) as server:
        # What has no header is junk otherwise.
        server.cli("spam", "weights", "filter", "off")
        imap = Imap(server.port("imaps"), server.address("alice"), server.password)

        def session(data, pipelined=True):
            before = imap.count()
            talk = Smtp(server.port("smtp"), patience=20).hello()
            try:
                talk.send(data)
            except OSError:
                pass
            said = talk.rest(patience=3)
            return replies(said), imap.count() - before, said
        envelope = b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<alice@example.test>\r\n"
        done = 0
        for row in rows("other-framing.tsv"):
            name, data = row["id"], None
            if row["where"] == "BDAT" or name in ("cmd-bare-lf", "cmd-bare-cr", "cmd-nul"):
                data = b"".join(corpora.unescape(row["bytes"]))
            if name == "bdat-bare-lf":
                codes, stored, said = session(envelope + data + b"\r\nQUIT\r\n"[2:])
                assert stored == 0 and any(c >= 550 for c in codes), (name, said)
                codes, stored, said = session(envelope.replace(b">\r\nRCPT", b"> BODY=BINARYMIME\r\nRCPT") + b"BDAT 12 LAST\r\nline\n.\nline2QUIT\r\n")
                assert stored == 1 and codes[-1] == 221, (name, said)
                assert list(imap.bodies("INBOX"))[-1].endswith(b"line\n.\nline2")
            elif name == "bdat-dot":
                codes, stored, said = session(envelope + data + b"QUIT\r\n")
                assert stored == 1 and codes[-1] == 221, (name, said)
                assert list(imap.bodies("INBOX"))[-1].endswith(b"\r\n.\r\n")
            elif name == "bdat-short-count":
                codes, stored, said = session(envelope + data)
                assert stored == 1 and codes[-1] == 221, (name, said)
                assert list(imap.bodies("INBOX"))[-1].endswith(b"abcd")
            elif name in ("bdat-huge-count", "bdat-negative"):
                codes, stored, said = session(envelope + data + b"NOOP\r\n")
                assert stored == 0 and codes[2] in (501, 552, 500) and len(codes) == 3, (name, said)
            elif name == "bdat-then-data":
                codes, stored, said = session(envelope + data + b"QUIT\r\n")
                assert stored == 0 and 503 in codes, (name, said)
            elif name in ("cmd-bare-lf", "cmd-bare-cr"):
                codes, stored, said = session(data + b"NOOP\r\n")
                assert codes == [500] and b"5.5.2" in said, (name, said)
            elif name == "cmd-nul":
                codes, _, said = session(data + b"QUIT\r\n")
                assert codes[0] in (500, 501), (name, said)
            elif name == "addr-crlf":
                codes, stored, said = session(b'MAIL FROM:<a@sender.test>\r\nRCPT TO:<"a\r\nDATA\r\n"@rcpt.test>\r\nQUIT\r\n')
                assert codes[0] == 250 and codes[1] in (500, 501, 553) and 354 not in codes and stored == 0, (name, said)
            elif name == "data-refused-then-body":
                codes, stored, said = session(b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<nobody@example.test>\r\nDATA\r\n"
                                              + LETTER % b"x" + b"line\r\n" * 40 + b".\r\nQUIT\r\n")
                assert stored == 0 and codes[1] == 550 and codes[2] in (503, 554) and 354 not in codes, (name, said)
                assert len(codes) < 40, (name, "garbage goes on for ever", said[-300:])
            elif name == "data-pipelined-body":
                codes, stored, said = session(envelope + b"DATA\r\n" + LETTER % b"x" + b".\r\nQUIT\r\n")
                assert (stored == 0 and 503 in codes) or (stored == 1 and codes[-1] == 221), (name, said)
            elif name == "early-talk":
                talk = Talk(server.port("smtp"), patience=20)
                talk.send(b"EHLO c.test\r\nQUIT\r\n")
                codes = replies(talk.rest(patience=3))
                assert codes in ([554], [220, 250, 221]), (name, codes)
            else:
                continue
            done += 1
        return f"{done} cases"


def start_tls_smtp(server, row):
    talk = Smtp(server.port("submission"), patience=15)
    name = row["id"]
    if name == "smtp-before-ehlo":
        talk.send(b"STARTTLS\r\n")
        assert talk.reply()[0] in (503, 220), name
        return
    talk.hello("c.test")
    if name in ("smtp-twice", "smtp-state-ehlo", "smtp-state-auth"):
        talk.secure() if name == "smtp-twice" else (talk.command("STARTTLS", 220), talk.start_tls())
        if name == "smtp-twice":
            assert not talk.offers("STARTTLS")
            assert talk.command("STARTTLS")[0] == 503, name
        else:
            assert talk.command("MAIL FROM:<a@sender.test>")[0] in (503, 530), name
        return
    if name == "smtp-data-word":
        mx = Smtp(server.port("smtp"), patience=15).hello()
        mx.send(b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n")
        for code in (250, 250, 354):
            mx.expect(code)
        mx.send(b"STARTTLS\r\n.\r\n")
        assert mx.reply()[0] == 250
        mx.command("NOOP", 250)
        return
    if name == "smtp-in-mail":
        mx = Smtp(server.port("smtp"), patience=15).hello()
        mx.command("MAIL FROM:<a@sender.test>", 250)
        code = mx.command("STARTTLS")[0]
        if code == 220:
            mx.start_tls()
            mx.hello()
            assert mx.command("RCPT TO:<alice@example.test>")[0] == 503
        else:
            assert code == 503
        return
    if name == "smtp-argument":
        assert talk.command("STARTTLS now")[0] == 501
        talk.command("NOOP", 250)
        return
    if name == "smtp-lf-only":
        talk.send(b"STARTTLS\nNOOP\r\n")
        assert replies(talk.rest()) == [500], name
        return
    if name in ("smtp-handshake-fails", "smtp-clienthello-glued"):
        if name == "smtp-handshake-fails":
            talk.command("STARTTLS", 220)
            talk.send(b"NOOP\r\nEHLO x\r\n" * 20)
        else:
            talk.send(b"STARTTLS\r\n\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")
        said = talk.rest(patience=10)
        assert b"250" not in said and said.count(b"\r\n") <= 2, (name, said)
        return
    injected(talk, row, lambda t: t.reply()[0] == 220, lambda t: smtp_still_clean(t, row))


def smtp_still_clean(talk, row):
    if row["id"] == "smtp-partial":
        talk.send(b"OP\r\n")
        assert talk.reply()[0] == 500, row["id"]
        return
    # The first thing that is answered inside TLS is what is asked inside TLS.
    code, _ = talk.command("EHLO inside.test")
    assert code == 250
    assert talk.command("RCPT TO:<alice@example.test>")[0] in (503, 530), "a transaction begun in clear text lives"
    talk.command("QUIT", 221)


def injected(talk, row, accepted, clean):
    """The injected line is never carried out: the connection closes, or TLS starts without it."""
    talk.send(b"".join(corpora.unescape(row["sent_in_one_packet"])))
    try:
        if not accepted(talk):
            assert talk.is_closed(), f"{row['id']}: refused, but open"
            return
    except Closed:
        return
    assert not talk.input, f"{row['id']}: answered in clear text: {talk.input!r}"
    try:
        talk.start_tls()
    except OSError:
        return
    try:
        clean(talk)
    except Closed:
        return


def start_tls_imap(server, row):
    name, port = row["id"], server.port("imap")
    if name == "imap-logindisabled":
        talk = Imap(port, tls=False)
        assert b"LOGINDISABLED" in talk.command("CAPABILITY")[1][0][0]
        try:
            talk.command(f"LOGIN alice@example.test {server.password}")
            raise AssertionError("logged in in clear text")
        except Refused as error:
            assert "PRIVACYREQUIRED" in str(error), error
        return
    if name == "imap-twice":
        talk = Imap(port, tls=False)
        talk.command("STARTTLS")
        talk.start_tls()
        assert b"STARTTLS" not in talk.command("CAPABILITY")[1][0][0]
        refused_with("BAD", talk, "STARTTLS")
        return
    if name == "imap-after-login":
        talk = Imap(server.port("imaps"), "alice@example.test", server.password)
        refused_with("BAD", talk, "STARTTLS")
        return
    talk = Imap(port, tls=False)

    def clean(talk):
        then = {"imap-partial": b"OP\r\n", "imap-literal": b"evil pw\r\n"}.get(name)
        if then:
            talk.send(then)
            line = talk.line()
            assert b"BAD" in line and b"a2 " not in line, (name, line)
            return
        if name == "imap-literal-plus":
            talk.command(f"LOGIN alice@example.test {server.password}")
            return
        try:
            talk.command("SELECT INBOX")
            raise AssertionError(f"{name}: logged in")
        except Refused:
            pass
        talk.send(b"a3 LOGOUT\r\n")
        said = talk.rest()
        assert b"a2 " not in said and b"a3 OK" in said, (name, said)
    injected(talk, row, lambda t: t.line().startswith(b"a1 OK"), clean)


def refused_with(word, talk, command):
    try:
        talk.command(command)
        raise AssertionError(f"{command} was taken")
    except Refused as error:
        assert str(error).startswith(word), error


def start_tls_pop3(server, row):
    name = row["id"]
    talk = Pop3(server.port("pop3"), tls=False)
    if name == "pop3-twice":
        talk.command("STLS")
        talk.start_tls()
        refused_with("-ERR", talk, "STLS")
        return
    if name == "pop3-after-login":
        talk = Pop3(server.port("pop3s"), "alice@example.test", server.password)
        refused_with("-ERR", talk, "STLS")
        return
    if name == "pop3-after-user":
        try:
            talk.command("USER alice@example.test")
        except Refused:
            pass
        talk.command("STLS")
        talk.start_tls()
        refused_with("-ERR", talk, f"PASS {server.password}")
        return

    def clean(talk):
        refused_with("-ERR", talk, {"pop3-user": "PASS pw"}.get(name, "STAT"))
        talk.command("QUIT")
    injected(talk, row, lambda t: t.line().startswith(b"+OK"), clean)


def test_start_tls_injection(directory):
    with Postroad(directory) as server:
        failures, done = [], 0
        for row in rows("starttls-injection.tsv"):
            run = {"SMTP": start_tls_smtp, "IMAP": start_tls_imap, "POP3": start_tls_pop3}.get(row["protocol"])
            if row["role"] != "server" or not run:
                continue
            done += 1
            try:
                run(server, row)
            except (AssertionError, Refused, Closed, OSError, IndexError) as error:
                failures.append(f"{row['id']}: {type(error).__name__}: {error}")
        assert not failures, f"{len(failures)} of {done}:\n" + "\n".join(failures)
        return f"{done} cases"


def test_start_tls_response_injection(directory):
    """The rows where we are the client: what stands behind the 220 in the clear is not taken for an answer inside TLS."""
    import socket
    import threading
    heard = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                stream, _ = listener.accept()
            except OSError:
                return
            stream.settimeout(10)
            try:
                stream.sendall(b"220 x\r\n")
                stream.recv(4096)
                stream.sendall(b"250-x\r\n250 STARTTLS\r\n")
                if b"STARTTLS" in stream.recv(4096):
                    stream.sendall(b"220 go\r\n250 injected.test\r\n250 ok\r\n250 ok\r\n354 ok\r\n250 ok\r\n")
                    while data := stream.recv(4096):
                        heard.append(data)
            except OSError:
                pass
            stream.close()
    threading.Thread(target=serve, daemon=True).start()
    rows("starttls-injection.tsv")
    with Postroad(directory, extra=f'[outbound]\nrelay = "smtp://127.0.0.1:{listener.getsockname()[1]}"') as server:
        smtp = Smtp(server.port("submission")).hello().secure().log_in("alice@example.test", server.password)
        smtp.deliver("alice@example.test", "x@elsewhere.test", b"From: alice@example.test\r\n\r\nhi\r\n")
        time.sleep(3)
        queue = server.cli("queue", "list").stdout
        assert "elsewhere.test" in queue, f"taken for delivered: {queue}"
        assert b"MAIL FROM" not in b"".join(heard), heard
    listener.close()
