"""The two commands: the lock is exact and free of CUDA; the scripts install what is missing, once, or say why not."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "scripts"
FASHION = Path("/usr/share/datasets/fashion-mnist")


def read_entries() -> list[str]:
    """The entries of the lock, each with its hashes on one line, without comments."""
    text = (ROOT / "requirements.lock").read_text("utf-8").replace(" \\\n    ", " ")
    return [line for line in text.splitlines() if not line.lstrip().startswith("#")]


def read_lock() -> dict[str, str]:
    """Exact version by canonical name, of the pins that hold on this Python; every entry must be such a pin."""
    pins = {}
    for entry in read_entries():
        requirement = Requirement(entry.partition(" --hash=")[0])
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        assert "*" not in specifier.version
        assert requirement.url is None
        if requirement.marker is None or requirement.marker.evaluate():
            assert canonicalize_name(requirement.name) not in pins
            pins[canonicalize_name(requirement.name)] = specifier.version
    return pins


# --- the lock -------------------------------------------------------------------------------------


def test_the_lock_names_no_cuda_and_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    pins = read_lock()
    assert pins["torch"] == "2.13.0"
    assert [name for name in pins if re.match(r"nvidia|cuda|triton", name)] == []
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def test_every_pin_has_hashes_and_torch_those_of_the_cpu_wheels_alone() -> None:
    wheels = lock_script().read_wheels((SCRIPTS / "cpu_wheels.sha256").read_text("utf-8"))
    for entry in [*read_entries(), *(SCRIPTS / "resolver.txt").read_text().replace(" \\\n    ", " ").splitlines()[1:]]:
        pin, *hashes = entry.split(" --hash=")
        assert hashes, pin
        assert len(set(hashes)) == len(hashes)
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), pin
        if pin == "torch==2.13.0":
            assert set(hashes) == wheels[pin]
        assert set(hashes) >= wheels.get(pin, set())
    assert {len(each) for each in wheels.values()} == {6}  # three Pythons on two kinds of machine


def test_pip_refuses_a_file_with_another_hash_and_a_pin_without_one(tmp_path: Path) -> None:
    """A wheel made here, a lock that names its hash, one of whose digits is wrong, and a lock without hashes."""
    name = "locked-1.0-py3-none-any.whl"
    with zipfile.ZipFile(tmp_path / name, "w") as wheel:
        wheel.writestr("locked.py", "")
        wheel.writestr("locked-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: locked\nVersion: 1.0\n")
        wheel.writestr("locked-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("locked-1.0.dist-info/RECORD", "")
    digest = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    flipped = f"{int(digest[0], 16) ^ 1:x}{digest[1:]}"
    (options,) = re.findall(r"install (--require-hashes .*) -r ", (SCRIPTS / "install_python.sh").read_text())
    for hashes, says in (
        (f" --hash=sha256:{digest}", None),
        (f" --hash=sha256:{flipped}", "DO NOT MATCH THE HASHES"),
        ("", "Hashes are required"),
    ):
        (tmp_path / "lock").write_text(f"locked==1.0{hashes}\n")
        pip = [sys.executable, "-m", "pip", "install", *options.split(), "--no-index", "--find-links", str(tmp_path)]
        done = subprocess.run(
            [*pip, "-r", str(tmp_path / "lock"), "--target", str(tmp_path / f"into{len(hashes)}{says is None}")],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert (done.returncode == 0) == (says is None), done.stderr
        assert says is None or says in done.stderr


def test_the_lock_fulfils_the_package_and_is_complete() -> None:
    """Every requirement of the package, and of everything it needs, is pinned at a version that fulfils it."""
    pins = read_lock()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *project["optional-dependencies"]["download"],
        *project["optional-dependencies"]["tensorboard"],
        *project["optional-dependencies"]["test"],
    ]
    seen: set[str] = set()
    while wanted:
        requirement = Requirement(wanted.pop())
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        name = canonicalize_name(requirement.name)
        if re.match(r"nvidia|cuda|triton", name):
            continue
        assert name in pins, f"{name} is not in the lock"
        assert requirement.specifier.contains(pins[name], prereleases=True), f"{requirement} is locked at {pins[name]}"
        if name not in seen:
            seen.add(name)
            wanted += metadata.requires(name) or []
    assert seen == set(pins)


def test_the_tests_run_on_what_is_locked() -> None:
    installed = {name: metadata.version(name).partition("+")[0] for name in read_lock()}
    assert installed == read_lock()


def lock_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lock_script", SCRIPTS / "lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_script_drops_cuda_and_joins_the_builds_of_torch() -> None:
    resolved = """\
