"""People teach the spam filter with imaplib, mutt and mbsync, the operator with commands; lists, summaries and bulk moves."""

import email
import mailbox
import time
from email import policy

from lib.runner import need_program
from lib.server import Postroad
from lib.talk import Imap, Smtp
from test_readers import Mbsync, mutt

WITHIN = 30.0


def offer(number):
    return (f"From: Tools <sales{number}@tools{number}.test>\r\nTo: alice@example.test\r\nSubject: Wheelbarrow clearance {number}\r\n"
            f"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{number}@tools{number}.test>\r\n\r\n"
            f"Our wheelbarrow clearance ends on Sunday. Sturdy spades and rakes at half the price, order {number} today.\r\n").encode()


def deliver(server, messages, sender="sender@remote.test", to="alice"):
    smtp = Smtp(server.port("smtp")).hello()
    for message in messages:
        smtp.deliver(sender, server.address(to), message)
    smtp.quit()


def reader(server, user="alice"):
    return Imap(server.port("imaps"), server.address(user), server.password)


def status(server, user="alice"):
    return server.json("spam", "status", server.address(user))["accounts"][0]


def learnt(server, junk, wanted, user="alice"):
    """Waits until so many lessons are counted."""
    end = time.monotonic() + WITHIN
    while True:
        have = status(server, user)
        if (have["lessons"]["junk"], have["lessons"]["wanted"], have["waiting"]) == (junk, wanted, 0):
            return have
        assert time.monotonic() < end, have
        time.sleep(0.05)


def test_moves_and_keywords_over_imap(directory):
    with Postroad(directory) as server:
        deliver(server, [offer(i) for i in range(1, 4)])
        imap = reader(server)
        imap.command("SELECT INBOX")
        imap.command("UID MOVE 1:3 Junk")
        assert learnt(server, 3, 0)["missed"] == 3
        imap.command("SELECT Junk")
        imap.command("UID MOVE 1 INBOX")
        learnt(server, 2, 0)
        # A keyword and a move together are one lesson.
        imap.command("UID STORE 2 -FLAGS (Junk)")
        imap.command("UID STORE 2 +FLAGS (NonJunk)")
        imap.command("UID MOVE 2 Archive")
        learnt(server, 1, 1)
        # Throwing junk away takes back nothing, and says nothing new.
        imap.command("UID MOVE 3 Trash")
        imap.command("SELECT Trash")
        imap.command(r"STORE 1:* +FLAGS (\Deleted)")
        imap.command("EXPUNGE")
        learnt(server, 1, 1)
        # $Junk alone, without a move.
        imap.command("SELECT INBOX")
        imap.command("STORE 1 +FLAGS ($Junk)")
        learnt(server, 2, 1)
        imap.command("STORE 1 -FLAGS ($Junk)")
        learnt(server, 1, 1)
        imap.logout()


def test_mutt_saves_into_junk(directory):
    need_program("mutt", "script", "openssl")
    with Postroad(directory) as server:
        deliver(server, [offer(i) for i in range(1, 3)])
        said = mutt(server, directory, 'push "1<enter><save-message>=Junk<enter><sync-mailbox><quit>"')
        imap = reader(server)
        assert imap.count("Junk") == 1, said[-1500:]
        learnt(server, 1, 0)


def test_mbsync_moves_by_uploading_again(directory):
    need_program("mbsync", "openssl")
    with Postroad(directory) as server:
        deliver(server, [offer(i) for i in range(1, 4)])
        mbsync = Mbsync(server, directory)
        mbsync.run()
        learnt(server, 0, 0)

        def move(source, target):
            """As mutt and others do it in a maildir: a new name, for the old one holds the UID of the old place."""
            file = mbsync.files(source)[0]
            name = f"17000000{time.monotonic_ns()}.M1.here:2,S"
            file.rename(directory / "mail" / target / "cur" / name)
            mbsync.run()

        move("INBOX", "Junk")
        assert reader(server).count("Junk") == 1
        learnt(server, 1, 0)
        move("Junk", "INBOX")
        learnt(server, 0, 0)


def test_what_was_junked_by_the_filter_and_rescued(directory):
    with Postroad(directory) as server:
        server.cli("spam", "block", "add", "tools1.test", "--account", server.address("alice"))
        server.cli("spam", "block", "add", "192.0.2.0/24")
        assert [rule["entry"] for rule in server.json("spam", "block", "list")] == ["192.0.2.0/24", "tools1.test"]
        deliver(server, [offer(1), offer(2)])
        deliver(server, [offer(1)], to="bob")
        imap = reader(server)
        assert (imap.count("Junk"), imap.count("INBOX")) == (1, 1)
        assert reader(server, "bob").count("INBOX") == 1, "the list is hers"
        assert (status(server)["junked"], status(server)["rescued"]) == (1, 0)
        # The summary: shown, then mailed into her own INBOX.
        assert "Wheelbarrow clearance 1" in server.cli("spam", "digest", server.address("alice")).stdout
        assert server.json("spam", "digest", server.address("alice"), "--now")["sent"]
        imap.wait_for(2)
        summary = email.message_from_bytes(list(imap.bodies("INBOX"))[1], policy=policy.default)
        assert summary["subject"] == "1 message went to Junk" and summary["auto-submitted"] == "auto-generated", summary
        kinds = [part.get_content_type() for part in summary.walk()]
        assert kinds == ["multipart/alternative", "text/plain", "text/html"], kinds
        for part in list(summary.walk())[1:]:
            assert "Wheelbarrow clearance 1" in part.get_content() and "tools1.test" in part.get_content()
        imap.command("SELECT Junk")
        imap.command("MOVE 1 INBOX")
        have = learnt(server, 0, 1)
        assert (have["rescued"], have["rescued_share"]) == (1, 1.0)
        assert not server.json("spam", "digest", server.address("alice"), "--now")["sent"], "nothing lies in Junk"
        server.cli("spam", "block", "remove", "tools1.test", "--account", server.address("alice"))
        assert server.cli("spam", "block", "remove", "tools1.test", check=False).returncode == 1


