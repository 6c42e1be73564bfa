#!/usr/bin/env python3
"""The rules of the source that a compiler does not check. Prints one fault a line as PATH:LINE: rule: what is wrong
and exits with 1 if there are any.

An exception stands on the line it is for: /* allow(RULE): reason */ (in scripts: # or // allow(RULE): reason).
An exception that excuses nothing, names no rule or gives no reason is itself a fault.

usage: check_source.py [ROOT]      the files are those that git tracks or would add; without git, all but what is built
       check_source.py --rules     the rules, one a line
"""
import pathlib
import re
import subprocess
import sys

COLUMNS_MAX, FUNCTION_MAX, FILE_MAX, TAB = 120, 70, 900, 4

PRODUCT = ("base/", "chain/", "ledger/", "facilitator/", "api/", "indexer/", "app/")
MONEY = ("ledger/", "facilitator/", "chain/lane/")
SCRIPTS = (".py", ".mjs", ".js", ".sh", ".cmake")
# Generated or data: no lines to read.
DATA = (".json", ".conf", ".yul", ".sol", ".txt")

# rule: (pattern in code without comments and texts, where it holds, where it does not, what to do instead)
CODE_RULES = {
    "strcpy": (r"\b(strn?cpy|stpn?cpy)\s*\(", ("",), (), "memcpy of a known length, or fb_buf"),
    "strcat": (r"\bstrn?cat\s*\(", ("",), (), "fb_buf"),
    "sprintf": (r"\bv?sprintf\s*\(", ("",), (), "snprintf or fb_buf_printf"),
    "strtok": (r"\bstrtok(_r)?\s*\(|\bstrsep\s*\(", ("",), (), "fb_str_split"),
    "gets": (r"\bgets\s*\(", ("",), (), "fgets or read"),
    "alloca": (r"\balloca\s*\(", ("",), (), "a bounded array or an arena"),
    "strtol": (r"\b(strto[a-z]+|ato[ifl]+)\s*\(", PRODUCT, (), "fb_u64_parse, which has one accepted text per value"),
    "sscanf": (r"\bv?[fs]?scanf\s*\(", PRODUCT, (), "a parser of ours: fb_str_split, fb_u64_parse"),
    "rand": (r"\b([sd]?rand(48|om|_r)?)\s*\(", PRODUCT, (), "struct fb_rng"),
    "assert": (r"\bassert\s*\(|#\s*include\s*<assert\.h>", ("",), (), "FB_ASSERT, which no build leaves out"),
    "ctype": (r"#\s*include\s*<w?ctype\.h>|\b(is(x?digit|al(num|pha)|space|punct|print)|(is|to)(low|upp)er)\s*\(",
              ("",), (), "comparisons of bytes: a locale has no say here"),
    "locale": (r"\b(setlocale|newlocale|uselocale)\s*\(", ("",), (), "nothing: there is no locale here"),
    "clock": (r"\b(clock_gettime|gettimeofday|time|clock|timespec_get)\s*\(",
              PRODUCT, ("base/os/",), "struct fb_clock"),
    "random": (r"\b(getrandom|getentropy|arc4random\w*)\s*\(", PRODUCT, ("base/os/",), "struct fb_rng"),
    "float": (r"\b(float|double)\b", MONEY, (), "integers: money is never rounded"),
    "atoms": (r"(\.|->)\s*atoms\b", PRODUCT, ("base/core/", "ledger/"), "fb_amount_add, fb_amount_cmp and their like"),
    "rocksdb": (r"#\s*include\s*<rocksdb/", ("",), ("ledger/store/",), "farebox/store.h"),
    "curl": (r"#\s*include\s*<curl/", ("",), ("base/net/",), "farebox/net.h"),
    "uv": (r"#\s*include\s*<uv[./]", ("",), ("base/net/",), "farebox/net.h"),
    "microhttpd": (r"#\s*include\s*<microhttpd", ("",), ("api/http/",), "farebox/http.h"),
    "secp256k1": (r"#\s*include\s*<secp256k1", ("",), ("chain/crypto/",), "farebox/crypto.h"),
    "sodium": (r"#\s*include\s*<sodium", ("",), ("chain/crypto/",), "farebox/crypto.h"),
    "openssl": (r"#\s*include\s*<openssl/", ("",), ("chain/crypto/",), "farebox/crypto.h"),
    "gmp": (r"#\s*include\s*<gmp", ("",), ("chain/codec/",), "farebox/codec.h"),
}
OTHER_RULES = {
    "float-format": "money is printed from integers, not with %f and its like",
    "extern": "a .c file declares nothing of another file: include its header",
    "columns": f"a line has at most {COLUMNS_MAX} columns, a tab counting as {TAB}; rows of a macro may be longer",
    "function": f"a function has at most {FUNCTION_MAX} lines between its braces",
    "file": f"a file has at most {FILE_MAX} lines",
    "guard": "a header has the include guard FB_<NAME>_H",
    "contract": "a public header opens with its contract: Layer, Threads, and Errors (or the word pure)",
    "todo": "unfinished work is not committed",
    "registry": "no file names the host of a package registry",
    "allow": "an exception names a rule, gives a reason and is needed",
}
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "XX" "X")) + r")\b")
# In two halves, so that this file does not name them either.
REGISTRIES = re.compile("|".join(re.escape(host + end) for host, end in (
    ("registry.npm", "js.org"), ("registry.yarn", "pkg.com"), ("npm", "js.com"), ("deb.deb", "ian.org"),
    ("security.deb", "ian.org"), ("snapshot.deb", "ian.org"), ("archive.ub", "untu.com"), ("py", "pi.org"),
    ("files.python", "hosted.org"), ("proxy.go", "lang.org"), ("sum.go", "lang.org"), ("crates", ".io"),
    ("ruby", "gems.org"), ("registry-1.dock", "er.io"), ("repo.mav", "en.apache.org"), ("conda.ana", "conda.org"))))