click==8.5.1              # via snn2circuit (pyproject.toml)
colorama==0.4.6 ; sys_platform == 'win32'  # via pytest
cuda-toolkit==13.0.3 ; platform_machine == 'x86_64' and sys_platform == 'linux'  # via torch
librt==0.16.0 ; platform_python_implementation != 'PyPy'  # via mypy
nvidia-cudnn-cu13==9.20.0.48 ; sys_platform == 'linux'  # via torch
setuptools==84.2.1
torch==2.13.0 ; python_full_version >= '3.12' or sys_platform == 'darwin' or sys_platform == 'win32'  # via x
torch==2.13.0+cpu ; python_full_version < '3.12' and sys_platform == 'linux'  # via x
triton==3.7.1 ; sys_platform == 'linux'  # via torch
"""
    assert lock_script().reduce(resolved) == [
        "click==8.5.1  # via snn2circuit (pyproject.toml)",
        "librt==0.16.0 ; platform_python_implementation != 'PyPy'  # via mypy",
        "setuptools==84.2.1",
        "torch==2.13.0  # via x",
    ]
    with pytest.raises(SystemExit, match="cannot read"):
        lock_script().reduce("click>=8\n")


def test_the_lock_script_adds_the_hashes_and_refuses_a_pin_without_any() -> None:
    script, (a, b, c) = lock_script(), (digit * 64 for digit in "abc")
    hashed = f" \\\n    --hash=sha256:{b} \\\n    --hash=sha256:{a}\n"
    published = script.read_hashes(f"click==8.5.1{hashed}torch==2.13.0 ; x{hashed}")
    wheels = script.read_wheels(f"# PyTorch's\n{c}  torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl\n")
    pins = ["click==8.5.1 ; python_version < '4'  # via x", "torch==2.13.0"]
    assert script.add_hashes(pins, published, wheels) == (
        f"click==8.5.1 ; python_version < '4' \\\n    --hash=sha256:{a} \\\n    --hash=sha256:{b}\n    # via x\n"
        f"torch==2.13.0 \\\n    --hash=sha256:{c}\n"
    )
    with pytest.raises(SystemExit, match=r"no hash of a wheel of rich==15\.0\.0"):
        script.add_hashes([*pins, "rich==15.0.0"], published, wheels)
    with pytest.raises(SystemExit, match=r"lists torch==2\.13\.0; list the wheels of the version that is locked"):
        script.add_hashes([pins[0], "torch==2.14.0"], published, wheels)


def test_the_lock_script_hands_over_the_sources_of_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nextra-index-url = file:///one\n    file:///two\nretries = 3\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels")
    monkeypatch.setenv("PIP_INDEX_URL", "file:///main")
    main, *others = lock_script().pip_sources()
    assert main == ("--default-index", "file:///main")
    assert ("--find-links", "/wheels") in others
    assert "3" not in {word for option in others for word in option}


# --- the scripts, on an imagined machine ----------------------------------------------------------


class Machine:
    """A path with only the commands a test puts there; each call of a planted command is written down."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.calls = folder / "calls"
        self.calls.touch()
        self.folder = folder
        for command in ("bash", "cat", "dirname", "env", "head", "mkdir", "rm", "sed", "sha256sum", "touch", "chmod"):
            (self.bin / command).symlink_to(shutil.which(command) or "/bin/false")

    def plant(self, name: str, script: str = "") -> None:
        path = self.bin / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >>"{self.calls}"\n{script}\n')
        path.chmod(0o755)

    def run(self, script: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [shutil.which("bash") or "/bin/bash", str(script), *arguments],
            env={"PATH": str(self.bin), "HOME": str(self.folder), **environment},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def called(self, *names: str) -> list[str]:
        return [call for call in self.calls.read_text().splitlines() if call.split()[0] in names]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Debian with Python, as root, without ngspice; apt-get install puts library and command where they are found."""
    machine = Machine(tmp_path)
    machine.plant("python3", f'exec "{sys.executable}" "$@"')
    machine.plant("id", "echo 0")
    machine.plant("ldconfig", f'[[ ! -e "{tmp_path}/installed" ]] || echo "libngspice.so.0 => /lib/libngspice.so.0"')
    ngspice = f"{machine.bin}/ngspice"
    installs = f'[[ "$*" != *" install "* ]] || {{ touch "{tmp_path}/installed" "{ngspice}"; chmod +x "{ngspice}"; }}'
    machine.plant("apt-get", installs)
    return machine


def test_apt_installs_what_is_missing_once(machine: Machine) -> None:
    script = SCRIPTS / "install_system.sh"
    done = machine.run(script, "demo")
    assert done.returncode == 0, done.stderr
    update, install = machine.called("apt-get")
    assert update.endswith(" update")
    assert install.endswith(" install --no-install-recommends libngspice0 ngspice")
    assert "--yes" in install
    assert machine.run(script, "demo").returncode == 0
    assert len(machine.called("apt-get")) == 2


def test_tests_need_more_than_the_demo(machine: Machine) -> None:
    tools = " ".join(f'"{machine.bin}/{tool}"' for tool in ("ngspice", "chromium", "node", "npm"))
    effect = f'touch "{machine.folder}/installed" {tools}; chmod +x {tools}'
    machine.plant("apt-get", f'[[ "$*" != *" install "* ]] || {{ {effect}; }}')
    done = machine.run(SCRIPTS / "install_system.sh", "test")
    assert done.returncode == 0, done.stderr
    wanted = ["libngspice0", "ngspice", "chromium", "nodejs", "npm"]
    wanted += [] if FASHION.is_dir() else ["dataset-fashion-mnist"]
    assert machine.called("apt-get")[-1].split("--no-install-recommends ")[1].split() == wanted


def test_commands_that_are_there_are_not_installed(machine: Machine) -> None:
    for tool in ("ngspice", "google-chrome", "node", "npm"):
        machine.plant(tool)
    machine.run(SCRIPTS / "install_system.sh", "test")
    assert machine.called("apt-get")[-1].split("--no-install-recommends ")[1].split()[0] == "libngspice0"
    assert not re.search(r"chromium|nodejs|npm", machine.called("apt-get")[-1])


def test_nothing_is_called_when_nothing_is_missing(machine: Machine) -> None:
    (machine.folder / "installed").touch()
    machine.plant("ngspice")
    assert machine.run(SCRIPTS / "install_system.sh", "demo").returncode == 0
    assert machine.called("apt-get", "sudo") == []


def test_a_library_named_by_the_environment_counts(machine: Machine) -> None:
    machine.plant("ngspice")
    done = machine.run(SCRIPTS / "install_system.sh", "demo", NGSPICE_LIBRARY_PATH="/opt/libngspice.so")
    assert done.returncode == 0
    assert machine.called("apt-get") == []


def test_a_normal_user_goes_through_sudo(machine: Machine) -> None:
    machine.plant("id", "echo 1000")
    machine.plant("sudo", 'shift\nexec "$@"')
    done = machine.run(SCRIPTS / "install_system.sh", "demo")
    assert done.returncode == 0, done.stderr
    assert [call.split()[1] for call in machine.called("sudo")] == ["--non-interactive"] * 2
    assert len(machine.called("apt-get")) == 2


@pytest.mark.parametrize(
    ("absent", "reason"),
    [
        ("sudo", "installing packages needs root, and there is no sudo"),
        ("apt-get", "there is no apt-get"),
        ("network", "apt-get update failed"),
        ("package", "apt-get install failed"),
        ("library", "something is still missing"),
    ],
)
def test_what_cannot_be_installed_is_named(absent: str, reason: str, machine: Machine) -> None:
    if absent == "sudo":
        machine.plant("id", "echo 1000")
    elif absent == "apt-get":
        (machine.bin / "apt-get").unlink()
    else:
        command = {"network": "update", "package": "install", "library": "nothing"}[absent]
        machine.plant("apt-get", f'[[ "$*" != *" {command}"* ]]')
    done = machine.run(SCRIPTS / "install_system.sh", "demo")
    assert done.returncode == 1
    assert reason in done.stderr
    assert "needed for 'make demo' and not found here: libngspice0 ngspice" in done.stderr


def test_a_system_without_python_gets_one(machine: Machine) -> None:
    machine.plant("python3", "exit 1")
    machine.run(SCRIPTS / "install_system.sh", "demo")
    assert machine.called("apt-get")[-1].endswith("libngspice0 ngspice python3 python3-venv")


@pytest.fixture
def checkout(tmp_path: Path, machine: Machine) -> Path:
    """A checkout in a folder with a space, and a Python whose environments write down what they are asked to do."""
    folder = tmp_path / "a checkout"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(SCRIPTS / "install_python.sh", folder / "scripts")
    (folder / "requirements.lock").write_text("click==8.5.1\n")
    (folder / "pyproject.toml").write_text("[project]\n")
    inner = f"""#!/bin/bash
echo "venv $*" >>"{machine.calls}"
case "$*" in
    *torch*) [[ ! -e "{tmp_path}/cuda" ]] || {{ echo "OSError: libcudart.so.13" >&2; exit 1; }} ;;
    -m*) ;;
    *) exec "{sys.executable}" "$@" ;;
