"""The mail samples of ../shared/corpora, as bytes. Samples are spam and malware too: they are parsed, never opened."""

import os
import re
import tarfile
from pathlib import Path

from .server import ROOT

#: Not mail: keys, tables, expected output, licences.
NO_MAIL = re.compile(r"(SOURCE\.md|index\.tsv|.*-labels\.tsv|expected\.tsv|LICENSE.*|license.*|COPYING.*|NOTICE.*|readme\.txt|README.*"
                     r"|.*\.(json|xml|xsd|out|golden|key|private|dns|dat|md|zip|gz|yml|tsv|bin|c|h))$", re.I)
ARCHIVES = ("spam-csdmc2010", "spam-foff-2025", "spam-sa-testdata", "spam-spamassassin-public", "synthetic-mailboxes-mxhero")


def folder():
    """Where the corpora are, or None."""
    shared = Path(os.environ.get("POSTROAD_SHARED", ROOT.parent / "shared"))
    corpora = shared / "corpora"
    return corpora if corpora.is_dir() else None


def messages(names):
    """(name, bytes) of every sample of these folders."""
    for name in names:
        yield from READERS[name](folder() / name)


def listed(path):
    for line in (path / "index.tsv").read_text().splitlines()[1:]:
        name = line.split("\t")[0]
        yield f"{path.name}/{name}", (path / name).read_bytes()


def plain(path):
    for file in sorted(path.rglob("*")):
        if file.is_file() and not NO_MAIL.match(file.name):
            yield f"{path.name}/{file.relative_to(path)}", file.read_bytes()


def mails_only(path):
    for file in sorted(path.rglob("*.eml")):
        yield f"{path.name}/{file.relative_to(path)}", file.read_bytes()


def dkim(path):
    """dkimpy's and mail-dkim's are messages; mail-auth's begin with their DNS records and an empty line."""
    for name, content in plain(path):
        if "/mail-auth/" in name and name.endswith(".txt"):
            content = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[1]
        if "/dkimpy/" in name and not name.endswith((".message", ".msg")):
            continue
        yield name, content


def arc(path):
    """The block scalars called `message` in the YAML files."""
    for file in sorted(path.glob("*.yml")):
        lines = file.read_text().split("\n")
        i = number = 0
        while i < len(lines):
            opened = re.match(r"( +)message: +\|", lines[i])
            i += 1
            if not opened:
                continue
            block = []
            while i < len(lines) and (not lines[i].strip() or len(lines[i]) - len(lines[i].lstrip()) > len(opened.group(1))):
                block.append(lines[i])
                i += 1
            while block and not block[-1].strip():
                block.pop()
            indent = min((len(b) - len(b.lstrip()) for b in block if b.strip()), default=0)
            number += 1
            yield f"{path.name}/{file.name}#{number}", "".join(b[indent:] + "\n" for b in block).encode()


def archived(path):
    for file in sorted(path.glob("*.tar.gz")):
        with tarfile.open(file) as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if not member.isfile() or NO_MAIL.match(Path(name).name):
                    continue
                content = archive.extractfile(member).read()
                if "spamassassin-public" in path.name and content.startswith(b"From "):
                    content = content.split(b"\n", 1)[1]
                yield f"{path.name}/{name}", content


READERS = {
    "mime-messages": listed,
    "bounces": listed,
    "dkim-vectors": dkim,
    "arc-valimail": arc,
    "dmarc-tlsrpt-arf-reports": mails_only,
    **{name: archived for name in ARCHIVES},
}


def unescape(text) -> list:
    r"""A field of the smuggling tables as a list of writes: \r \n \t \v \f \0 \xHH, {A*N}, | between two writes."""
    plain_escapes = {"r": b"\r", "n": b"\n", "t": b"\t", "v": b"\v", "f": b"\f", "0": b"\0", "\\": b"\\"}
    writes, at = [b""], 0
    while at < len(text):
        if text[at] == "\\" and text[at + 1] == "x":
            writes[-1] += bytes([int(text[at + 2:at + 4], 16)])
            at += 4
        elif text[at] == "\\":
            writes[-1] += plain_escapes[text[at + 1]]
            at += 2
        elif text[at] == "|":
            writes.append(b"")
            at += 1
        elif repeated := re.match(r"\{(.)\*(\d+)\}", text[at:]):
            writes[-1] += repeated.group(1).encode() * int(repeated.group(2))
            at += repeated.end()
        else:
            writes[-1] += text[at].encode()
            at += 1
    return writes


def table(name):
    """Rows of a table in smtp-smuggling, each a dict by column."""
    lines = (folder() / "smtp-smuggling" / name).read_text().splitlines()
    head = lines[0].split("\t")
    return [dict(zip(head, line.split("\t"))) for line in lines[1:] if line.strip()]