ALLOW = re.compile(r"(?:/\*|//|#)\s*allow\(([a-z0-9-]+)\)\s*(?::\s*(.*?))?\s*(?:\*/|$)")
FLOAT_FORMAT = re.compile(r"%[-+ #0]*[0-9*]*(\.[0-9*]+)?L?[aAeEfFgG]")


def blank(text, keep_texts):
    """C source with comments, and texts unless kept, replaced by blanks; lines keep their numbers and columns."""
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def erase(found):
        is_text = found[0][0] in "\"'"
        return found[0] if is_text and keep_texts else re.sub(r"[^\n]", " ", found[0])

    return token.sub(erase, text)


def columns(line):
    return len(line.expandtabs(TAB))


def functions(code):
    """(line of the opening brace, lines inside) of every body whose braces stand in the first column."""
    start, head = None, ""
    for number, line in enumerate(code.splitlines(), 1):
        if line.startswith("{") and start is None and head.rstrip().endswith(")"):
            start = number
        elif line.startswith("}") and start is not None:
            yield start, number - start - 1
            start = None
        if line.strip():
            head = line


def code_faults(path, code):
    for rule, (pattern, within, but_not, instead) in CODE_RULES.items():
        if path.startswith(within) and not (but_not and path.startswith(but_not)):
            for number, line in enumerate(code.splitlines(), 1):
                if re.search(pattern, line):
                    yield number, rule, f"use {instead}"


def c_faults(path, text):
    code = blank(text, keep_texts=False)
    yield from code_faults(path, code)
    for number, inside in functions(code):
        if inside > FUNCTION_MAX:
            yield number, "function", f"{inside} lines, at most {FUNCTION_MAX}"
    if path.startswith(MONEY):
        for number, line in enumerate(blank(text, keep_texts=True).splitlines(), 1):
            if any(FLOAT_FORMAT.search(found.replace("%%", "")) for found in re.findall(r'"(?:\\.|[^"\\])*"', line)):
                yield number, "float-format", "print money from integers"
    if path.endswith(".c"):
        for found in re.finditer(r"^extern\b|^(?!static\b)[a-z][\w *]*\bfb_\w+\([^;{}]*\)[^;{}=]*;", code, re.M):
            yield code.count("\n", 0, found.start()) + 1, "extern", "include the header that declares it"


