"""What other people's libraries say of a message: run by Debian's own Python, which has them (dkimpy, authheaders).
Takes one JSON object on standard input and answers with one; see `ask` for the caller's side."""

import base64
import json
import subprocess
import sys

PYTHON = "/usr/bin/python3"


def ask(verb, zone=None, message=b"", **more):
    """`zone` maps names to a list of TXT texts. The answer as a dictionary."""
    question = {"verb": verb, "zone": zone or {}, "message": base64.b64encode(message).decode(), **more}
    done = subprocess.run([PYTHON, "-I", __file__], input=json.dumps(question), capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise AssertionError(f"{verb}: {done.stderr}")
    return json.loads(done.stdout)


def present() -> bool:
    return subprocess.run([PYTHON, "-I", "-c", "import dkim, authheaders, nacl"], capture_output=True).returncode == 0


def main():
    question = json.load(sys.stdin)
    zone = {name.rstrip(".").lower(): texts for name, texts in question["zone"].items()}

    def text_of(name, timeout=5):
        name = (name.decode() if isinstance(name, bytes) else name).rstrip(".").lower()
        found = zone.get(name)
        return found[0] if found else None

    message = base64.b64decode(question["message"])
    json.dump(VERBS[question["verb"]](question, message, text_of), sys.stdout)


def dkim_verify(_question, message, text_of):
    """One answer per signature, from the top: true or why not."""
    import dkim
    count = sum(1 for name, _ in dkim.rfc822_parse(message)[0] if name.lower() == b"dkim-signature")
    results = []
    for index in range(count):
        try:
            results.append(bool(dkim.DKIM(message).verify(idx=index, dnsfunc=text_of)))
        except dkim.DKIMException as error:
            results.append(str(error))
    return results


def arc_verify(_question, message, text_of):
    import dkim
    cv, sets, reason = dkim.ARC(message).verify(dnsfunc=text_of)
    return {"cv": cv.decode() if cv else None, "reason": reason,
            "sets": [{"instance": s["instance"], "sealed_by": s["as-domain"].decode(), "cv": s["cv"].decode()} for s in sets]}


def authenticate(_question, message, text_of):
    import authheaders
    return authheaders.authenticate_message(message, "other.test", spf=False, dkim=True, arc=False, dmarc=True, dnsfunc=text_of)


def dkim_sign(question, message, _text_of):
    import dkim
    canonicalize = tuple(part.encode() for part in question.get("canonicalize", "relaxed/simple").split("/"))
    signature = dkim.sign(message, question["selector"].encode(), question["domain"].encode(), question["key"].encode(),
                          canonicalize=canonicalize, signature_algorithm=question.get("algorithm", "rsa-sha256").encode())
    return base64.b64encode(signature + message).decode()


def arc_sign(question, message, _text_of):
    import dkim
    sealed = dkim.ARC(message).sign(question["selector"].encode(), question["domain"].encode(), question["key"].encode(),
                                    question["authserv_id"].encode(),
                                    include_headers=[b"from", b"to", b"subject", b"date", b"message-id"])
    return base64.b64encode(b"".join(sealed) + message).decode()


VERBS = {"dkim_verify": dkim_verify, "arc_verify": arc_verify, "authenticate": authenticate, "dkim_sign": dkim_sign,
         "arc_sign": arc_sign}

if __name__ == "__main__":
    main()
