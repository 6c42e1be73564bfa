"""The ledger's rules once more, from their description: a model that replays a journal and knows what each client must
have been told. Amounts are Python's integers. Only what the bank's clients do is modelled."""

BELOW_ZERO = {"escrow": True, "available": False, "fees": False, "receivable": True}


class Account:
    def __init__(self, number, below):
        self.number, self.below = number, below
        self.debits, self.pending, self.credits, self.last = 0, 0, 0, 0

    def state(self):
        return self.debits, self.pending, self.credits

    def can_pay(self, amount):
        return self.below or self.debits + self.pending + amount <= self.credits


class Fact:
    def __init__(self, kind, content, seq, refused=None):
        self.kind, self.content, self.seq, self.refused, self.undone = kind, content, seq, refused, False


def key_of(account):
    return tuple(account)


def content_of(op):
    """What makes an operation the same one when it is asked for again."""
    return (op["kind"], op["ref"], tuple(op.get("debit", ())), tuple((tuple(a), n) for a, n in op["legs"]),
            op["amount"], op["expires_us"], op["code"], op["user"])


def form_of(op):
    """What is wrong with it whatever the books say, or None."""
    if op["kind"] == "capture" and len({leg[0][1] for leg in op["legs"]}) > 1:
        return "bad_value"
    if op["kind"] == "post" and int(op["legs"][0][1]) == 0:
        return "zero_amount"
    if op["kind"] == "post" and op["legs"][0][0] == op["debit"]:
        return "same_account"
    return None


class Refused(Exception):
    pass


