#!/usr/bin/env python3
"""Backups while clients work, a sudden death, and what is left.

While bank_clients (bank.c) writes to a ledger without end, backups are made and audits run beside it. Then it is
killed. Every backup must hold all that was acknowledged before it began, and pass the audit once restored; the ledger
that was killed must open again with everything acknowledged; and work must go on in both.
3 deaths; 10 with FB_TEST_FULL=1, of longer lives.

usage: backup.py BANK_CLIENTS FAREBOX      (FB_TEST_SEED: other operations)"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from bank import export, run
from check import Difference, must

FULL = os.environ.get("FB_TEST_FULL") == "1"
DEATHS = 10 if FULL else 3
BACKUPS, AFTERWARDS = 2, 2000  # backups in a life; operations after it
BETWEEN = 40 << 20 if FULL else 1  # bytes of the clients' logs, from one backup to the next
WAIT_S = 300


def acknowledged(logs):
    """seq: id, of all that clients were told was done or refused, in whole lines of their logs."""
    told = {}
    for path in logs.glob("*.jsonl"):
        for line in path.read_text(encoding="ascii").splitlines(keepends=True):
            if not line.endswith("\n") or '"ops"' not in line:
                continue
            for op in json.loads(line)["ops"]:
                if op["seq"] != 0 and op["kind"] != "account":
                    told[op["seq"]] = op["id"]
    return told


def must_hold(farebox, data, told, what):
    records = {r["seq"]: r.get("id") for r in export(farebox, data)}
    lost = [seq for seq, op_id in told.items() if records.get(seq) != op_id]
    must(not lost, what, "lacks", len(lost), "of", len(told), "acknowledged operations, from", min(lost, default=0))
    return len(records)


def wait_for_work(logs):
    """Until clients were told more than before."""
    end, before = time.monotonic() + WAIT_S, size_of(logs)
    while size_of(logs) < before + BETWEEN:
        must(time.monotonic() < end, "the clients do nothing")
        time.sleep(0.05)


def size_of(logs):
    return sum(path.stat().st_size for path in logs.iterdir())


def make_backups(farebox, data, logs, place):
    """Each with what was acknowledged before it began."""
    backups = []
    for number in range(BACKUPS):
        wait_for_work(logs)
        told, target = acknowledged(logs), place / f"backup-{number}"
        made = json.loads(run(farebox, "ledger", "backup", target, "--data", data, "--json"))
        must(made["ok"], made)
        audit = json.loads(run(farebox, "ledger", "audit", "--data", data, "--json"))
        must(audit["records"] >= made["records"], "the audit beside the server sees less than the backup before it")
        backups.append((target, told))
    refused = subprocess.run([farebox, "ledger", "backup", backups[0][0], "--data", data], check=False,
                             capture_output=True)
    must(refused.returncode == 1, "a backup over a backup ended with", refused.returncode)
    return backups


def restore(farebox, backup, told, target):
    restored = json.loads(run(farebox, "ledger", "restore", backup, target, "--json"))
    must(restored["ok"], restored)
    must(must_hold(farebox, target, told, "a backup") == restored["records"], "the restored records are others")
    again = subprocess.run([farebox, "ledger", "restore", backup, target], check=False, capture_output=True, text=True)
    must(again.returncode == 1 and "is not empty" in again.stderr, "a restore into a ledger ended with", again)


def one_life(bank, farebox, place, seed, dice):
    data, logs = place / "data", place / "logs"
    logs.mkdir(parents=True)
    with subprocess.Popen([bank, data, logs, "0", str(seed), "1"], stdout=subprocess.DEVNULL) as clients:
        try:
            backups = make_backups(farebox, data, logs, place)
            time.sleep(dice.random() / 5)
            must(clients.poll() is None, "the clients ended by themselves")
        finally:
            clients.kill()
    told = acknowledged(logs)
    must(len(told) > len(backups[-1][1]), "nothing happened after the last backup")
    for number, (backup, before) in enumerate(backups):
        restore(farebox, backup, before, place / f"restored-{number}")
    go_on(bank, farebox, data, told, place, "the killed ledger")
    go_on(bank, farebox, place / "restored-0", backups[0][1], place, "the restored ledger")
    return [len(before) for _, before in backups] + [len(told)]


def go_on(bank, farebox, data, told, place, what):
    logs = place / f"logs-after-{data.name}"
    logs.mkdir()
    run(bank, data, logs, AFTERWARDS, 1, 2)
    audit = json.loads(run(farebox, "ledger", "audit", "--data", data, "--json"))
    must(audit["records"] == must_hold(farebox, data, {**told, **acknowledged(logs)}, what), what, audit)


def main(bank, farebox):
    seed = int(os.environ.get("FB_TEST_SEED", "1"))
    for life in range(DEATHS):
        with tempfile.TemporaryDirectory(prefix="farebox-backup-") as place:
            counts = one_life(bank, farebox, pathlib.Path(place), seed + life, random.Random(seed + life))
        print(f"life {life + 1}: acknowledged before backups {counts[:-1]}, at the end {counts[-1]}: nothing is lost")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Difference as difference:
        sys.exit(f"backup: {difference}")
