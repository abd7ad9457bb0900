#!/usr/bin/python3
"""Postroad's spam filter beside SpamAssassin, rspamd and bogofilter: the same messages, no network, in one run.

    bench/spam/compare.py --postroad target/release/postroad CORPUS…

A corpus is a directory with index.tsv (file, label, group) and an archive of ham/ and spam/. Each corpus is cut in two
by group, so that no campaign is on both sides; figures are told per corpus, never pooled. Untrained: as installed, and
for Postroad with a base model made without this corpus. Trained: each has learnt one half and is judged by the other,
both ways; Postroad taught as people teach it, and (model) with a base model made of that half and the other corpora, as the one
that ships is made. All programs run in a network namespace of their own.

CPU is that of the filter's own processes. SpamAssassin and rspamd run when the first message comes; of Postroad and
bogofilter, which are started for each run, a run over nothing is taken away (starting, loading the model, learning) and
the figure with it is told beside.
"""
import argparse
import hashlib
import http.client
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
START_PATIENCE = 300  # seconds: on a busy machine rspamd compiles for minutes
# The relays of those who gave the corpora: what they wrote into Received is true.
TRUSTED = ["127.0.0.0/8", "172.31.0.0/16", "23.95.222.152"]


class Message:
    def __init__(self, name, label, group, data):
        self.name, self.label, self.group, self.data = name, label, group, data
        self.path = None
        self.half = hashlib.sha1(group.encode()).digest()[0] & 1


def load(corpus, most):
    """The messages of a corpus, at most so many of each label, in an order that depends on nothing but their names."""
    corpus = Path(corpus)
    rows = [line.split("\t") for line in (corpus / "index.tsv").read_text().splitlines()[1:]]
    index = {row[0]: (row[1], row[2]) for row in rows}
    messages = []
    with tarfile.open(next(corpus.glob("*.tar.gz"))) as archive:
        for member in archive:
            if member.name in index:
                data = archive.extractfile(member).read()
                if data.startswith(b"From "):
                    data = data.partition(b"\n")[2]
                messages.append(Message(member.name, *index[member.name], data))
    messages.sort(key=lambda m: hashlib.sha1(m.name.encode()).digest())
    kept, count = [], {"ham": 0, "spam": 0}
    for message in messages:
        count[message.label] += 1
        if count[message.label] <= most:
            kept.append(message)
    return kept


def spread(messages, root):
    """One file each, below half/label, for the programs that want files."""
    for number, message in enumerate(messages):
        place = root / str(message.half) / message.label
        place.mkdir(parents=True, exist_ok=True)
        message.path = place / f"{number:05}.eml"
        message.path.write_bytes(message.data)


def cpu_of(pids):
    """CPU seconds of processes and of their children that have ended."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def cpu_of_children():
    """CPU seconds of programs that ran and ended, to the microsecond."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def family(pid):
    """A process and all that descend from it."""
    out = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            out += family(int(child))
    return out


def name_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except FileNotFoundError:
        return ""


