#!/usr/bin/env python3
"""The farebox ledger command: what it accepts, what it answers, with which exit code; on a small ledger, and on damaged
copies of it.

usage: commands.py BANK_CLIENTS FAREBOX"""
import csv
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from check import Difference, must

OK, FAILED, USAGE, IO = 0, 1, 64, 74
OWNER = "0x" + "01" * 20
NOBODY = "0x" + "77" * 20

# arguments behind "farebox ledger" (DATA: the ledger's directory), exit code, what standard output and error contain
CASES = [
    ([], USAGE, "usage: farebox ledger", ""),
    (["--help"], OK, "trial-balance", ""),
    (["audit", "--help"], OK, "usage: farebox ledger", ""),
    (["destroy"], USAGE, "", "there is no such action"),
    (["audit", "DATA"], USAGE, "", "want: farebox ledger audit"),
    (["audit", "--data"], USAGE, "", '"--data" is wrong here'),
    (["audit", "--data", "DATA", "--data", "DATA"], USAGE, "", '"--data" is wrong here'),
    (["audit", "--limit", "3", "--data", "DATA"], USAGE, "", '"--limit" is wrong here'),
    (["export", "--json", "--data", "DATA"], USAGE, "", '"--json" is wrong here'),
    (["export", "--format", "xml", "--data", "DATA"], USAGE, "", "want csv or jsonl"),
    (["balance", "--data", "DATA"], USAGE, "", "want: farebox ledger balance OWNER"),
    (["balance", "0x12", "--data", "DATA"], USAGE, "", "is no owner"),
    (["balance", "0xAAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "--data", "DATA"], USAGE, "", "is no owner"),
    (["balance", OWNER, "--purpose", "holiday", "--data", "DATA"], USAGE, "", "there is no such purpose"),
    (["balance", OWNER, "--asset", "4294967296", "--data", "DATA"], USAGE, "", "want a number from 0 to 4294967295"),
    (["balance", OWNER, "--at-seq", "0", "--data", "DATA"], USAGE, "", "want a number from 1 to"),
    (["balance", OWNER, "--at-seq", "1", "--at-time", "2026-01-01T00:00:00Z", "--data", "DATA"], USAGE, "", "not both"),
    (["balance", OWNER, "--at-time", "yesterday", "--data", "DATA"], USAGE, "", "want a time like"),
    (["history", OWNER, "--limit", "0", "--data", "DATA"], USAGE, "", "want a number from 1 to 1000"),
    (["history", OWNER, "--limit", "1001", "--data", "DATA"], USAGE, "", "want a number from 1 to 1000"),
    (["history", OWNER, "--cursor", "x", "--data", "DATA"], USAGE, "", "--cursor x: want a number"),
    (["accept", "last", "--data", "DATA"], USAGE, "", "the number of the journal's last batch"),
    (["restore", "DATA"], USAGE, "", "want: farebox ledger restore BACKUP DIR"),
    (["balance", NOBODY, "--data", "DATA"], FAILED, "", "the owner has no such account"),
    (["balance", OWNER, "--at-time", "2001-01-01T00:00:00Z", "--data", "DATA"], FAILED, "", "no such account then"),
    (["history", NOBODY, "--data", "DATA"], FAILED, "", "the owner has no such account"),
    (["accept", "1", "--data", "DATA"], FAILED, "", "there is an anchor already"),
    (["restore", "DATA", "DATA"], FAILED, "", "is not empty"),
    (["audit", "--data", "DATA/none"], IO, "", "cannot open the data directory"),
    (["trial-balance", "--data", "DATA/bulk"], IO, "", "cannot open the records"),
    (["balance", OWNER, "--data", "DATA"], OK, "available", ""),
    (["balance", OWNER[2:], "--data", "DATA"], OK, "available", ""),
    (["balance", OWNER, "--at-time", "2999-12-31T00:00:00Z", "--data", "DATA"], OK, "available", ""),
    (["history", OWNER, "--newest-first", "--limit", "1", "--data", "DATA"], OK, "balance", ""),
    (["trial-balance", "--data", "DATA"], OK, "escrow", ""),
    (["audit", "--data", "DATA"], OK, "The journal and all that was derived from it agree.", ""),
    (["verify", "--data", "DATA"], OK, "The chain is whole.", ""),
]


class Command:
    def __init__(self, farebox, data):
        self.farebox, self.data = farebox, str(data)

    def __call__(self, *args, data=None):
        args = [str(a).replace("DATA", str(data or self.data)) for a in args]
        return subprocess.run([self.farebox, "ledger", *args], capture_output=True, text=True, check=False)


def try_cases(ledger):
    for args, code, out, err in CASES:
        done = ledger(*args)
        must(done.returncode == code and out in done.stdout and err in done.stderr, args, "ended with", done)
        must(code == OK or "--help" in args or not args or done.stderr.count("\n") == 1, args, "said", done.stderr)


def try_forms(ledger):
    """The forms of one answer say the same."""
    lines = [json.loads(line) for line in ledger("export", "--data", "DATA").stdout.splitlines()]
    rows = list(csv.DictReader(ledger("export", "--format", "csv", "--data", "DATA").stdout.splitlines()))
    must(len(lines) == len(rows) > 100, "exports of", len(lines), "and", len(rows), "records")
    for line, row in zip(lines, rows):
        for name, value in row.items():
            want = line.get(name, "")
            want = str(want).lower() if isinstance(want, bool) else str(want)
            must(value == want, "csv", row, "jsonl", line)
    audit = json.loads(ledger("audit", "--json", "--data", "DATA").stdout)
    verify = json.loads(ledger("verify", "--json", "--data", "DATA").stdout)
    must(audit["ok"] and verify["ok"] and audit["records"] == verify["records"] == len(lines), audit, verify)
    return audit


def pages(ledger, *args):
    """All of a history, in pages of seven."""
    found, cursor = [], []
    while True:
        done = ledger("history", OWNER, "--limit", "7", "--json", "--data", "DATA", *cursor, *args)
        must(done.returncode == OK, done)
        page = json.loads(done.stdout)
        if not page:
            return found
        found += page
        cursor = ["--cursor", page[-1]["seq"]]


def try_pages(ledger):
    forwards, backwards = pages(ledger), pages(ledger, "--newest-first")
    must(forwards == backwards[::-1] and len(forwards) > 7, "the history is not the same both ways")
    then = json.loads(ledger("balance", OWNER, "--asset", 1, "--purpose", "available", "--at-seq", forwards[4]["seq"],
                             "--json", "--data", "DATA").stdout)
    must(then[0]["balance"] == forwards[4]["balance"], "the balance then", then, "is not the history's", forwards[4])


def try_without_anchor(ledger, place, last):
    data = place / "unanchored"
    shutil.copytree(ledger.data, data)
    (data / "anchor").unlink()
    audit = ledger("audit", "--json", "--data", "DATA", data=data)
    must(audit.returncode == FAILED and json.loads(audit.stdout)["check"] == "anchor", audit)
    wrong = ledger("accept", last - 1, "--data", "DATA", data=data)
    must(wrong.returncode == FAILED and f"the records end with batch {last}" in wrong.stderr, wrong)
    right = ledger("accept", last, "--data", "DATA", data=data)
    must(right.returncode == OK and "is accepted" in right.stdout, right)
    must(ledger("audit", "--data", "DATA", data=data).returncode == OK, "the accepted ledger fails the audit")


def try_short_journal(ledger, place):
    """A log that lost its end, which RocksDB does not notice."""
    data = place / "short"
    shutil.copytree(ledger.data, data)
    log = max((data / "rows").glob("*.log"), key=lambda path: path.name)
    with open(log, "r+b") as f:
        f.truncate(log.stat().st_size - 5)
    for action in ("verify", "audit"):
        done = ledger(action, "--json", "--data", "DATA", data=data)
        finding = json.loads(done.stdout)
        must(done.returncode == FAILED and not finding["ok"] and finding["check"] == "anchor", done)
        must(finding["sentence"] in done.stderr and finding["found"] != finding["expected"], done)


def main(bank, farebox):
    with tempfile.TemporaryDirectory(prefix="farebox-commands-") as place:
        place = pathlib.Path(place)
        (place / "logs").mkdir()
        subprocess.run([bank, place / "data", place / "logs", "3000", "1", "1"], check=True, stdout=subprocess.DEVNULL)
        ledger = Command(farebox, place / "data")
        try_short_journal(ledger, place)  # first: whoever opens the ledger empties its log
        try_cases(ledger)
        audit = try_forms(ledger)
        try_pages(ledger)
        try_without_anchor(ledger, place, audit["batches"] - 1)
    print(f"{len(CASES)} command lines, exports, pages and damaged ledgers: as they should be")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Difference as difference:
        sys.exit(f"commands: {difference}")
