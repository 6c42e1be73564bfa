#!/usr/bin/env python3
"""Malformed and hostile requests against a running server, over raw sockets; the server must refuse each one as
expected, execute nothing that was smuggled behind it, close where the framing cannot be trusted, and still answer.

  hostile_http.py --port 8402                                     GET / and what needs no body
  hostile_http.py --port 8402 --path /supported
  hostile_http.py --port 8402 --path /verify --body payment.json  POST, all cases

Without --alive, GET --path (or GET / when a body is given) tells after every case whether the server lives: any answer
below 500 will do. --random N sends N random mixtures of all these requests after them (--seed repeats a run).
Ends with "N passed, N failed"; the exit code is 0 only if nothing failed.
"""
import argparse
import os
import random
import socket
import struct
import sys
import threading
import time

PATIENCE = 4.0  # seconds within which an expected answer or end must come
CANARY = b"GET /smuggled-canary HTTP/1.1\r\nHost: x\r\n\r\n"
MEGABYTE = 1 << 20


class Peer:
    """One raw connection."""

    def __init__(self, where):
        self.socket = socket.create_connection(where, timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        """False if the server has had enough before all was sent."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def read_all(self, patience=PATIENCE):
        """Everything until the end of the connection or of the patience: (bytes, closed?)."""
        got, end = b"", time.monotonic() + patience
        while time.monotonic() < end:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.socket.recv(1 << 16)
            except socket.timeout:
                break
            except OSError:
                return got, True
            if not data:
                return got, True
            got += data
        return got, False

    def read_answers(self, count=1, patience=PATIENCE):
        """Until `count` whole answers are there, or the end: (list of (status, head, body), closed?, rest)."""
        got, answers, end = b"", [], time.monotonic() + patience
        while True:
            while True:
                one, got = take_answer(got)
                if one is None:
                    break
                answers.append(one)
            if len(answers) >= count or time.monotonic() >= end:
                return answers, False, got
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.socket.recv(1 << 16)
            except socket.timeout:
                return answers, False, got
            except OSError:
                return answers, True, got
            if not data:
                return answers, True, got
            got += data

    def closed(self, patience=PATIENCE):
        """The server closes, and sends nothing more before."""
        got, closed = self.read_all(patience)
        return closed and not got

    def close(self):
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def take_answer(data):
    """The first whole answer and the rest; (None, data) while it is not whole."""
    head, gap, rest = data.partition(b"\r\n\r\n")
    if not gap:
        return None, data
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if len(rest) < length:
        return None, data
    return (int(head.split(b" ")[1]), head, rest[:length]), rest[length:]


class Suite:
    def __init__(self, args):
        self.where = (args.host, args.port)
        self.path = args.path.encode()
        self.body = open(args.body, "rb").read() if args.body else None
        self.alive_path = (args.alive or ("/" if args.body else args.path)).encode()
        self.read_seconds = args.read_seconds
        self.verbose = args.verbose
        self.random = random.Random(args.seed)
        self.seed, self.mixtures = args.seed, args.random
        self.seen = []
        self.passed = self.failed = 0
        self.lock = threading.Lock()

    # ---- what requests are made of ------------------------------------------------------------
    def line(self):
        return (b"POST " if self.body is not None else b"GET ") + self.path + b" HTTP/1.1\r\n"

    def tail(self):
        """Headers that end the head, and the body."""
        if self.body is None:
            return b"\r\n"
        return b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(self.body) + self.body

    def request(self, extra=b"", host=b"Host: x\r\n"):
        return self.line() + host + extra + self.tail()

    def post(self, headers, rest, version=b"HTTP/1.1"):
        line = b"POST " + self.path + b" " + version + b"\r\n"
        return line + b"Host: x\r\nContent-Type: application/json\r\n" + headers + b"\r\n" + rest

    # ---- verdicts --------------------------------------------------------------------------------
    def report(self, name, fault):
        if fault is None:
            fault = self.dead()
        with self.lock:
            if fault is None:
                self.passed += 1
            else:
                self.failed += 1
            if fault is not None or self.verbose:
                print("ok   " + name if fault is None else f"FAIL {name}: {fault}", flush=True)

    def dead(self):
        try:
            peer = Peer(self.where)
            peer.send(b"GET " + self.alive_path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            answers, _, _ = peer.read_answers()
            peer.close()
        except OSError as e:
            return f"the server is gone: {e}"
        if not answers or answers[0][0] >= 500:
            return f"the server does not answer any more ({answers[0][0] if answers else 'nothing'})"
        return None

    def refused(self, name, data, statuses=(400,), heads=1, silent=False):
        """One answer out of `statuses` (or, if `silent`, none) and the end; nothing else is executed."""
        self.seen.append(data[:4096])
        peer = Peer(self.where)
        peer.send(data)
        got, closed = peer.read_all()
        peer.close()
        count = got.count(b"HTTP/1.1 ")
        status = int(got[9:12]) if got.startswith(b"HTTP/1.1 ") else 0
        if not closed:
            fault = f"not closed, got {got[:60]!r}"
        elif status == 0 and (not silent or got):
            fault = f"no answer: {got[:60]!r}"
        elif status != 0 and status not in statuses:
            fault = f"status {status}, want {statuses}"
        elif count > heads:
            fault = f"{count} answers: something behind it was executed"
        else:
            fault = None
        self.report(name, fault)

    def served(self, name, data, count=1, statuses=None):
        """`count` answers like the sound request's (or one of `statuses`), and the connection goes on."""
        self.seen.append(data[:4096])
        peer = Peer(self.where)
        peer.send(data)
        answers, closed, rest = peer.read_answers(count)
        got = [a[0] for a in answers]
        wanted = statuses or (self.baseline,)
        fault = None
        if len(answers) != count or rest or any(s not in wanted for s in got):
            fault = f"answers {got}, want {count} of {wanted}, rest {rest[:40]!r}"
        elif closed:
            fault = "closed"
        peer.close()
        self.report(name, fault)

    # ---- cases -----------------------------------------------------------------------------------
    def head_cases(self):
        line, tail, host = self.line(), self.tail(), b"Host: x\r\n"
        long = b"a" * 40000
        for name, data in {
            "Host missing": line + tail,
            "Host twice": line + host + host + tail,
            "Host twice, differing": line + host + b"host: y\r\n" + tail,
            "Host empty": line + b"Host:\r\n" + tail,
            "Host with a path": line + b"Host: x/y\r\n" + tail,
            "Host with userinfo": line + b"Host: u@x\r\n" + tail,
            "Host list": line + b"Host: x, y\r\n" + tail,
            "Host with a NUL": line + b"Host: x\0y\r\n" + tail,
            "Host in HTTP/1.0 missing": line.replace(b"1.1", b"1.0") + tail,
            "folded line": self.request(b"A: b\r\n c\r\n"),
            "folded line that glues a payment header": self.request(b"PAYMENT-SIG: abc\r\n NATURE\r\n"),
            "folded line with a tab": self.request(b"A: b\r\n\tTransfer-Encoding: chunked\r\n"),
            "first header indented": line + b" A: b\r\n" + host + tail,
            "bare LF after the request line": line.replace(b"\r\n", b"\n") + host + tail,
            "bare LF after a header": line + b"Host: x\n" + tail,
            "bare LF in a value": self.request(b"A: b\nC: d\r\n"),
            "bare CR in a value": self.request(b"A: b\rC: d\r\n"),
            "two CR before LF": self.request(b"A: b\r\r\n"),
            "NUL in a value": self.request(b"A: b\0c\r\n"),
            "NUL for a line": self.request(b"A: b\r\n\0\r\n"),
            "empty header name": self.request(b": v\r\nA: b\r\n"),
            "empty header name first": line + b": v\r\n" + host + tail,
            "blank before the colon": self.request(b"A : b\r\n"),
            "tab before the colon": self.request(b"A\t: b\r\n"),
            "blank in a name": self.request(b"A B: c\r\n"),
            "parenthesis in a name": self.request(b"A(B): c\r\n"),
            "high byte in a name": self.request(b"A\xff: c\r\n"),
            "control byte in a value": self.request(b"A: \x01\r\n"),
            "DEL in a value": self.request(b"A: \x7f\r\n"),
            "escape sequence in a value": self.request(b"A: \x1b[2J\r\n"),
            "PAYMENT-SIGNATURE twice": self.request(b"PAYMENT-SIGNATURE: a\r\nPAYMENT-SIGNATURE: b\r\n"),
            "PAYMENT-SIGNATURE and its shadow": self.request(b"PAYMENT-SIGNATURE: a\r\nPAYMENT_SIGNATURE: b\r\n"),
            "PAYMENT_SIGNATURE alone": self.request(b"payment_signature: b\r\n"),
            "X-PAYMENT twice": self.request(b"X-PAYMENT: a\r\nx-payment: a\r\n"),
            "X_PAYMENT": self.request(b"X_PAYMENT: a\r\n"),
            "Authorization twice": self.request(b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"),
            "Idempotency-Key twice": self.request(b"Idempotency-Key: a\r\nIdempotency-Key: b\r\n"),
            "Origin twice": self.request(b"Origin: http://a\r\nOrigin: http://b\r\n"),
            "Content-Type twice": self.request(b"Content-Type: text/plain\r\nContent-Type: application/json\r\n"),
            "Content_Length": self.request(b"Content_Length: 0\r\n"),
            "Transfer_Encoding": self.request(b"Transfer_Encoding: chunked\r\n"),
        }.items():
            self.refused(name, data + CANARY)
        self.refused("line without a colon", self.request(b"no colon here\r\n") + CANARY)
        self.refused("40 kB header", self.request(b"A: " + long + b"\r\n"), (431,))
        self.refused("40 kB header name", self.request(long + b": b\r\n"), (431,))
        self.refused("20000 headers", self.request(b"A: b\r\n" * 20000), (431,), silent=True)
        self.refused("10 MB header", self.request(b"A: " + b"a" * (10 * MEGABYTE) + b"\r\n"), (431,), silent=True)
        self.refused("10000 cookies", self.request(b"Cookie: " + b"a;" * 10000 + b"\r\n"), (431,), heads=2)
        self.served("header without value", self.request(b"A:\r\nB:  \r\n"))
        self.served("UTF-8 in a value", self.request("A: h\u00e9\r\n".encode()))
        self.served("forged request id", self.request(b'X-Request-Id: a","level":"broken\r\n'))

    def line_cases(self):
        verb = self.line().split(b" ")[0]
        rest = b"Host: x\r\n" + self.tail()
        for name, target in {
            "absolute target of another host": b"http://y" + self.path,
            "absolute target with userinfo": b"http://x@x" + self.path,
            "asterisk": b"*",
            "authority": b"x:443",
            "relative target": self.path[1:] + b"x",
            "empty segment": b"/" + self.path,
            "dot segment": b"/." + self.path,
            "double dot segment": b"/x/.." + self.path,
            "escaped double dot": b"/x/%2e%2e" + self.path,
            "escaped slash": self.path + b"%2f",
            "escaped backslash": self.path + b"%5C",
            "backslash": self.path + b"\\",
            "escaped NUL": self.path + b"%00",
            "NUL": self.path + b"\0x",
            "NUL in the query": self.path + b"?q=\0",
            "escaped control byte": self.path + b"%0d%0aX-Injected:%201",
            "cut escape": self.path + b"%4",
            "wrong escape": self.path + b"%zz",
            "wrong escape in the query": self.path + b"?q=%zz",
            "overlong UTF-8": self.path + b"%c0%af",
            "broken UTF-8": self.path + b"%ff",
            "raw high byte": self.path + b"\xff",
            "fragment": self.path + b"#x",
            "blank in the target": self.path + b" x",
            "tab in the target": self.path + b"\tx",
        }.items():
            self.refused("target: " + name, verb + b" " + target + b" HTTP/1.1\r\n" + rest + CANARY)
        for name, first in {
            "two blanks": verb + b"  " + self.path + b" HTTP/1.1",
            "blank at the end": verb + b" " + self.path + b" HTTP/1.1 ",
            "version 1.2": verb + b" " + self.path + b" HTTP/1.2",
            "version in lower case": verb + b" " + self.path + b" http/1.1",
            "no version": verb + b" " + self.path,
            "method that is no token": b"G(T " + self.path + b" HTTP/1.1",
            "NUL in the method": b"G\0T " + self.path + b" HTTP/1.1",
        }.items():
            self.refused("request line: " + name, first + b"\r\n" + rest + CANARY)
        self.refused("version 2.0", verb + b" " + self.path + b" HTTP/2.0\r\n" + rest, (505,))
        self.refused("version 0.9", verb + b" " + self.path + b" HTTP/0.9\r\n" + rest, (505,))
        self.refused("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (505,))
        self.refused("blank first", b" " + self.request(), silent=True)
        self.refused("no blank at all", b"nonsense\r\n\r\n", silent=True)
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(64) + b"\r\n\r\n"
        self.refused("TLS client hello", hello, silent=True)
        self.refused("60 kB target", verb + b" /" + b"a" * 60000 + b" HTTP/1.1\r\n" + rest, (414,))
        self.refused("40 kB target", verb + b" /" + b"a" * 40000 + b" HTTP/1.1\r\n" + rest, (431,))
        self.served("20000 ampersands", verb + b" " + self.path + b"?" + b"&" * 20000 + b" HTTP/1.1\r\n" + rest)
        self.served("empty lines before the request", b"\r\n\r\n" + self.request())
        self.served("unknown method", b"BREW " + self.path + b" HTTP/1.1\r\nHost: x\r\n\r\n", statuses=(404, 405))
        self.served("TRACE", b"TRACE " + self.path + b" HTTP/1.1\r\nHost: x\r\n\r\n", statuses=(404, 405))
        self.served("unknown path", b"GET /no/such/path HTTP/1.1\r\nHost: x\r\n\r\n", statuses=(404,))

    def body_cases(self):
        size = len(self.body)
        chunk = b"%x\r\n" % size + self.body + b"\r\n"
        last = b"0\r\n\r\n"
        te = b"Transfer-Encoding: chunked\r\n"
        length = b"Content-Length: %d\r\n" % size
        for name, data in {
            "Content-Length and chunked": self.post(b"Content-Length: 5\r\n" + te, last),
            "chunked and Content-Length": self.post(te + b"Content-Length: 5\r\n", last),
            "Content-Length twice": self.post(length + length, self.body),
            "Content-Length twice, differing": self.post(length + b"Content-Length: 999\r\n", self.body),
            "Content-Length with leading zero": self.post(b"Content-Length: 0%d\r\n" % size, self.body),
            "Content-Length, blank before the colon": self.post(b"Content-Length : %d\r\n" % size, self.body),
            "chunked, blank before the colon": self.post(b"Content-Length: 5\r\nTransfer-Encoding : chunked\r\n", last),
            "chunked twice": self.post(te + te, last),
            "xchunked": self.post(b"Transfer-Encoding: xchunked\r\n", last),
            "chunked, identity": self.post(b"Transfer-Encoding: chunked, identity\r\n", last),
            "gzip, chunked": self.post(b"Transfer-Encoding: gzip, chunked\r\n", last),
            "identity": self.post(b"Transfer-Encoding: identity\r\n", last),
            "empty coding": self.post(b"Transfer-Encoding:\r\n", last),
            "quoted coding": self.post(b'Transfer-Encoding: "chunked"\r\n', last),
            "folded coding": self.post(b"Transfer-Encoding:\r\n chunked\r\n", last),
            "vertical tab in the coding": self.post(b"Transfer-Encoding: \x0bchunked\r\n", last),
            "chunked in HTTP/1.0": self.post(te, last, b"HTTP/1.0"),
            "chunk size with 0x": self.post(te, b"0x" + chunk + last),
            "negative chunk size": self.post(te, b"-1\r\n" + last),
            "signed chunk size": self.post(te, b"+" + chunk + last),
            "blank before the chunk size": self.post(te, b" " + chunk + last),
            "blank behind the chunk size": self.post(te, b"%x \r\n" % size + self.body + b"\r\n" + last),
            "no chunk size": self.post(te, b"\r\n" + last),
            "chunk longer than said": self.post(te, b"%x\r\n" % size + self.body + b"xx\r\n" + last),
            "chunk shorter than said": self.post(te, b"%x\r\n" % (size - 1) + self.body + b"\r\n" + last),
            "letters for a chunk size": self.post(te, b"ggg\r\n" + last),
            "semicolon for a chunk size": self.post(te, b";\r\n" + last),
            "trailer without a colon": self.post(te, chunk + b"0\r\nno colon\r\n\r\n"),
        }.items():
            self.refused("body: " + name, data + CANARY)
        for value in b"+4", b"4, 4", b"-1", b"", b"0x4", b"4.0", b"4 ", b"9" * 20:
            # libmicrohttpd writes the head of this answer twice before it closes
            data = self.post(b"Content-Length: " + value + b"\r\n", self.body) + CANARY
            self.refused(f"body: Content-Length '{value.decode()}'", data, (400, 413), heads=2)
        self.refused("body: chunk size of 17 digits", self.post(te, b"1" * 17 + b"\r\n"), (413,))
        self.large_bodies(te, last)
        self.two_faults()
        where_none_belongs = b"GET " + self.alive_path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
        self.refused("body: where none belongs", where_none_belongs + CANARY, (413,))
        self.served("body: chunked", self.post(te, chunk + last))
        extended = b"%x;a=b\r\n" % size + self.body + b"\r\n0\r\nA: b\r\n\r\n"
        self.served("body: chunk extension and trailer", self.post(te, extended))
        tiny = self.post(te, b"1\r\n \r\n" * 20000 + last)
        self.served("body: 20000 chunks of one byte", tiny, statuses=(400, 413, self.baseline))
        for junk in b"\0" * 1000, os.urandom(1000), b"[" * 30000, b"":
            data = self.post(b"Content-Length: %d\r\n" % len(junk), junk)
            self.served(f"body: junk like {junk[:4]!r}", data, statuses=(200, 400, 401, 402, 413, 422))
        self.served("body: pipelined 20 times", self.request() * 20, 20)

    def large_bodies(self, te, last):
        ten = b"a" * (10 * MEGABYTE)
        announced = b"Content-Length: %d\r\n" % len(ten)
        self.refused("body: 10 MB, announced", self.post(announced, ten), (413,))
        self.refused("body: 10 MB, announced only", self.post(announced, b""), (413,))
        self.refused("body: 10 MB, with Expect", self.post(b"Expect: 100-continue\r\n" + announced, b""), (413,))
        chunks = (b"10000\r\n" + ten[:65536] + b"\r\n") * 160
        self.refused("body: 10 MB in chunks", self.post(te, chunks + last), (413,), silent=True)
        one = b"a00000\r\n" + ten + b"\r\n"
        self.refused("body: 10 MB in one chunk", self.post(te, one + last), (413,), silent=True)

    def two_faults(self):
        """A head beyond the memory for its parts, and then a bad length: the second is met while refusing the first."""
        for cookies in range(200, 2000, 150):
            for behind in range(0, 40000, 8000):
                peer = Peer(self.where)
                head = b"Content-Length: +4\r\nCookie: " + b"a;" * cookies + b"\r\n"
                peer.send(self.post(head, b"b" * behind))
                got, closed = peer.read_all()
                peer.close()
                fault = None if closed and b"HTTP/1.1 2" not in got else f"closed {closed}, got {got[:40]!r}"
                self.report(f"body: {cookies} cookies and a bad length, {behind} bytes behind", fault)

    # ---- connections that misbehave in time ---------------------------------------------------------
    def cut_at(self, name, data, fraction, how):
        """Sends a part of a sound request, then goes away."""
        peer = Peer(self.where)
        peer.send(data[:int(len(data) * fraction)])
        if how == "half":
            peer.socket.shutdown(socket.SHUT_WR)
            _, closed = peer.read_all()
            peer.close()
            self.report(name, None if closed else "not closed after our end of it was")
            return
        (peer.reset if how == "reset" else peer.close)()
        self.report(name, None)

    def time_cases(self):
        data = self.request()
        for fraction in (0.0, 0.1, 0.5, 0.9):
            for how in ("close", "reset", "half"):
                self.cut_at(f"{how} after {fraction:.0%} of a request", data, fraction, how)
        for how in ("close", "reset"):
            self.cut_at(f"{how} after a whole request, answer unread", data, 1, how)
            self.cut_at(f"{how} after 50 pipelined requests, answers unread", data * 50, 1, how)
        self.half_closed_whole()
        self.byte_by_byte()
        self.crowd()
        self.served("pipelined 20 times", self.request() * 20, 20)

    def half_closed_whole(self):
        peer = Peer(self.where)
        peer.send(self.request())
        peer.socket.shutdown(socket.SHUT_WR)
        got, closed = peer.read_all()
        peer.close()
        fine = closed and (not got or got.startswith(b"HTTP/1.1 "))
        self.report("half-closed after a whole request", None if fine else f"closed {closed}, got {got[:40]!r}")

    def byte_by_byte(self):
        peer = Peer(self.where)
        for i in range(0, len(self.request())):
            peer.send(self.request()[i:i + 1])
        answers, _, _ = peer.read_answers()
        peer.close()
        self.report("byte by byte", None if answers and answers[0][0] == self.baseline else f"got {answers}")

    def crowd(self):
        peers = [Peer(self.where) for _ in range(200)]
        for i, peer in enumerate(peers):
            peer.send(self.request()[:i])
        fault = self.dead()
        for peer in peers:
            peer.reset()
        self.report("200 connections with unfinished requests", fault)

    def drip(self, name, first, drop):
        """One byte every half second must not keep a request alive beyond the server's deadline."""
        peer, start = Peer(self.where), time.monotonic()
        peer.send(first)
        limit = 2 * self.read_seconds + 5
        while time.monotonic() - start < limit:
            if not peer.send(drop):
                break
            _, closed = peer.read_all(0.5)
            if closed:
                break
        took = time.monotonic() - start
        peer.close()
        self.report(name, None if took < limit else f"still open after {took:.0f} s")

    def slow_cases(self):
        rows = [
            ("drip: request line", b"GET /", b"a"),
            ("drip: header", self.line() + b"Host: x\r\nA: ", b"a"),
            ("drip: nothing but empty lines", b"", b"\r\n"),
            ("silent from the start", b"", b""),
        ]
        if self.body is not None:
            rows.append(("drip: body", self.post(b"Content-Length: 1000\r\n", b""), b" "))
            rows.append(("drip: chunks", self.post(b"Transfer-Encoding: chunked\r\n", b""), b"1\r\n \r\n"))
        return [threading.Thread(target=self.drip, args=row) for row in rows]

    # ---- random mixtures ----------------------------------------------------------------------------
    def mixture(self):
        """Pieces of requests seen before, with a few bytes changed, doubled, lost, or multiplied."""
        pick = self.random
        one, other = pick.choice(self.seen), pick.choice(self.seen)
        cut, start = pick.randrange(len(one) + 1), pick.randrange(len(other) + 1)
        data = bytearray(one[:cut] + other[start:] if pick.random() < 0.5 else one)
        for _ in range(pick.randrange(6)):
            at = pick.randrange(len(data) + 1)
            piece = pick.choice((b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"\t", b"%", b"0", b";", b"\xff", b"A:\r\n"))
            how = pick.randrange(4)
            if how == 0:
                data[at:at] = piece
            elif how == 1:
                data[at:at + 1] = bytes([pick.randrange(256)])
            elif how == 2:
                del data[at:at + pick.randrange(1, 20)]
            else:
                data[at:at] = bytes(data[at:at + pick.randrange(1, 30)]) * pick.choice((1, 2, 100, 2000))
        return bytes(data)

    def random_cases(self):
        for i in range(self.mixtures):
            peer = Peer(self.where)
            peer.send(self.mixture())
            try:
                peer.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            got, closed = peer.read_all()
            peer.close()
            fine = closed and (not got or got.startswith(b"HTTP/1.1 "))
            fault = None if fine else f"closed {closed}, got {got[:40]!r}"
            if fault is not None or i % 100 == 99 or i + 1 == self.mixtures:
                self.report(f"mixture {i} of seed {self.seed}", fault)

    def run(self):
        peer = Peer(self.where)
        peer.send(self.request())
        answers, _, _ = peer.read_answers(patience=60)
        peer.close()
        if not answers or answers[0][0] >= 500:
            print(f"the sound request gets {answers}: nothing to compare with")
            return False
        self.baseline = answers[0][0]
        slow = self.slow_cases()
        for thread in slow:
            thread.start()
        self.head_cases()
        self.line_cases()
        if self.body is not None:
            self.body_cases()
        self.time_cases()
        self.random_cases()
        for thread in slow:
            thread.join()
        return self.failed == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/", help="a path that answers below 500")
    parser.add_argument("--body", help="file with a body: the path is then called with POST")
    parser.add_argument("--alive", help="path whose GET tells that the server lives")
    parser.add_argument("--read-seconds", type=float, default=10, help="the server's deadline for a request to arrive")
    parser.add_argument("--random", type=int, default=0, help="how many random mixtures to send")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    suite = Suite(parser.parse_args())
    fine = suite.run()
    print(f"{suite.passed} passed, {suite.failed} failed")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