esac
"""
    (tmp_path / "inner").write_text(inner)
    venv = f'mkdir -p .venv/bin; cat "{tmp_path}/inner" >.venv/bin/python; chmod +x .venv/bin/python'
    machine.plant("python3", f'[[ "$*" != "-m venv .venv" ]] || {{ {venv}; exit; }}\nexec "{sys.executable}" "$@"')
    return folder


def install(machine: Machine, checkout: Path, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the script; what it did is the list of steps it asked for."""
    before = len(machine.called("venv", "python3"))
    done = machine.run(checkout / "scripts" / "install_python.sh", **environment)
    calls = machine.called("venv", "python3")[before:]
    words = {"-m venv": "venv", "-r requirements": "packages", "--editable .": "package", " check": "check"}
    return done, [word for call in calls for mark, word in words.items() if mark in call]


def test_python_packages_are_installed_once(machine: Machine, checkout: Path) -> None:
    done, steps = install(machine, checkout)
    assert done.returncode == 0, done.stderr
    assert steps == ["venv", "packages", "package", "check"]
    for call in machine.called("venv"):
        assert " install " not in call or "--no-deps" in call
    assert install(machine, checkout)[1] == []


def test_a_changed_lock_is_installed_into_the_same_environment(machine: Machine, checkout: Path) -> None:
    install(machine, checkout)
    (checkout / ".venv" / "kept").touch()
    (checkout / "requirements.lock").write_text("click==8.5.2\n")
    assert install(machine, checkout)[1] == ["packages", "package", "check"]
    assert (checkout / ".venv" / "kept").exists()
    assert install(machine, checkout)[1] == []


