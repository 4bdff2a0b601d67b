"""The gates of `make test`: exported, clean, README current, every notebook's tests, nothing left behind.

Its last line counts: 'N passed, N failed', a gate or a notebook being one each.
"""
import argparse
import hashlib
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# each notebook runs in a process of its own, so that no state leaks; two at a time, with one thread each
ENV = os.environ | {"OMP_NUM_THREADS": "1", "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
WORKERS = os.cpu_count() or 1


def command(*words: str) -> tuple[int, str]:
    "Run a program at the project's top; its exit code and all it printed."
    done = subprocess.run(words, cwd=TOP, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    return done.returncode, done.stdout


def snapshot() -> dict[str, str]:
    "A checksum of every file that git tracks or would track."
    _, names = command("git", "ls-files", "-co", "--exclude-standard", "-z")
    return {n: hashlib.sha256((TOP / n).read_bytes()).hexdigest() for n in names.split("\0") if n and (TOP / n).is_file()}


def changed(before: dict[str, str]) -> list[str]:
    now = snapshot()
    return sorted(n for n in before.keys() | now.keys() if before.get(n) != now.get(n))


def notebooks() -> list[Path]:
    found = sorted(p for p in (TOP / "nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    return found + [p for p in [TOP / "experiments.ipynb"] if p.exists()]


def readme() -> str:
    "README.md as nbs/index.ipynb has it: links made relative to the top, hidden cells and echo-less sources left out."
    import nbformat
    from nbconvert import MarkdownExporter
    nb = nbformat.read(TOP / "nbs" / "index.ipynb", 4)
    nb.metadata["language_info"] = {"name": "python"}
    nb.cells = [c for c in nb.cells if not c.source.startswith("#| hide")]
    text, _ = MarkdownExporter().from_notebook_node(nb)
    text = re.sub(r"```python\n#\| echo: false\n.*?```\n", "", text, flags=re.S)
    text = re.sub(r"\n{3,}", "\n\n", text)
    text = re.sub(r"\]\((?!https?:|#|\.\./)([^)]+)\)", r"](nbs/\1)", text).replace("](../", "](")
    text = re.sub(r'src="(?!https?:)', 'src="nbs/', text)
    return "<!-- made from nbs/index.ipynb by `make export`: edit the notebook -->\n\n" + text.strip() + "\n"


def gate_export() -> str:
    before = snapshot()
    code, out = command("nbdev_export")
    return out if code else " ".join(changed(before))


def gate_clean() -> str:
    before = snapshot()
    for words in [("nbdev_clean",)] + ([("nbdev_clean", "--fname", "experiments.ipynb")] if (TOP / "experiments.ipynb").exists() else []):
        code, out = command(*words)
        if code: return out
    return " ".join(changed(before))


def gate_readme() -> str:
    return "" if readme() == (TOP / "README.md").read_text(encoding="utf-8") else "README.md differs from nbs/index.ipynb: run `make export`"


def test(path: Path) -> tuple[Path, str, float]:
    "Run one notebook's tests; an empty answer means they passed."
    start = time.perf_counter()
    code, out = command("moe_outputs", "--check", str(path))  # as nbdev_test does, and compares what cells say with what is stored
    wrong = "" if code == 0 and "Success" in out else out.strip()[-6000:] or f"exit code {code}"
    return path, wrong, time.perf_counter() - start


def in_browser() -> str | None:
    "Try the widgets in a browser; what went wrong, or None if there is no browser (said in a line)."
    _, missing = command(sys.executable, "-c", "from moe_course.analysis.on_screen import why_not; print(why_not())")
    if missing.strip():
        print(f"skipped: the widgets were {missing.strip().splitlines()[-1]}", flush=True)
        return None
    path = "nbs/5_analysis/13_on_screen.ipynb"
    for _ in range(2):  # a page on a busy machine can be late
        code, out = command("nbdev_test", "--path", path, "--flags", "browser", "--n_workers", "0")
        if code == 0 and "Success" in out: return ""
        print(f"again, after: {out.strip()[-300:]}", flush=True)
    return out.strip()[-6000:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readme", action="store_true", help="write README.md and do nothing else")
    parser.add_argument("only", nargs="*", help="parts of the names of notebooks to run; default all")
    args = parser.parse_args()
    if args.readme:
        (TOP / "README.md").write_text(readme(), encoding="utf-8")
        return 0
    passed = failed = 0

    def report(name: str, wrong: str, seconds: float = 0):
        nonlocal passed, failed
        passed, failed = passed + (not wrong), failed + bool(wrong)
        print(f"{'FAILED' if wrong else 'ok':6} {name}" + (f"  {seconds:.0f} s" if seconds else ""), flush=True)
        if wrong: print(wrong, flush=True)

    before = snapshot()
    for name, gate in ("exported", gate_export), ("clean", gate_clean), ("README current", gate_readme): report(name, gate())
    chosen = [p for p in notebooks() if not args.only or any(part in str(p) for part in args.only)]
    with ThreadPoolExecutor(WORKERS) as pool:
        for path, wrong, seconds in pool.map(test, chosen): report(str(path.relative_to(TOP)), wrong, seconds)
    if not args.only:
        start, wrong = time.perf_counter(), in_browser()
        if wrong is not None: report("widgets in a browser", wrong, time.perf_counter() - start)
    left = changed(before)
    report("nothing left behind", f"changed or new: {' '.join(left)}" if left else "")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0 or not chosen)


if __name__ == "__main__":
    sys.exit(main())
