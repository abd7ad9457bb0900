"""Other implementations believe what we sign and seal, and we believe theirs: OpenDKIM, dkimpy, authheaders, Mail::DKIM."""

import base64
import re
import subprocess

from lib import foreign
from lib.dns import Dns
from lib.milter import OpenDkim
from lib.runner import need, need_program
from lib.server import Postroad
from lib.sink import Sink
from lib.talk import Imap, Smtp

LETTER = (b"From: Ann Other <ann@remote.test>\r\nTo: bob@example.test\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n"
          b"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%s@remote.test>\r\nMIME-Version: 1.0\r\n"
          b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
          b"Hello,\r\n\r\nthis line ends  with  spaces  \r\n.and this begins with a dot\r\ngr\xc3\xbc\xc3\x9fe\r\n\r\n\r\n")


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def rsa_key():
    """(PEM, the record of its public half)."""
    pem = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    public = openssl("pkey", "-pubout", "-outform", "DER", data=pem)
    return pem.decode(), "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()


def ed25519_key():
    """(PEM, seed in base64 as dkimpy wants it, the record)."""
    pem = openssl("genpkey", "-algorithm", "ED25519")
    private = openssl("pkey", "-outform", "DER", data=pem)
    public = openssl("pkey", "-pubout", "-outform", "DER", data=pem)
    return pem.decode(), base64.b64encode(private[-32:]).decode(), "v=DKIM1; k=ed25519; p=" + base64.b64encode(public[-32:]).decode()


def published(server):
    """What `dns show` wishes to have published, as TXT name to text."""
    wishes = server.json("dns", "show", server.domain)
    records = wishes["records"] if isinstance(wishes, dict) else wishes
    return {r["name"]: r["value"] for r in records if r["type"] == "TXT"}


def unfolded(message, name):
    """The values of a field, unfolded, from the top."""
    head = re.sub(rb"\r\n[ \t]+", b" ", message.split(b"\r\n\r\n", 1)[0]).decode(errors="replace")
    return [line.split(":", 1)[1].strip() for line in head.split("\r\n") if line.lower().startswith(name.lower() + ":")]


def served(directory, zone=None, extra=""):
    """A server whose mail leaves by a sink and whose DNS is a table."""
    sink = Sink()
    dns = Dns(zone or {})
    settings = f'[dns]\nresolvers = ["127.0.0.1:{dns.port}"]\n[outbound]\nrelay = "smtp://127.0.0.1:{sink.port}"\n{extra}'
    return Postroad(directory / "here", extra=settings), sink, dns


def submit(server, recipient="x@elsewhere.test"):
    smtp = Smtp(server.port("submission")).hello().secure().log_in(server.address("alice"), server.password)
    smtp.deliver(server.address("alice"), recipient, LETTER.replace(b"ann@remote.test", b"alice@example.test") % b"ours")
    smtp.close()


def arrive(server, message, sender="ann@remote.test", helo="mail.remote.test", recipient=None):
    """Delivers to port 25 and gives back what is stored for bob: (mailbox, bytes)."""
    before = {box: Imap(server.port("imaps"), server.address("bob"), server.password).count(box) for box in ("INBOX", "Junk")}
    smtp = Smtp(server.port("smtp")).hello(helo)
    smtp.deliver(sender, recipient or server.address("bob"), message)
    smtp.close()
    imap = Imap(server.port("imaps"), server.address("bob"), server.password)
    box = next(box for box in before if imap.count(box) > before[box])
    return box, list(imap.bodies(box))[-1]