def test_a_broken_environment_is_made_anew(machine: Machine, checkout: Path) -> None:
    install(machine, checkout)
    (checkout / ".venv" / "left over").touch()
    (checkout / ".venv" / "bin" / "python").unlink()
    (checkout / ".venv" / "bin" / "python").symlink_to("/nowhere/python3")
    assert install(machine, checkout)[1] == ["venv", "packages", "package", "check"]
    assert not (checkout / ".venv" / "left over").exists()


def test_a_moved_environment_is_made_anew(machine: Machine, checkout: Path) -> None:
    install(machine, checkout)
    moved = checkout.rename(checkout.with_name("moved"))
    assert install(machine, moved)[1] == ["venv", "packages", "package", "check"]


def test_a_torch_that_cannot_be_imported_stops_the_installation(machine: Machine, checkout: Path) -> None:
    (machine.folder / "cuda").touch()
    done, steps = install(machine, checkout)
    assert done.returncode == 1
    assert "PIP_EXTRA_INDEX_URL" in done.stderr
    assert steps == ["venv", "packages"]
    (machine.folder / "cuda").unlink()
    assert install(machine, checkout)[1] == ["packages", "package", "check"]


def test_an_old_python_is_refused_with_the_way_out(machine: Machine, checkout: Path) -> None:
    machine.plant("python3", "exit 1")
    done, steps = install(machine, checkout)
    assert (done.returncode, steps) == (1, [])
    assert "no Python 3.11 or newer" in done.stderr
    assert "sudo apt-get install python3 python3-venv" in done.stderr
    assert not (checkout / ".venv").exists()


def test_the_python_that_the_user_names_is_the_one_taken(machine: Machine, checkout: Path) -> None:
    done, _ = install(machine, checkout, PYTHON="/nowhere/python3.12")
    assert done.returncode == 1
    assert "looked for: /nowhere/python3.12" in done.stderr
    (machine.bin / "mine").write_text((machine.bin / "python3").read_text())
    (machine.bin / "mine").chmod(0o755)
    (machine.bin / "python3").unlink()
    assert install(machine, checkout, PYTHON=str(machine.bin / "mine"))[0].returncode == 0


# --- make and the judge ---------------------------------------------------------------------------


def make(*arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_make_alone_says_what_it_can_do() -> None:
    answer = make()
    for target in ("demo", "test", "install", "lint", "lock", "clean", "help"):
        assert re.search(rf"^\s*make {target}\s+\S", answer, re.MULTILINE)


def test_make_test_installs_checks_and_tests_in_this_order() -> None:
    plan = make("-n", "test")
    steps = ["install_system.sh test", "install_python.sh", "ruff check", "ruff format --check", "mypy", "pytest"]
    places = [plan.index(step) for step in steps]
    assert places == sorted(places)


def test_the_judge_runs_the_tests_also_as_another_processor_rounds() -> None:
    judge = ROOT / ".ci" / "run"
    assert os.access(judge, os.X_OK)
    assert judge.read_text().endswith("\nmake test\nexec bash scripts/test_rounding.sh other\n")


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_sound_shell(script: Path) -> None:
    assert os.access(script, os.X_OK)
    text = script.read_text("utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert re.search(r"^set -euo pipefail$", text, re.MULTILINE)
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_the_licence_is_the_whole_gpl() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.split("\n", 2)[0].strip() == "GNU GENERAL PUBLIC LICENSE"
    assert "Version 3, 29 June 2007" in text
    assert [int(number) for number in re.findall(r"^  (\d+)\. ", text, re.MULTILINE)] == list(range(18))
    assert "END OF TERMS AND CONDITIONS" in text
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "GPL-3.0-or-later"
