#!/usr/bin/env python3
"""Second, independent check of the layer rule (the first is CMake): every #include "farebox/x.h" in
<room>/<lib>/ names that library itself or a direct dependency of it, nothing reaches into another
library's private headers, and each library has exactly one public header, named after it."""
import json
import pathlib
import re
import sys


def faults(root, layers):
    for lib, info in layers.items():
        home = root / info["path"]
        public = sorted(p.name for p in (home / "include" / "farebox").glob("*.h"))
        if public != [f"{lib}.h"]:
            yield f"{home}: public headers are {public}, want ['{lib}.h']"
        for path in sorted(home.rglob("*.[ch]")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = re.match(r'\s*#\s*include\s*[<"]farebox/(\w+)\.h', line)
                if found and found[1] != lib and found[1] not in info["deps"]:
                    yield f"{path}:{number}: {lib} includes farebox/{found[1]}.h, which is not among its dependencies"
                if re.search(r'#\s*include\s*"\.\./', line):
                    yield f"{path}:{number}: reaches outside its folder"


root, layers = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
bad = list(faults(root, layers))
print("\n".join(bad) or f"layers ok: {len(layers)} libraries")
sys.exit(bool(bad))
