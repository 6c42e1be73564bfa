#!/usr/bin/env python3
"""Many clients, one ledger: afterwards every answer is compared with the journal by a second, independent reading.

Runs bank_clients (bank.c), then the farebox command: audit, export, balance, trial-balance.
50,000 operations; a million with FB_TEST_FULL=1.

usage: bank.py BANK_CLIENTS FAREBOX      (FB_TEST_SEED: other operations)"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from check import Difference, Logs, check_all, must

OPS = 1000000 if os.environ.get("FB_TEST_FULL") == "1" else 50000
RUNS = 3  # one after the other on the same ledger, so that it starts from what is stored
# Each of them must have happened, or the run has tested nothing.
STATUSES = ("ok", "existed", "insufficient_funds", "hold_expired", "hold_ended", "hold_too_small", "not_found",
            "reversed_already", "id_reused", "id_failed_before", "linked_operation_failed", "zero_amount",
            "same_account", "bad_value")


def run(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False)
    must(done.returncode == 0, args, "ended with", done.returncode, done.stdout[-500:], done.stderr[-500:])
    return done.stdout


def run_clients(bank, data, logs, seed):
    logs.mkdir()
    for number in range(1, RUNS + 1):
        run(bank, data, logs, OPS // RUNS, seed + number, number)


def export(farebox, data):
    with subprocess.Popen([farebox, "ledger", "export", "--data", data], stdout=subprocess.PIPE, text=True) as p:
        records = [json.loads(line) for line in p.stdout]
    must(p.returncode == 0, "the export ended with", p.returncode)
    return records


def compare_balances(farebox, data, model):
    for owner in sorted({key[0] for key in model.accounts}):
        found = json.loads(run(farebox, "ledger", "balance", owner, "--data", data, "--json"))
        for row in found:
            key = (row["owner"], row["asset"], row["purpose"])
            account = model.accounts[key]
            must((account.number, *account.state(), account.last) == (
                row["account"], int(row["debits_posted"]), int(row["debits_pending"]), int(row["credits_posted"]),
                row["last_seq"]), "balance:", row, "should be", account.__dict__)
            must(int(row["balance"]) == account.credits - account.debits - account.pending, "balance:", row)
        must(len(found) == sum(key[0] == owner for key in model.accounts), "balance: accounts of", owner, "are missing")


def compare_totals(farebox, data, model):
    for row in json.loads(run(farebox, "ledger", "trial-balance", "--data", data, "--json")):
        accounts = [a for key, a in model.accounts.items()
                    if key[1] == row["asset"] and row["purpose"] in (key[2], "total")]
        must((len(accounts), sum(a.debits for a in accounts), sum(a.pending for a in accounts),
              sum(a.credits for a in accounts)) == (row["accounts"], int(row["debits_posted"]),
                                                    int(row["debits_pending"]), int(row["credits_posted"])),
             "trial balance:", row)
        must(row["purpose"] != "total" or row["debits_posted"] == row["credits_posted"], "money was made:", row)


def main(bank, farebox):
    with tempfile.TemporaryDirectory(prefix="farebox-bank-") as place:
        data, logs = pathlib.Path(place, "data"), pathlib.Path(place, "logs")
        run_clients(bank, data, logs, int(os.environ.get("FB_TEST_SEED", "1")))
        audit = json.loads(run(farebox, "ledger", "audit", "--data", data, "--json"))
        told = Logs(sorted(logs.iterdir()))
        records = export(farebox, data)
        replay = check_all(records, told)
        compare_balances(farebox, data, replay.model)
        compare_totals(farebox, data, replay.model)
    must(audit["records"] == len(records) and audit["accounts"] == len(replay.model.accounts) and
         audit["open_holds"] == len(replay.model.holds) and audit["derived_rows"] > 0, "the audit counted", audit)
    missing = [status for status in STATUSES if told.statuses[status] == 0]
    must(not missing and replay.expired > 0, "never happened:", missing, "or no hold expired")
    print(f"{told.ops} operations, {told.reads} reads, {len(records)} records, {replay.expired} holds expired, "
          f"{len(replay.model.accounts)} accounts: every answer agrees with the journal")
    print(", ".join(f"{status} {count}" for status, count in told.statuses.most_common()))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Difference as difference:
        sys.exit(f"bank: {difference}")