def wait_for(test, what):
    end = time.monotonic() + START_PATIENCE
    while time.monotonic() < end:
        try:
            if test():
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit(f"{what} did not start")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class SpamAssassin:
    name, threshold = "SpamAssassin", 5.0

    def __init__(self, root, trained):
        self.root = root
        # It works as nobody.
        root.chmod(0o777)
        config = root / "site"
        shutil.copytree("/etc/spamassassin", config, dirs_exist_ok=True)
        rules = ["dns_available no", "skip_rbl_checks 1", "use_razor2 0", "use_pyzor 0", "bayes_auto_learn 0",
                 # Fewer than usual, for the small corpora: in its favour.
                 "bayes_min_spam_num 20", "bayes_min_ham_num 20",
                 f"trusted_networks {' '.join(TRUSTED)}",
                 f"bayes_path {root}/bayes", f"use_bayes {int(trained)}"]
        (config / "zz-compare.cf").write_text("\n".join(rules) + "\n")
        self.socket = str(root / "spamd.sock")
        command = ["/usr/sbin/spamd", "-L", "-x", "--allow-tell", "-m", "2", "--min-children=2", "--min-spare=1",
                   "--max-spare=2", "--siteconfigpath", str(config), "--socketpath", self.socket, "-H", str(root),
                   "-s", str(root / "log")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.ask(b"PING SPAMC/1.5\r\n\r\n"), "spamd")

    def ask(self, request):
        with socket.socket(socket.AF_UNIX) as talk:
            talk.settimeout(300)
            talk.connect(self.socket)
            talk.sendall(request)
            talk.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: talk.recv(65536), b""))

    def score(self, message):
        answer = self.ask(b"CHECK SPAMC/1.5\r\nContent-length: %d\r\n\r\n" % len(message.data) + message.data)
        return float(re.search(rb"; (-?[\d.]+) /", answer).group(1))

    def learn(self, messages):
        for message in messages:
            head = f"TELL SPAMC/1.5\r\nMessage-class: {message.label}\r\nSet: local\r\nContent-length: {len(message.data)}"
            answer = self.ask(head.encode() + b"\r\n\r\n" + message.data)
            assert b" EX_OK" in answer, answer

    def cpu(self):
        return cpu_of(family(self.process.pid))

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Rspamd:
    """Its line is `add header`, where mail goes to the junk folder."""
    name, threshold = "rspamd", 6.0
    offline = ("asn hfilter arc dkim dkim_signing dmarc spf rbl surbl mx_check fuzzy_check url_redirector clickhouse greylist "
               "ratelimit history_redis reputation replies neural rspamd_update milter_headers")

    def __init__(self, root, trained):
        self.root, self.redis = root, None
        local = root / "rspamd/local.d"
        local.mkdir(parents=True)
        (root / "rspamd/override.d").mkdir()
        self.port, self.control = free_port(), free_port()
        (local / "worker-normal.inc").write_text(f'bind_socket = "127.0.0.1:{self.port}"; count = 2;\n')
        (local / "worker-controller.inc").write_text(
            f'bind_socket = "127.0.0.1:{self.control}"; secure_ip = "127.0.0.1"; password = "x"; enable_password = "x";\n')
        (local / "worker-proxy.inc").write_text("enabled = false;\n")
        (local / "options.inc").write_text('dns { nameserver = ["127.0.0.1:9"]; timeout = 0.05s; retransmits = 1; }\n'
                                            f"local_addrs = {json.dumps(TRUSTED)};\n")
        (local / "logging.inc").write_text(f'type = "file"; filename = "{root}/rspamd.log"; level = "error";\n')
        for module in self.offline.split():
            (local / f"{module}.conf").write_text("enabled = false;\n")
        if trained:
            port = free_port()
            self.redis = subprocess.Popen(
                ["redis-server", "--port", str(port), "--save", "", "--dir", str(root)], stdout=subprocess.DEVNULL)
            (local / "redis.conf").write_text(f'servers = "127.0.0.1:{port}";\n')
            # Fewer than usual, for the small corpora: in its favour.
            (local / "classifier-bayes.conf").write_text("min_learns = 20;\n")
        command = ["rspamd", "-f", "-i", "-u", "root", "-g", "root", "-c", "/etc/rspamd/rspamd.conf"]
        for name, path in (("LOCAL_CONFDIR", root / "rspamd"), ("DBDIR", root), ("RUNDIR", root), ("LOGDIR", root)):
            command.append(f"--var={name}={path}")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.post(self.port, "/ping", None, "GET") is not None, "rspamd")

    def post(self, port, path, data, method="POST"):
        talk = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        talk.request(method, path, data, {"Password": "x"})
        answer = talk.getresponse().read()
        talk.close()
        return answer

    def score(self, message):
        return float(json.loads(self.post(self.port, "/checkv2", message.data))["score"])

    def learn(self, messages):
        for message in messages:
            self.post(self.control, "/learnspam" if message.label == "spam" else "/learnham", message.data)

    def cpu(self):
        # Not the process that compiles expressions beside the first messages: in its favour.
        judging = [pid for pid in family(self.process.pid) if "hs_helper" not in name_of(pid)]
        return cpu_of(judging + ([self.redis.pid] if self.redis else []))

    def stop(self):
        self.process.terminate()
        self.process.wait()
        if self.redis:
            self.redis.terminate()
            self.redis.wait()