def header_faults(path, text):
    name = re.sub(r"\W", "_", pathlib.PurePath(path).stem).upper()
    guard = "FB_" + re.sub(r"^FB_", "", name) + "_H"
    if not re.search(rf"^#ifndef {guard}\n#define {guard}$", text, re.M):
        yield 1, "guard", f"want #ifndef {guard}"
    if "/include/farebox/" in path:
        contract = text.split("*/", 1)[0]
        for word in (r"\bLayer\b", r"\bThreads\b", r"\bErrors\b|\bpure\b"):
            if not text.startswith("/*") or not re.search(word, contract):
                yield 1, "contract", f"the first comment lacks {word.replace(chr(92) + 'b', '')}"


def line_faults(path, text):
    lines = text.splitlines()
    if not path.endswith(DATA) and len(lines) > FILE_MAX:
        yield FILE_MAX + 1, "file", f"{len(lines)} lines, at most {FILE_MAX}"
    for number, line in enumerate(lines, 1):
        if path.endswith((".c", ".h", *SCRIPTS)) and columns(line) > COLUMNS_MAX and not line.endswith("\\"):
            yield number, "columns", f"{columns(line)} columns, at most {COLUMNS_MAX}"
        if not path.endswith(DATA) and UNFINISHED.search(line):
            yield number, "todo", "finish it or leave it out"
        if REGISTRIES.search(line):
            yield number, "registry", "leave the host to the reader's own configuration"


def exceptions(path, text):
    """The (line, rule) pairs that are allowed, and the faults of the exceptions themselves."""
    allowed, bad = set(), []
    if path.endswith((".c", ".h", *SCRIPTS)):
        for number, line in enumerate(text.splitlines(), 1):
            for rule, reason in ALLOW.findall(line):
                if rule not in CODE_RULES and rule not in OTHER_RULES:
                    bad.append((number, "allow", f"there is no rule {rule}"))
                elif not reason.strip():
                    bad.append((number, "allow", f"why is {rule} allowed here?"))
                else:
                    allowed.add((number, rule))
    return allowed, bad


def faults(path, text):
    """(line, rule, what) of one file, exceptions taken into account."""
    found = list(line_faults(path, text))
    if path.endswith((".c", ".h")):
        found += c_faults(path, text)
    if path.endswith(".h"):
        found += header_faults(path, text)
    allowed, bad = exceptions(path, text)
    used = {(number, rule) for number, rule, _ in found} & allowed
    bad += [(number, "allow", f"nothing on this line needs {rule} to be allowed") for number, rule in allowed - used]
    return sorted(bad + [fault for fault in found if fault[:2] not in used])


def tracked(root):
    """What git tracks or would add; None without git, or outside a repository."""
    command = ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"]
    try:
        out = subprocess.run(command, check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return [name for name in out.stdout.decode().split("\0") if name]


def walked(root):
    """Every file but those that .gitignore names."""
    for path in root.rglob("*"):
        name = path.relative_to(root)
        if path.is_file() and name.parts[0] not in (".git", "build") and "node_modules" not in name.parts:
            yield name.as_posix()


def listed(root):
    names = tracked(root)
    if names is None:
        names = walked(root)
    return sorted(name for name in names if not name.startswith("tests/fuzz/corpus/") and not name.endswith(".tmp"))


def main(args):
    if args == ["--rules"]:
        for rule, (_, _, _, instead) in CODE_RULES.items():
            print(f"{rule}: use {instead}")
        for rule, what in OTHER_RULES.items():
            print(f"{rule}: {what}")
        return 0
    root = pathlib.Path(args[0] if args else ".")
    count, files = 0, 0
    for path in listed(root):
        try:
            text = (root / path).read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # bytes, or deleted and not yet committed
        files += 1
        for number, rule, what in faults(path, text):
            print(f"{path}:{number}: {rule}: {what}")
            count += 1
    print(f"source: {files} files, {count} faults")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
