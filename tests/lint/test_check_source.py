#!/usr/bin/env python3
"""Goal: every rule of tools/check_source.py catches what it is for and leaves alone what it is not for.
Method: a table of small files, each with the rules it must break; every rule must occur in it."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import check_source  # noqa: E402

HEADER = "/* x\n * Layer 1\n * Errors none\n * Threads any\n */\n#ifndef FB_X_H\n#define FB_X_H\n#endif\n"
ALLOWED = "/* allow" + "({}): {} */"  # in two halves, or this line would be an exception itself


def allow(rule, reason="it must"):
    return ALLOWED.format(rule, reason)


def body(lines):
    return "static void f(void)\n{\n" + "\tg();\n" * lines + "}\n"


# path, text, rules broken, in order of line and name
ROWS = [
    ("base/x/x.c", "\tstrcpy(a, b);\n", ["strcpy"]),
    ("tests/unit/test_x.c", "\tstrncpy(a, b, 2);\n", ["strcpy"]),
    ("base/x/x.c", "/* strcpy(a, b) */ char *s = \"strcpy(a, b)\"; /* and\nstrcpy( */ // strcpy(\n", []),
    ("base/x/x.c", "\tmy_strcpy(a, b);\n", []),
    ("base/x/x.c", "\tstrcat(a, b);\n", ["strcat"]),
    ("base/x/x.c", "\tsprintf(a, b);\n\tsnprintf(a, 1, b);\n\tfb_buf_printf(a, b);\n", ["sprintf"]),
    ("base/x/x.c", "\tstrtok_r(a, b, c);\n", ["strtok"]),
    ("base/x/x.c", "\tgets(a);\n\tfgets(a, 1, b);\n", ["gets"]),
    ("base/x/x.c", "\talloca(a);\n", ["alloca"]),
    ("base/x/x.c", "\tstrtoull(a, b, 10);\n\tatoi(a);\n", ["strtol", "strtol"]),
    ("tests/unit/test_x.c", "\tstrtoull(a, b, 10);\n", []),
    ("app/x.c", "\tsscanf(a, b);\n", ["sscanf"]),
    ("app/x.c", "\trand();\n\tdraw_rand();\n", ["rand"]),
    ("app/x.c", "#include <assert.h>\n\tassert(a);\n\tFB_ASSERT(a);\n\t_Static_assert(a, b);\n", ["assert", "assert"]),
    ("app/x.c", "#include <ctype.h>\n\tisdigit(a);\n\tis_digit(a);\n", ["ctype", "ctype"]),
    ("app/x.c", "\tsetlocale(a, b);\n", ["locale"]),
    ("app/x.c", "\tclock_gettime(a, b);\n\ttime(NULL);\n\tmtime(a);\n\tfb_os_clock();\n", ["clock", "clock"]),
    ("base/os/x.c", "\tclock_gettime(a, b);\n\tgetrandom(a, b, 0);\n", []),
    ("chain/x/x.c", "\tgetrandom(a, b, 0);\n", ["random"]),
    ("ledger/x/x.c", "\tdouble a;\n", ["float"]),
    ("chain/lane/x.c", "\tfloat a;\n", ["float"]),
    ("base/x/x.c", "\tdouble a;\n\tfb_buf_printf(b, \"%.2f\", a);\n", []),
    ("facilitator/x/x.c", "\tfb_buf_printf(b, \"%u%% of %.2f\", n, a);\n", ["float-format"]),
    ("facilitator/x/x.c", "\tfb_buf_printf(b, \"%u%% free %d\", n, a); /* %f */\n", []),
    ("chain/x/x.c", "\ta.atoms = b->atoms;\n\tatoms = 1;\n", ["atoms"]),
    ("ledger/x/x.c", "\ta.atoms = 1;\n", []),
    ("base/core/x.c", "\ta.atoms = 1;\n", []),
    ("api/x/x.c", "#include <rocksdb/c.h>\n", ["rocksdb"]),
    ("ledger/store/x.c", "#include <rocksdb/c.h>\n", []),
    ("api/x/x.c", "#include <curl/curl.h>\n#include <uv.h>\n", ["curl", "uv"]),
    ("base/net/x.c", "#include <curl/curl.h>\n#include <uv.h>\n", []),
    ("app/x.c", "#include <microhttpd.h>\n", ["microhttpd"]),
    ("app/x.c", "#include <secp256k1_recovery.h>\n", ["secp256k1"]),
    ("app/x.c", "#include <sodium.h>\n#include <openssl/evp.h>\n#include <gmp.h>\n", ["sodium", "openssl", "gmp"]),
    ("app/x.c", "extern char **environ;\n", ["extern"]),
    ("app/x.c", "enum fb_status fb_x_open(int a);\n", ["extern"]),
    ("app/x.c", "enum fb_status fb_x_open(int a,\n\t\t\t int b);\n", ["extern"]),
    ("app/x.c", "static enum fb_status fb_x_open(int a);\nenum fb_status fb_x_open(int a)\n{\n\tfb_y(a);\n}\n", []),
    ("app/x.c", "\t" + "x" * 116 + "\n\t" + "x" * 117 + "\n\tX(" + "x" * 130 + ") \\\n\n", ["columns"]),
    ("app/x.c", body(70), []),
    ("app/x.c", body(71), ["function"]),
    ("app/x.c", "struct x {\n" + "\tint a;\n" * 100 + "};\n", []),
    ("app/x.c", "static const int x[] =\n{\n" + "\t1,\n" * 100 + "};\n", []),
    ("app/x.c", "\tint a;\n" * 900, []),
    ("tests/x.mjs", "a();\n" * 901, ["file"]),
    ("base/x/x.h", "#ifndef X_H\n#define X_H\n#endif\n", ["guard"]),
    ("base/x/x.h", "#ifndef FB_X_H\n#define FB_X_H\n#endif\n", []),
    ("tests/unit/fb_test.h", "#ifndef FB_TEST_H\n#define FB_TEST_H\n#endif\n", []),
    ("base/x/include/farebox/x.h", HEADER, []),
    ("base/x/include/farebox/x.h", HEADER.replace("Errors none", "pure functions"), []),
    ("base/x/include/farebox/x.h", HEADER.replace("Threads", "Thread"), ["contract"]),
    ("base/x/include/farebox/x.h", HEADER.replace("Layer", "").replace("Errors", ""), ["contract", "contract"]),
    ("tools/x.sh", "# TO" + "DO: later\n", ["todo"]),
    ("README.md", "FIX" + "ME\nmktemp XX" + "XXXX\n", ["todo"]),
    ("tests/package-lock.json", "\"https://registry.npm" + "js.org/x\"\n", ["registry"]),
    ("Dockerfile", "http://deb.deb" + "ian.org/\n", ["registry"]),
    # exceptions
    ("chain/x/x.c", "\ta.atoms = 1; " + allow("atoms") + "\n", []),
    ("chain/x/x.c", "\ta.atoms = 1; " + allow("strcpy") + "\n", ["allow", "atoms"]),
    ("chain/x/x.c", "\ta.atoms = 1; " + allow("atoms", "") + "\n", ["allow", "atoms"]),
    ("chain/x/x.c", "\ta = 1; " + allow("atoms") + "\n", ["allow"]),
    ("chain/x/x.c", "\ta = 1; " + allow("no-such-rule") + "\n", ["allow"]),
    ("tools/x.py", "# TO" + "DO  # allow" + "(todo): the word is the subject\n", []),
]


def listed_without_git():
    """A folder that is no repository is read all the same, without what was built or installed in it."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in ("a/b.c", "build/x.c", "tests/node_modules/y.js", "tests/fuzz/corpus/json/z", "c.tmp"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("x")
        return check_source.listed(root)


def main():
    bad = 0
    if listed_without_git() != ["a/b.c"]:
        print(f"without git: got {listed_without_git()}")
        bad += 1
    for path, text, want in ROWS:
        got = [rule for _, rule, _ in check_source.faults(path, text)]
        if sorted(got) != sorted(want):
            print(f"{path}: {text[:80]!r}: got {got}, want {want}")
            bad += 1
    untried = {*check_source.CODE_RULES, *check_source.OTHER_RULES} - {rule for _, _, want in ROWS for rule in want}
    if untried:
        print("no row breaks", sorted(untried))
    print(f"check_source: {len(ROWS)} files, {bad} judged wrongly")
    return 1 if bad or untried else 0


if __name__ == "__main__":
    sys.exit(main())