class Bogofilter:
    """Its line is where it says Spam; what it is unsure of is not caught."""
    name, threshold = "bogofilter", 0.99

    def __init__(self, root, trained):
        self.root, self.used, self.started = root, 0.0, 0.0
        assert trained

    def run(self, *options, stdin=b""):
        before = cpu_of_children()
        done = subprocess.run(["bogofilter", "-C", "-d", str(self.root), *options], input=stdin, stdout=subprocess.PIPE)
        self.used += cpu_of_children() - before
        return done.stdout.decode()

    def learn(self, messages):
        for label, option in (("ham", "-n"), ("spam", "-s")):
            paths = [str(m.path) for m in messages if m.label == label]
            self.run(option, "-b", stdin="\n".join(paths).encode() + b"\n")

    def scores(self, messages):
        before = self.used
        self.run("-b", "-v")
        self.started += self.used - before
        self.used = before
        lines = self.run("-b", "-v", stdin="".join(f"{m.path}\n" for m in messages).encode()).splitlines()
        found = [float(re.search(r"spamicity=([\d.]+)", line).group(1)) for line in lines]
        assert len(found) == len(messages)
        return found

    def cpu(self):
        return self.used

    def stop(self):
        pass


class Postroad:
    """Untrained: a base model without this corpus. Trained: the same, taught the other half as a person would. Its line is
    the usual threshold of the verdict."""
    name, threshold = "Postroad", 3.0

    def __init__(self, program, root, model, others):
        self.program, self.root, self.model, self.lessons = program, root, model, []
        self.used, self.started = 0.0, 0.0
        if not model.exists():
            self.make(others)

    def make(self, corpora):
        subprocess.run([self.program, "spam", "train-base", *corpora, "--out", str(self.model)], check=True,
                       stdout=subprocess.DEVNULL)

    def learn(self, messages):
        self.lessons = ["--teach", str(messages[0].path.parent.parent)]

    def scores(self, messages):
        # Over nothing: what starting costs, with the model, and learning where lessons are taught.
        self.started += self.eval([])[1]
        table, used = self.eval(messages)
        self.used += used
        rows = [line.split("\t") for line in table.splitlines()]
        known = {Path(row[1]).name: float(row[3]) for row in rows[1:]}
        return [known[message.path.name] for message in messages]

    def eval(self, messages):
        place = self.root / "messages"
        shutil.rmtree(place, ignore_errors=True)
        for label in ("ham", "spam"):
            (place / label).mkdir(parents=True)
        for message in messages:
            os.link(message.path, place / message.label / message.path.name)
        table = self.root / "scores.tsv"
        before = cpu_of_children()
        subprocess.run([self.program, "spam", "eval", str(place), "--model", str(self.model), "--scores", str(table),
                        "--json", *self.lessons], check=True, stdout=subprocess.DEVNULL)
        return table.read_text(), cpu_of_children() - before

    def cpu(self):
        return self.used

    def stop(self):
        pass


class Remade(Postroad):
    """As what ships is made: the base model has seen the other half (and the other corpora); nobody taught anything."""

    def __init__(self, program, root, others):
        super().__init__(program, root, root / "remade.model", None)
        self.others = others

    def make(self, corpora):
        """When it is known what to learn."""

    def learn(self, messages):
        super().make([*self.others, str(messages[0].path.parent.parent)])


KINDS = {"postroad": Postroad, "spamassassin": SpamAssassin, "rspamd": Rspamd, "bogofilter": Bogofilter, "remade": Remade}


def scores_of(peer, messages):
    if hasattr(peer, "scores"):
        return peer.scores(messages)
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(peer.score, messages))