def test_others_verify_our_signatures(directory):
    need(foreign.present(), "python3-dkim, python3-nacl or python3-authheaders is not installed")
    server, sink, _ = served(directory)
    with server:
        submit(server)
        sent = sink.wait_for(1)[0].content
        zone = published(server)
        texts = {name: [text] for name, text in zone.items()}
        assert foreign.ask("dkim_verify", texts, sent) == [True, True], foreign.ask("dkim_verify", texts, sent)
        said = foreign.ask("authenticate", texts, sent)
        assert "dmarc=pass" in said.replace("\r\n", ""), said
        spoiled = foreign.ask("dkim_verify", texts, sent.replace(b"Hello", b"Hallo"))
        assert True not in spoiled, spoiled
        need_program("opendkim")
        with OpenDkim(directory / "opendkim", zone) as theirs:
            seen, word = theirs.filter(sent, "alice@example.test", "x@elsewhere.test")
            results = " ".join(unfolded(seen, "Authentication-Results"))
            assert word in "ca" and results.count("dkim=pass") == 2, results


def test_mail_dkim_verifies_our_signatures(directory):
    need_program("perl")
    need(subprocess.run(["perl", "-MMail::DKIM::Verifier", "-e1"], capture_output=True).returncode == 0, "libmail-dkim-perl is not installed")
    server, sink, _ = served(directory)
    with server:
        submit(server)
        sent = sink.wait_for(1)[0].content
        zone = directory / "zone"
        zone.write_text("".join(f"{name}\t{text}\n" for name, text in published(server).items()))
        script = r"""
            use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS;
            my %zone; open(my $f, '<', $ARGV[0]); while (<$f>) { chomp; my ($n, $t) = split /\t/; $zone{$n} = $t; }
            package Fake; sub new { bless {} } sub errorstring { 'NXDOMAIN' }
            sub send { my ($s, $n, $t) = @_; my $p = Net::DNS::Packet->new($n, $t);
                $p->push(answer => Net::DNS::RR->new(name => $n, type => 'TXT', txtdata => [$zone{$n} =~ /(.{1,250})/gs])) if $zone{$n}; $p }
            package main; Mail::DKIM::DNS::resolver(Fake->new);
            my $v = Mail::DKIM::Verifier->new; local $/; binmode STDIN; $v->PRINT(<STDIN>); $v->CLOSE;
            print join(',', map { $_->result } $v->signatures), "\n";
        """
        done = subprocess.run(["perl", "-e", script, zone], input=sent, capture_output=True)
        results = done.stdout.decode().strip().split(",")
        # Older releases of Mail::DKIM do not know ed25519; the RSA signature must hold for all.
        assert results.count("pass") >= 1 and "fail" not in results, (results, done.stderr)


def test_we_verify_theirs(directory):
    need(foreign.present(), "python3-dkim, python3-nacl or python3-authheaders is not installed")
    rsa_pem, rsa_record = rsa_key()
    ed_pem, ed_seed, ed_record = ed25519_key()
    zone = {("r._domainkey.remote.test", "TXT"): [rsa_record], ("e._domainkey.remote.test", "TXT"): [ed_record],
            ("_dmarc.remote.test", "TXT"): ["v=DMARC1; p=reject"], ("remote.test", "TXT"): ["v=spf1 -all"],
            ("remote.test", "MX"): ["10 mail.remote.test"], ("mail.remote.test", "A"): ["127.0.0.1"],
            ("1.0.0.127.in-addr.arpa", "PTR"): ["mail.remote.test"]}
    server, _, _ = served(directory, zone)
    with server:
        count = 0
        for canonicalize in ("relaxed/relaxed", "simple/simple", "relaxed/simple", "simple/relaxed"):
            for algorithm, selector, key in (("rsa-sha256", "r", rsa_pem), ("ed25519-sha256", "e", ed_seed)):
                count += 1
                signed = base64.b64decode(foreign.ask("dkim_sign", None, LETTER % b"%d" % count, selector=selector, domain="remote.test",
                                                      key=key, canonicalize=canonicalize, algorithm=algorithm))
                box, kept = arrive(server, signed)
                results = unfolded(kept, "Authentication-Results")
                assert len(results) == 1, results
                for word in ("dkim=pass", f"header.s={selector}", "dmarc=pass", "spf=fail", "iprev=pass"):
                    assert word in results[0], (canonicalize, algorithm, word, results)
                assert box == "INBOX", box
        # What was changed on the way says so, and the domain's policy is heard.
        box, kept = arrive(server, signed.replace(b"Hello,", b"Hallo,"))
        assert "dkim=fail" in unfolded(kept, "Authentication-Results")[0] and "dmarc=fail" in unfolded(kept, "Authentication-Results")[0]
        assert box == "Junk", box


