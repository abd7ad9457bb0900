"""Every sample of mail goes in by SMTP and by IMAP APPEND and comes back through IMAP identical to the byte."""

import re
import threading

from lib import corpora
from lib.runner import need
from lib.server import Postroad
from lib.talk import Imap, Refused, Smtp

WORKERS = 4
#: Servers want a fresh connection now and then.
MESSAGES_PER_CONNECTION = 500
TRACE = re.compile(rb"\A(?:(?:Return-Path|Received|Delivered-To|Authentication-Results|Received-SPF|X-Original-To):[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*\Z")


def need_corpora():
    found = corpora.folder()
    if not found:
        print(f"      no corpora: skipped {', '.join(corpora.READERS)} ({len(corpora.READERS)} folders)")
    need(found, "../shared/corpora is absent")


def as_sent(content):
    """A sample with CR LF at the ends of lines that had LF, as a mail program would send it; None when DATA cannot carry it."""
    text = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if b"\0" in text or b"\r" in text.replace(b"\r\n", b""):
        return None
    return text


#: What strangers say in fields that are ours to write is taken away.
OURS = re.compile(rb"^(?:X-Spam-Flag|X-Postroad-Spam)[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*", re.I | re.M)


def without_ours(content):
    blank = re.search(rb"\n\r?\n", content)
    end = blank.start() + 1 if blank else len(content)
    return OURS.sub(b"", content[:end]) + content[end:]


def same(name, got, sent, exact=False):
    if exact:
        assert got == sent, f"{name}: {len(got)} bytes back, {len(sent)} sent; first difference at {difference(got, sent)}"
        return
    assert got.endswith(sent), f"{name}: {len(got)} bytes back, {len(sent)} sent:\n{got[:600]!r}\n{sent[:600]!r}"
    trace = got[:len(got) - len(sent)]
    assert TRACE.match(trace), f"{name}: more than trace headers on top: {trace!r}"
    assert b"Received:" in trace, f"{name}: no Received"


def difference(a, b):
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


def in_parallel(samples, deliver):
    """Deals the samples to the workers; `deliver(worker, samples)` does one worker's share."""
    failures = []

    def work(worker):
        try:
            deliver(worker, samples[worker::WORKERS])
        except Exception as error:
            failures.append(error)
    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def users():
    return tuple(f"reader{i}" for i in range(WORKERS))


def take_everything(server):
    """Here it is about bytes, not about whether the mail is wanted: spam and dangerous attachments are let through."""
    server.cli("spam", "weights", "filter", "off")
    for kind in server.json("attachment", "list")["kinds"]:
        server.cli("attachment", "set", kind["kind"], "allow")


def by_smtp(server, samples, binary):
    """Delivers and reads back; returns how many were refused and why."""
    take_everything(server)
    refused = []

    def deliver(worker, mine):
        address, taken = server.address(f"reader{worker}"), []
        smtp = Smtp(server.port("smtp")).hello()
        for number, (name, content) in enumerate(mine, 1):
            try:
                (smtp.deliver_binary if binary else smtp.deliver)("sender@remote.test", address, content)
                taken.append((name, content if binary or content.endswith(b"\r\n") or not content else content + b"\r\n"))
            except Refused as error:
                refused.append((name, str(error)))
                smtp.close()
                smtp = Smtp(server.port("smtp")).hello()
            if number % MESSAGES_PER_CONNECTION == 0:
                smtp.quit()
                smtp = Smtp(server.port("smtp")).hello()
        smtp.quit()
        imap = Imap(server.port("imaps"), address, server.password)
        assert imap.wait_for(len(taken)) == len(taken), (imap.count(), len(taken))
        for (name, content), got in zip(taken, imap.bodies("INBOX"), strict=True):
            same(name, got, without_ours(content))
        imap.logout()
    in_parallel(samples, deliver)
    return refused


def check_refused(refused, total):
    """What the server may refuse: by name and reason, and never much."""
    allowed = [r for r in refused if re.search(r"5\.6\.0|5\.4\.6|line|too long|loop", r[1], re.I)]
    assert len(refused) == len(allowed), [r for r in refused if r not in allowed][:5]
    assert len(refused) <= max(3, total // 50), f"{len(refused)} of {total} refused: {refused[:5]}"


def smtp_group(directory, names):
    need_corpora()
    samples = [(name, as_sent(content)) for name, content in corpora.messages(names)]
    sendable = [s for s in samples if s[1] is not None]
    with Postroad(directory, users=users()) as server:
        refused = by_smtp(server, sendable, binary=False)
        check_refused(refused, len(sendable))
        return f"{len(sendable) - len(refused)} by DATA and back, {len(refused)} refused {sorted({r[1][:60] for r in refused})}, " \
               f"{len(samples) - len(sendable)} go by BDAT and APPEND"


REAL = [name for name in corpora.READERS if name != "synthetic-mailboxes-mxhero"]


def test_real_mail_by_data(directory):
    return smtp_group(directory, REAL)


def test_synthetic_mailboxes_by_data(directory):
    return smtp_group(directory, ["synthetic-mailboxes-mxhero"])


def test_odd_mail_as_it_is_by_bdat(directory):
    """Bare CR, bare LF and NUL, which only BINARYMIME carries (RFC 3030)."""
    need_corpora()
    samples = [(n, c) for n, c in corpora.messages(["mime-messages", "dkim-vectors", "bounces", "arc-valimail", "spam-foff-2025"])
               if as_sent(c) != c]
    with Postroad(directory, users=users()) as server:
        refused = by_smtp(server, samples, binary=True)
        check_refused(refused, len(samples))
        return f"{len(samples) - len(refused)} and back, {len(refused)} refused"


def test_all_real_mail_as_it_is_by_append(directory):
    need_corpora()
    samples = list(corpora.messages(REAL))
    with Postroad(directory, users=users()) as server:
        def deliver(worker, mine):
            imap = Imap(server.port("imaps"), server.address(f"reader{worker}"), server.password)
            imap.command("CREATE Samples")
            kept = []
            for name, content in mine:
                if content:
                    imap.append("Samples", content)
                    kept.append((name, content))
            for (name, content), got in zip(kept, imap.bodies("Samples"), strict=True):
                same(name, got, content, exact=True)
            # What was parsed on arrival must be servable for the strangest of them.
            imap.command("FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY RFC822.SIZE)")
            for command in ('SEARCH TEXT "zyzzogeton"', 'SEARCH SUBJECT "re"', "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[1])"):
                imap.command(command)
            imap.logout()
        in_parallel(samples, deliver)
        return f"{len(samples)} and back"
