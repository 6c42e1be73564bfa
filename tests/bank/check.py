"""Compares a journal with what every client was told: replays the exported records in their order through the model.

Every record must be what some client's submission makes at that place and at that time (or a hold that expires), and
that client must have been told exactly that; every submission without a record must have had no effect; every read
must show the account as it was. Raises Difference at the first thing that is not so."""
import bisect
import collections
import datetime
import json

from model import Model, content_of, form_of, key_of

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
RESULT = ("status", "existed", "first", "seq")


class Difference(Exception):
    pass


def must(condition, *what):
    if not condition:
        raise Difference(" ".join(str(w) for w in what))


def time_us(text):
    return (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // datetime.timedelta(microseconds=1)


# ---- what the clients wrote down -----------------------------------------------------------------------------------

class Logs:
    def __init__(self, paths):
        self.submissions, self.made_by = [], {}  # made_by: seq of a record: the submission that was told of it
        self.balances, self.balances_at = collections.defaultdict(list), collections.defaultdict(list)
        self.statuses = collections.Counter()
        self.reads, self.ops, self.fresh = 0, 0, []
        for path in paths:
            self.read_log(path)

    def read_log(self, path):
        known = 0  # the newest seq that this client was told
        with open(path, encoding="ascii") as lines:
            for line in lines:
                if not line.endswith("\n"):
                    break  # a client that was killed
                entry = json.loads(line)
                if "read" in entry:
                    self.take_read(entry, known)
                else:
                    known = max(known, self.take_submission(entry))

    def take_submission(self, s):
        must(s["status"] == "ok", "a submission was answered", s["status"])
        s["checked"] = False
        self.submissions.append(s)
        newest = 0
        for op in s["ops"]:
            self.ops += 1
            self.statuses["existed" if op["existed"] else op["status"]] += 1
            newest = max(newest, op["seq"])
            if op["seq"] != 0 and not op["existed"] and op["status"] != "id_failed_before":
                must(op["seq"] not in self.made_by, "two operations were told of record", op["seq"])
                self.made_by[op["seq"]] = s
        return newest

    def take_read(self, r, known):
        self.reads += 1
        account = key_of(r["account"])
        if r["read"] == "balance_at":
            self.balances_at[r["seq"]].append((account, r))
            return
        self.fresh.append((account, r.get("last_seq", 0), known))
        if r["status"] == "ok":
            self.balances[r["last_seq"]].append((account, r))


# ---- the journal ---------------------------------------------------------------------------------------------------

def expected_of(record, model):
    """The exported record in the model's words."""
    out = {"kind": record["kind"], "seq": record["seq"]}
    for name in ("debit", "credit"):
        if name in record:
            out[name] = record[name]
    for name in ("amount", "held"):
        if name in record:
            out[name] = int(record[name])
    if record["kind"] == "account":
        return {**out, "owner": record["owner"], "asset": record["asset"], "purpose": record["purpose"],
                "below": record["may_go_below_zero"]}
    if "ref" in record:
        out["ref"] = record["ref"]
    if record["kind"] != "refuse":
        out["asset"] = record["asset"]
    else:
        out["refused"] = record["refused"]
    if record["kind"] == "hold":
        out["expires_us"] = time_us(record["expires"]) if "expires" in record else 0
    if record["kind"] != "expire":
        out.update(id=record["id"], code=record.get("code", 0), user=record.get("user", "0"))
    return out


class Replay:
    def __init__(self, records, logs):
        self.records, self.logs, self.model, self.expired = records, logs, Model(), 0

    def run(self):
        at = 0
        while at < len(self.records):
            first = self.records[at]
            must(first["seq"] == at + 1, "record", first["seq"], "stands at", at + 1)
            self.model.begin(first["seq"], time_us(first["time"]))
            before = self.states_asked_for(at)
            submission = None if first["kind"] == "expire" else self.submission_at(at)
            results = self.expire(first) if submission is None else self.model.run_chain(submission["ops"])
            at += self.compare_records(at)
            if submission is not None:
                self.compare_results(submission, results)
            self.compare_reads(first["seq"], before)

    def submission_at(self, at):
        while at < len(self.records) and self.records[at]["seq"] not in self.logs.made_by:
            must(self.records[at]["kind"] == "account", "nobody was told of record", self.records[at])
            at += 1
        must(at < len(self.records), "nobody was told of the last records")
        submission = self.logs.made_by[self.records[at]["seq"]]
        must(not submission["checked"], "records of one submission stand apart:", self.records[at])
        return submission

    def expire(self, record):
        must(record["ref"] in self.model.holds, "an unknown hold expires:", record)
        must(self.model.expire(record["ref"]) is not None, "a hold expires early:", record)
        self.expired += 1

    def compare_records(self, at):
        made = self.model.records
        must(len(made) > 0, "a record that should not be there:", self.records[at])
        must(at + len(made) <= len(self.records), "the journal lacks records from", self.records[at]["seq"], "on")
        for i, record in enumerate(made):
            found = expected_of(self.records[at + i], self.model)
            must(found == record, "record", found, "should be", record)
            must(self.records[at + i].get("linked", False) ==
                 (i + 1 < len(made) and record["kind"] != "refuse"), "linked is wrong:", found)
        return len(made)

    @staticmethod
    def compare_results(submission, results):
        submission["checked"] = True
        for op, result in zip(submission["ops"], results):
            told = {name: op[name] for name in RESULT}
            must(told == result, "a client was told", told, "instead of", result, "of", op)

    # ---- reads ----------------------------------------------------------------------------------------------

    def state(self, account):
        found = self.model.accounts.get(account)
        return None if found is None else (found.last, found.state())

    def states_asked_for(self, at):
        """Before the chain at this place: its records may be asked for one by one, and stand for its end."""
        return {(seq, account): self.state(account)
                for seq in self.seqs_of_chain(at) for account, _ in self.logs.balances_at.get(seq, ())}

    def seqs_of_chain(self, at):
        while self.records[at]["linked"]:
            yield self.records[at]["seq"]
            at += 1
        yield self.records[at]["seq"]
        # Refusals of one chain are records of their own.
        while at + 1 < len(self.records) and self.records[at + 1]["kind"] == self.records[at]["kind"] == "refuse":
            at += 1
            yield self.records[at]["seq"]

    def compare_reads(self, first, before):
        for seq in range(first, self.model.seq):
            for account, read in self.logs.balances.pop(seq, ()):
                self.compare_read(read, self.state(account))
            for account, read in self.logs.balances_at.pop(seq, ()):
                seqs = self.model.lines.get(account, [])
                newest = bisect.bisect_right(seqs, seq) - 1
                if newest >= 0 and seqs[newest] >= first:
                    self.compare_read(read, (seqs[newest], self.state(account)[1]))
                else:
                    self.compare_read(read, before[seq, account] if (seq, account) in before else self.state(account))

    @staticmethod
    def compare_read(read, state):
        if read["status"] == "not_found":
            must(state is None, "no account was found:", read, "but there was", state)
            return
        found = (read["last_seq"], tuple(int(read[n]) for n in ("debits_posted", "debits_pending", "credits_posted")))
        must(found == state, "a read", read, "should have been", state)


# ---- what left no record -------------------------------------------------------------------------------------------

def check_without_effect(submission, model):
    ops = submission["ops"]
    forms = [form_of(op) for op in ops]
    if any(forms):
        return [op["status"] for op in ops] == [
            form if form and not any(forms[:i]) else "linked_operation_failed" for i, form in enumerate(forms)]
    return all(is_without_effect(op, ops, model) for op in ops)


def is_without_effect(op, ops, model):
    if op["kind"] == "account":
        account = model.accounts.get(key_of(op["debit"]))
        if op["status"] == "linked_operation_failed":
            return len(ops) > 1
        return account is not None and op["seq"] == 0 and (
            (op["status"], op["existed"], True) == ("ok", True, account.below == op["below"]) or
            (op["status"], account.below == op["below"]) == ("id_reused", False))
    fact = model.facts.get(op["id"])
    if fact is None:
        return False
    same = fact.content == content_of(op)
    if op["status"] == "ok":
        return op["existed"] and same and not fact.refused and fact.seq == op["seq"]
    if op["status"] == "id_reused":
        return not same
    if op["status"] == "id_failed_before":
        return same and fact.refused == op["first"] and fact.seq == op["seq"]
    return op["status"] == "linked_operation_failed" and len(ops) > 1


def check_fresh(logs, model):
    """A client that was told of a record sees what it did."""
    for account, last, known in logs.fresh:
        seqs = model.lines.get(account, [])
        after = bisect.bisect_right(seqs, last)
        must(after == len(seqs) or seqs[after] > known, "a read of", account, "showed record", last,
             "to a client that knew record", known)


def check_all(records, logs):
    """The model as it is in the end."""
    replay = Replay(records, logs)
    replay.run()
    for submission in logs.submissions:
        must(submission["checked"] or check_without_effect(submission, replay.model),
             "a submission left no record:", submission)
    must(not logs.balances and not logs.balances_at, "reads of records that do not exist")
    check_fresh(logs, replay.model)
    return replay