def test_learning_from_archives(directory):
    with Postroad(directory) as server:
        alice = server.address("alice")
        old = mailbox.mbox(directory / "old.mbox")
        for i in range(10):
            old.add(offer(i).replace(b"\r\n", b"\n"))
        old.flush()
        kept = mailbox.Maildir(directory / "kept")
        for i in range(100, 105):
            kept.add(offer(i).replace(b"\r\n", b"\n"))

        def learn(kind, path, verb="learn"):
            kinds = ["--as", kind] if kind else []
            return server.json("spam", verb, "--account", alice, *kinds, str(path))["changed"]

        assert learn("junk", directory / "old.mbox") == 10
        assert learn("junk", directory / "old.mbox") == 0, "each counts once"
        assert learn("wanted", directory / "kept") == 5
        learnt(server, 10, 5)
        # The other word about the same messages replaces the first; forgetting leaves nothing.
        assert learn("wanted", directory / "old.mbox") == 10
        learnt(server, 0, 15)
        assert learn(None, directory / "old.mbox", "forget") == 10
        # With the server stopped it is the same.
        server.stop()
        assert learn(None, directory / "kept", "forget") == 5
        assert status(server)["features"] == 0
        server.start()
        # A mailbox as a whole.
        deliver(server, [offer(i) for i in range(200, 203)])
        server.cli("spam", "learn", "--account", alice, "--as", "wanted", "--mailbox", "INBOX")
        learnt(server, 0, 3)
        refused = server.cli("spam", "learn", "--account", alice, "--as", "wanted", "--mailbox", "Nowhere", check=False)
        assert refused.returncode == 1 and "no mailbox Nowhere" in refused.stderr, refused.stderr


def test_weights_and_the_switch(directory):
    with Postroad(directory) as server:
        alice = server.address("alice")
        server.cli("spam", "weights", "set", "blocked", "0")
        server.cli("spam", "weights", "threshold", "4.5", "--domain", server.domain)
        shown = server.json("spam", "weights", "show", "--account", alice)
        assert shown["threshold"] == 4.5 and shown["filter"], shown
        assert next(kind for kind in shown["kinds"] if kind["kind"] == "blocked")["factor"] == 0.0
        server.cli("spam", "weights", "filter", "off", "--account", alice)
        assert not server.json("spam", "weights", "show", "--account", alice)["filter"]
        assert [change["name"] for change in server.json("spam", "weights", "history")] == ["filtering", "threshold", "weight:blocked"]
        wrong = server.cli("spam", "weights", "set", "bloked", "2", check=False)
        assert wrong.returncode == 2 and "did you mean blocked?" in wrong.stderr, wrong.stderr
        server.cli("spam", "weights", "reset")
        shown = server.json("spam", "weights", "show")
        assert all(kind["factor"] == 1.0 for kind in shown["kinds"])


def test_ten_thousand_moved_at_once_make_nobody_wait(directory):
    with Postroad(directory) as server:
        imap = reader(server)
        for first in range(0, 10_000, 100):
            tags = []
            for i in range(first, first + 100):
                message, tag = offer(i), imap.tag()
                tags.append(tag)
                imap.send(f"{tag} APPEND INBOX {{{len(message)}+}}\r\n".encode() + message + b"\r\n")
            for tag in tags:
                imap.until(tag)
        imap.command("SELECT INBOX")
        imap.command("MOVE 1:* Junk")
        # While all that is learnt, mail goes on as ever.
        times = []
        while len(times) < 20:
            begun = time.monotonic()
            deliver(server, [offer(20_000 + len(times))], to="bob")
            times.append(time.monotonic() - begun)
        times.sort()
        assert times[10] < 0.5 and times[-1] < 2.0, times
        imap.command("SELECT Junk")
        imap.command("MOVE 1:* INBOX")
        # And it goes on after the power went.
        server.kill()
        server.start()
        end = time.monotonic() + 2 * WITHIN
        while status(server)["waiting"]:
            assert time.monotonic() < end, status(server)
            time.sleep(0.1)
        assert status(server)["lessons"]["junk"] == 0, status(server)