class Model:
    def __init__(self):
        self.accounts, self.facts, self.holds = {}, {}, {}
        self.lines = {}  # account: the seqs of its records
        self.numbers = [None]

    # ---- changes, and how to take them back -----------------------------------------------------------------

    def begin(self, seq, time_us):
        self.seq, self.time_us, self.records, self.undo = seq, time_us, [], []

    def rollback(self):
        for take_back in reversed(self.undo):
            take_back()
        self.seq -= len(self.records)
        self.records = []

    def write(self, kind, **fields):
        fields.update(kind=kind, seq=self.seq)
        self.records.append(fields)
        for side in ("debit", "credit"):
            if side in fields:
                self.touch(self.numbers[fields[side]])
        self.seq += 1
        return fields["seq"]

    def touch(self, key):
        account, line, before = self.accounts[key], self.lines[key], self.accounts[key].last
        account.last = self.seq
        line.append(self.seq)

        def take_back():
            account.last = before
            line.pop()
        self.undo.append(take_back)

    def change(self, account, debits=0, pending=0, credits=0):
        account.debits += debits
        account.pending += pending
        account.credits += credits

        def take_back():
            account.debits -= debits
            account.pending -= pending
            account.credits -= credits
        self.undo.append(take_back)

    def put(self, table, key, value):
        before = table.get(key)
        table[key] = value

        def take_back():
            if before is None:
                del table[key]
            else:
                table[key] = before
        self.undo.append(take_back)

    def drop(self, table, key):
        before = table.pop(key)
        self.undo.append(lambda: table.__setitem__(key, before))

    def set_undone(self, fact):
        fact.undone = True
        self.undo.append(lambda: setattr(fact, "undone", False))

    # ---- accounts -------------------------------------------------------------------------------------------

    def view(self, key):
        """The account, or one like it that is not open."""
        return self.accounts.get(key) or Account(None, BELOW_ZERO[key[2]])

    def open(self, key, below=None):
        if key in self.accounts:
            return self.accounts[key]
        account = Account(len(self.numbers), BELOW_ZERO[key[2]] if below is None else below)
        self.put(self.accounts, key, account)
        self.put(self.lines, key, [])
        self.numbers.append(key)
        self.undo.append(self.numbers.pop)
        self.write("account", debit=account.number, owner=key[0], asset=key[1], purpose=key[2], below=account.below)
        return account

    # ---- one operation: its status and the seq of its record ------------------------------------------------

    def decide(self, op):
        if op["kind"] == "account":
            return self.decide_account(op)
        fact = self.facts.get(op["id"])
        content = content_of(op)
        if fact and fact.content != content:
            return {"status": "id_reused", "existed": False, "first": "ok", "seq": 0}
        if fact and fact.refused:
            return {"status": "id_failed_before", "existed": False, "first": fact.refused, "seq": fact.seq}
        if fact:
            return {"status": "ok", "existed": True, "first": "ok", "seq": fact.seq}
        try:
            seq = getattr(self, op["kind"])(op)
        except Refused as why:
            return {"status": str(why), "existed": False, "first": "ok", "seq": 0}
        self.put(self.facts, op["id"], Fact(op["kind"], content, seq))
        return {"status": "ok", "existed": False, "first": "ok", "seq": seq}

    def decide_account(self, op):
        key = key_of(op["debit"])
        account = self.accounts.get(key)
        if account and account.below != op["below"]:
            return {"status": "id_reused", "existed": False, "first": "ok", "seq": 0}
        if account:
            return {"status": "ok", "existed": True, "first": "ok", "seq": 0}
        self.open(key, op["below"])
        return {"status": "ok", "existed": False, "first": "ok", "seq": self.seq - 1}

    def common(self, op):
        return {"id": op["id"], "code": op["code"], "user": op["user"]}

    def move(self, kind, debit, credit, asset, amount, **fields):
        self.change(debit, debits=amount)
        self.change(credit, credits=amount)
        return self.write(kind, debit=debit.number, credit=credit.number, asset=asset, amount=amount, **fields)

    def post(self, op):
        debit_key, credit_key, amount = key_of(op["debit"]), key_of(op["legs"][0][0]), int(op["legs"][0][1])
        if not self.view(debit_key).can_pay(amount):
            raise Refused("insufficient_funds")
        debit, credit = self.open(debit_key), self.open(credit_key)
        return self.move("post", debit, credit, debit_key[1], amount, **self.common(op))

    def hold(self, op):
        key, amount = key_of(op["debit"]), int(op["amount"])
        if op["expires_us"] != 0 and op["expires_us"] <= self.time_us:
            raise Refused("hold_expired")
        if not self.view(key).can_pay(amount):
            raise Refused("insufficient_funds")
        account = self.open(key)
        self.change(account, pending=amount)
        self.put(self.holds, op["id"], (key, amount, op["expires_us"]))
        return self.write("hold", debit=account.number, asset=key[1], amount=amount, expires_us=op["expires_us"],
                          **self.common(op))

    def find_hold(self, op):
        fact = self.facts.get(op["ref"])
        hold = self.holds.get(op["ref"])
        if hold and hold[2] != 0 and hold[2] <= self.time_us:
            raise Refused("hold_expired")
        if hold:
            return hold
        if not fact or fact.kind != "hold" or fact.refused:
            raise Refused("not_found")
        raise Refused("hold_expired" if fact.undone else "hold_ended")

    def capture(self, op):
        key, amount, _ = self.find_hold(op)
        legs = [(key_of(account), int(part)) for account, part in op["legs"]]
        if legs[0][0][1] != key[1]:
            raise Refused("bad_value")
        if any(credit == key for credit, _ in legs):
            raise Refused("same_account")
        if sum(part for _, part in legs) > amount:
            raise Refused("hold_too_small")
        credits = [self.open(credit) for credit, _ in legs]
        account = self.accounts[key]
        self.change(account, pending=-amount)
        self.drop(self.holds, op["ref"])
        seq = None
        for i, (_, part) in enumerate(legs):
            extra = {"held": amount} if i == 0 else {}
            at = self.move("leg" if i else "capture", account, credits[i], key[1], part, ref=op["ref"],
                           **extra, **self.common(op))
            seq = seq or at
        return seq

    def release(self, op):
        key, amount, _ = self.find_hold(op)
        self.change(self.accounts[key], pending=-amount)
        self.drop(self.holds, op["ref"])
        return self.write("release", debit=self.accounts[key].number, asset=key[1], amount=amount, ref=op["ref"],
                          **self.common(op))

    def reverse(self, op):
        fact = self.facts.get(op["ref"])
        if not fact or fact.kind != "post" or fact.refused:
            raise Refused("not_found")
        if fact.undone:
            raise Refused("reversed_already")
        credit_key, ((debit_key, amount),) = fact.content[2], fact.content[3]
        debit, credit = self.accounts[debit_key], self.accounts[credit_key]
        if not debit.can_pay(int(amount)):
            raise Refused("insufficient_funds")
        self.set_undone(fact)
        return self.move("reverse", debit, credit, debit_key[1], int(amount), ref=op["ref"], **self.common(op))

    def expire(self, hold_id):
        """By itself; None if its time has not come."""
        key, amount, expires_us = self.holds[hold_id]
        if expires_us == 0 or expires_us > self.time_us:
            return None
        self.change(self.accounts[key], pending=-amount)
        self.drop(self.holds, hold_id)
        self.set_undone(self.facts[hold_id])
        self.write("expire", debit=self.accounts[key].number, asset=key[1], amount=amount, ref=hold_id)
        return self.records[0]

    # ---- a chain: all or none -------------------------------------------------------------------------------

    def run_chain(self, ops):
        """The results; what was written is in self.records."""
        forms = [form_of(op) for op in ops]
        if any(forms):
            at_fault = next(i for i, form in enumerate(forms) if form)
            return [{"status": forms[i] if i == at_fault else "linked_operation_failed", "existed": False,
                     "first": "ok", "seq": 0} for i in range(len(ops))]
        results = []
        for op in ops:
            results.append(self.decide(op))
            if results[-1]["status"] != "ok":
                self.rollback()
                return self.refuse(ops, len(results) - 1, results[-1])
        return results

    def refuse(self, ops, at_fault, reason):
        results = []
        for i, op in enumerate(ops):
            fact = self.facts.get(op["id"]) if op["kind"] != "account" else None
            if i == at_fault:
                results.append(reason)
            elif fact and fact.refused and fact.content == content_of(op):
                results.append({"status": "id_failed_before", "existed": False, "first": fact.refused, "seq": fact.seq})
            else:
                results.append({"status": "linked_operation_failed", "existed": False, "first": "ok", "seq": 0})
        for op, result in zip(ops, results):
            if op["kind"] == "account" or op["id"] in self.facts:
                continue
            fields = {"ref": op["ref"]} if op["ref"] != "0" else {}
            result["seq"] = self.write("refuse", refused=result["status"], **fields, **self.common(op))
            self.facts[op["id"]] = Fact("refuse", content_of(op), result["seq"], result["status"])
        return results
