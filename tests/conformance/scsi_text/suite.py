"""Case files on disk, written or generated, and a run of one with a report."""

import importlib.util
from pathlib import Path

from . import configuration, language
from .runner import Failure, FileRun


def case_files(folder: Path) -> list:
    return sorted([*folder.glob("*.scsi"), *folder.glob("generate_*.py")], key=lambda path: path.stem)


def load(path: Path, url=None) -> language.CaseFile:
    """A case file as objects. May take a moment, because a generator may ask a running target."""
    return language.parse(path, text_of(path, url))


def text_of(path: Path, url=None) -> str:
    """The text of a .scsi file, or of generate_*.py: its HEAD, then cases(ask). ask(line) runs a command
    (`A: INQUIRY`) on a target with that head and returns the data-in."""
    if path.suffix != ".py":
        return path.read_text()
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    run = FileRun(language.parse(path, module.HEAD), url)
    started = []

    def ask(line: str) -> bytes:
        if not started:
            started.append(run.start())
        return run.ask(line)

    try:
        return module.HEAD + "\n" + "\n".join(module.cases(ask)) + "\n"
    finally:
        if started:
            run.close()


def runs(file: language.CaseFile, url=None) -> list:
    """The file's runs: one, or one with each of its `media`."""
    media = configuration.media(file.head)
    return [FileRun(file, url, medium) for medium in (media[:1] if url else media)]


def run_file(path: Path, options):
    """(passed, failed). Prints a line per case. A file that the URL's disk cannot run counts nothing."""
    file = load(path, options.url)
    wanted = [case for case in file.cases if options.only in case.name]
    if not wanted:
        return 0, 0
    passed = failed = 0
    for run in runs(file, options.url):
        if options.url and not run.configuration.portable:
            print(f"{path.name}: needs a target of its own")
            continue
        held = _run_cases(run, wanted, options.quiet)
        passed, failed = passed + held, failed + len(wanted) - held
    return passed, failed


def _run_cases(run: FileRun, cases, quiet: bool) -> int:
    """The number of passed cases; 0 if the target does not start."""
    try:
        run.start()
        return sum(_holds(run, case, quiet) for case in cases)
    except AssertionError as error:
        print(f"FAILED {run.file.path.name}: {error}", flush=True)
        return 0
    finally:
        run.close()


def _holds(run: FileRun, case, quiet: bool) -> bool:
    try:
        run.run(case)
    except Failure as failure:
        print(f"FAILED {failure}", flush=True)
        return False
    if not quiet:
        medium = f" ({run.medium})" if run.medium else ""
        print(f"ok     {run.file.path.name}:{case.line.number}: {case.name}{medium}", flush=True)
    return True