def test_we_verify_opendkim(directory):
    need_program("opendkim", "openssl")
    pem, record = rsa_key()
    zone = {("od._domainkey.remote.test", "TXT"): [record], ("_dmarc.remote.test", "TXT"): ["v=DMARC1; p=none"]}
    server, _, _ = served(directory, zone)
    with server, OpenDkim(directory / "opendkim", {}, "remote.test", "od", pem) as theirs:
        signed, _ = theirs.filter(LETTER % b"od", "ann@remote.test", "bob@example.test")
        assert b"DKIM-Signature" in signed, signed
        _, kept = arrive(server, signed)
        results = unfolded(kept, "Authentication-Results")[0]
        assert "dkim=pass" in results and "dmarc=pass" in results, results


def test_seals_are_believed_both_ways(directory):
    """A message signed and sealed elsewhere comes in, is forwarded, and dkimpy believes our seal upon theirs."""
    need(foreign.present(), "python3-dkim, python3-nacl or python3-authheaders is not installed")
    pem, record = rsa_key()
    zone = {("r._domainkey.remote.test", "TXT"): [record], ("_dmarc.remote.test", "TXT"): ["v=DMARC1; p=reject"]}
    server, sink, _ = served(directory, zone)
    with server:
        server.cli("alias", "add", server.address("carol"), "carol@elsewhere.test")
        signed = base64.b64decode(foreign.ask("dkim_sign", None, LETTER % b"arc", selector="r", domain="remote.test", key=pem,
                                              canonicalize="relaxed/relaxed"))
        texts = {name: [text] for name, text in published(server).items()} | {"r._domainkey.remote.test": [record]}
        plain = smtp_in(server, signed, sink, 1)
        said = foreign.ask("arc_verify", texts, plain)
        assert said["cv"] == "pass" and [s["sealed_by"] for s in said["sets"]] == ["example.test"], said
        assert foreign.ask("dkim_verify", texts, plain) == [True], "the author's signature survives, and ours is not added"

        noted = b"Authentication-Results: remote.test; dkim=pass header.d=remote.test; arc=none\r\n" + signed
        sealed = base64.b64decode(foreign.ask("arc_sign", None, noted, selector="r", domain="remote.test", key=pem, authserv_id="remote.test"))
        assert sealed.count(b"ARC-Seal") == 1, sealed[:2000]
        twice = smtp_in(server, sealed, sink, 2)
        said = foreign.ask("arc_verify", texts, twice)
        assert said["cv"] == "pass" and [s["sealed_by"] for s in said["sets"]] == ["example.test", "remote.test"], said
        _, kept = arrive(server, sealed)
        assert "arc=pass" in unfolded(kept, "Authentication-Results")[0], unfolded(kept, "Authentication-Results")
        _, kept = arrive(server, sealed.replace(b"Hello,", b"Hallo,"))
        assert "arc=fail" in unfolded(kept, "Authentication-Results")[0], unfolded(kept, "Authentication-Results")


def smtp_in(server, message, sink, count):
    smtp = Smtp(server.port("smtp")).hello("mail.remote.test")
    smtp.deliver("ann@remote.test", server.address("carol"), message)
    smtp.close()
    letter = sink.wait_for(count)[-1]
    assert letter.sender.lower().startswith("srs0=") and letter.sender.endswith("@example.test"), letter.sender
    return letter.content