def area(ham, spam):
    """The chance that a spam scores higher than a ham."""
    ranked = sorted([(score, 0) for score in ham] + [(score, 1) for score in spam])
    at, wins = 0, 0.0
    seen_ham = 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        hams = sum(1 for _, label in ranked[at:end] if label == 0)
        spams = end - at - hams
        wins += spams * (seen_ham + hams / 2)
        seen_ham += hams
        at = end
    return wins / (len(ham) * len(spam))


def row(corpus, peer, how, results, threshold, cpu, started):
    ham = [score for message, score in results if message.label == "ham"]
    spam = [score for message, score in results if message.label == "spam"]
    caught = sum(score >= threshold for score in spam)
    wrong = sum(score >= threshold for score in ham)
    return {
        "corpus": corpus, "filter": peer, "how": how, "ham": len(ham), "spam": len(spam),
        "caught": caught / len(spam), "false_positives": wrong / len(ham), "false_positives_count": wrong,
        "auc": area(ham, spam), "messages_per_cpu_second": len(results) / (cpu - started) if cpu > started else None,
        "messages_per_cpu_second_with_start": len(results) / cpu if cpu else None,
    }


def judge(make, messages, trained):
    """Every message once, by a filter that has not learnt its half."""
    results, used, started = [], 0.0, 0.0
    for half in ([0, 1] if trained else [None]):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/tmp")) as place:
            os.chmod(place, 0o755)
            peer = make(Path(place), trained)
            try:
                if trained:
                    peer.learn([m for m in messages if m.half != half])
                asked = [m for m in messages if half is None or m.half == half]
                before = peer.cpu()
                results += list(zip(asked, scores_of(peer, asked)))
                used += peer.cpu() - before
                started += getattr(peer, "started", 0.0)
            finally:
                peer.stop()
    return results, used, started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", help="directories with index.tsv and an archive")
    parser.add_argument("--postroad", help="the program, built with --release")
    parser.add_argument("--most", type=int, default=10**9, help="at most so many messages of each label from a corpus")
    parser.add_argument("--only", help="these filters, with commas: postroad, remade, spamassassin, rspamd, bogofilter")
    parser.add_argument("--out", help="all rows as JSON")
    options = parser.parse_args()
    if os.environ.get("POSTROAD_COMPARE_ALONE") != "1":
        # No way out: only loopback.
        os.environ["POSTROAD_COMPARE_ALONE"] = "1"
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$0" "$@"', sys.executable, *sys.argv])
    wanted = options.only.split(",") if options.only else ["postroad", "remade", "spamassassin", "rspamd", "bogofilter"]
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        scratch = Path(scratch)
        for corpus in options.corpora:
            name = Path(corpus).name
            messages = load(corpus, options.most)
            spread(messages, scratch / name)
            others = [other for other in options.corpora if other != corpus]
            model = scratch / f"without-{name}.model"
            makes = {**KINDS, "postroad": lambda root, trained: Postroad(options.postroad, root, model, others),
                     "remade": lambda root, trained: Remade(options.postroad, root, others)}
            for key in wanted:
                if key in ("postroad", "remade") and not options.postroad:
                    continue
                for trained in ([True] if key in ("bogofilter", "remade") else [False, True]):
                    results, cpu, started = judge(makes[key], messages, trained)
                    kind = KINDS[key]
                    how = "model" if key == "remade" else "trained" if trained else "untrained"
                    found = row(name, kind.name, how, results, kind.threshold, cpu, started)
                    rows.append(found)
                    print(f"{found['corpus']:26} {found['filter']:13} {found['how']:10}"
                          f" caught {found['caught']:6.1%}  false positives {found['false_positives']:6.2%}"
                          f" ({found['false_positives_count']} of {found['ham']})  AUC {found['auc']:.4f}"
                          f"  {found['messages_per_cpu_second'] or 0:8.1f} messages per CPU second"
                          f" ({found['messages_per_cpu_second_with_start'] or 0:.1f} with the start)", flush=True)
    if options.out:
        Path(options.out).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
