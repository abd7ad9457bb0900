"""A Postfix of a test, self-contained on loopback ports, as another mail host of the world."""

import os
import pwd
import subprocess
import time
from pathlib import Path

from .server import free_port

os.environ["PATH"] += ":/usr/sbin:/sbin"

SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 1 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


def installed() -> bool:
    return any(Path(d, "postfix").exists() for d in ("/usr/sbin", "/sbin", "/usr/bin"))


class Postfix:
    """Keeps mail for `user@domain` in maildirs; sends mail for `elsewhere` to a port on loopback."""

    def __init__(self, directory, domain, elsewhere=None, settings="", users=("pat",)):
        self.home = Path(directory) / "postfix"
        self.domain = domain
        self.port = free_port()
        for part in ("etc", "spool", "data", "mail"):
            (self.home / part).mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o755)
        owner = pwd.getpwnam("postfix")
        os.chown(self.home / "data", owner.pw_uid, owner.pw_gid)
        os.chown(self.home / "mail", owner.pw_uid, owner.pw_gid)
        etc = self.home / "etc"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
                        "-subj", f"/CN=mx.{domain}", "-keyout", etc / "key.pem", "-out", etc / "cert.pem"],
                       check=True, capture_output=True)
        (etc / "main.cf").write_text(f"""\
compatibility_level = 3.6
queue_directory = {self.home}/spool
data_directory = {self.home}/data
maillog_file = {self.home}/log
maillog_file_prefixes = {self.home}
myhostname = mx.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {self.home}/mail
virtual_mailbox_maps = texthash:{etc}/mailboxes
virtual_uid_maps = static:{owner.pw_uid}
virtual_gid_maps = static:{owner.pw_gid}
virtual_minimum_uid = 1
virtual_transport = virtual
transport_maps = regexp:{etc}/transport
default_transport = error:5.4.4 nothing leaves this machine
relay_transport = error:5.4.4 nothing leaves this machine
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = {etc}/cert.pem
smtpd_tls_key_file = {etc}/key.pem
smtp_tls_security_level = may
smtp_tls_loglevel = 1
smtpd_peername_lookup = no
message_size_limit = 60000000
mailbox_size_limit = 0
virtual_mailbox_limit = 0
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
{settings}
""")
        (etc / "master.cf").write_text(SERVICES.format(port=self.port))
        (etc / "mailboxes").write_text("".join(f"{user}@{domain} {user}/\n" for user in users))
        transport = "".join(f"/@{d.replace('.', chr(92) + '.')}$/ smtp:[127.0.0.1]:{p}\n" for d, p in (elsewhere or {}).items())
        (etc / "transport").write_text(transport)
        self.run("start")
        self.up = True
        for _ in range(100):
            try:
                import socket
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("postfix does not listen: " + self.log())

    def run(self, verb):
        done = subprocess.run(["postfix", "-c", self.home / "etc", verb], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(f"postfix {verb}: {done.stderr}\n{self.log()}")

    def log(self) -> str:
        try:
            return (self.home / "log").read_text(errors="replace")
        except OSError:
            return ""

    def letters(self, user) -> list:
        return [f.read_bytes() for f in sorted((self.home / "mail" / user / "new").glob("*"))]

    def wait_for(self, user, count, within=60.0):
        end = time.monotonic() + within
        while time.monotonic() < end:
            if len(self.letters(user)) >= count:
                return self.letters(user)
            time.sleep(0.1)
        raise AssertionError(f"postfix has {len(self.letters(user))} letters for {user}, wanted {count}\n{self.log()[-3000:]}")

    def close(self):
        if getattr(self, "up", False):
            self.up = False
            self.run("stop")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
