"""A full disk is a temporary trouble: 452 while it lasts, and mail again when there is room."""

import os
import re
import shutil
import subprocess
import time

from lib.runner import Skip, need
from lib.server import Postroad
from lib.talk import Closed, Imap, Refused, Smtp

SIZE_MB = 96


def mounted(directory):
    """A small file system of its own."""
    need(os.geteuid() == 0, "not root: no small file system can be mounted")
    place = directory / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "postroad-test", place], capture_output=True, text=True)
    if done.returncode:
        raise Skip(f"mount is not allowed here: {done.stderr.strip()}")
    return place


def letter(number, kilobytes):
    return (f"From: a@remote.test\r\nTo: alice@example.test\r\nSubject: {number}\r\n\r\n".encode()
            + (f"{number:08d}" * 9 + "\r\n").encode() * (kilobytes * 1024 // 74))


def test_full_disk(directory):
    place = mounted(directory)
    try:
        with Postroad(place) as server:
            alice = server.address("alice")
            taken, refusals = [], []
            smtp = Smtp(server.port("smtp")).hello()
            for number in range(SIZE_MB * 4):
                try:
                    smtp.deliver("a@remote.test", alice, letter(number, 700))
                    taken.append(number)
                except Refused as error:
                    refusals.append(str(error))
                    if len(refusals) == 3:
                        break
                    smtp.close()
                    smtp = Smtp(server.port("smtp")).hello()
                except Closed:
                    smtp = Smtp(server.port("smtp")).hello()
            smtp.close()
            assert refusals, "the disk did not fill"
            for text in refusals:
                assert re.match(r"452|4\d\d 4\.3\.1|421|451", text), refusals
            assert any(text.startswith("452") for text in refusals), refusals
            # What was taken can be read while the disk is full.
            imap = Imap(server.port("imaps"), alice, server.password)
            assert imap.count() == len(taken), (imap.count(), len(taken))
            # A small letter may still find no room, and is never refused for good.
            imap.logout()
            # Room again: the disk grows.
            subprocess.run(["mount", "-o", f"remount,size={3 * SIZE_MB}m", place], check=True)
            for attempt in range(50):
                try:
                    smtp = Smtp(server.port("smtp")).hello()
                    smtp.deliver("a@remote.test", alice, letter(9999, 700))
                    break
                except (Refused, Closed):
                    time.sleep(0.2)
            else:
                raise AssertionError("no mail after the disk had room again\n" + server.tail())
            taken.append(9999)
            for _ in range(2):
                imap = Imap(server.port("imaps"), alice, server.password)
                found = [int(re.search(rb"Subject: (\d+)", body).group(1)) for body in imap.bodies("INBOX")]
                assert sorted(found) == sorted(taken), (found, taken)
                imap.logout()
                server.stop()
                server.start()
            return f"{len(taken)} kept, then {refusals[0][:60]}"
    finally:
        subprocess.run(["umount", "-l", place], capture_output=True)
        shutil.rmtree(place, ignore_errors=True)
