#!/usr/bin/env bash
# Makes .venv hold the packages of requirements.lock and this package itself, editable. A stamp inside .venv remembers
# for which lock, pyproject.toml and folder that was done; when nothing changed, nothing is done. A file whose hash is not
# in the lock is refused, and so is everything that would have to be built.
#
#     scripts/install_python.sh                  install
#     scripts/install_python.sh --have-python    only say (by exit code) whether a fitting Python is here
#
# PYTHON names the interpreter that a new .venv is made with; without it, the first fitting one on the path is taken.
# SNN2CIRCUIT_TORCH names a wheel of torch (file or address) to install instead of the locked one; nothing checks it.
set -euo pipefail

cd "$(dirname "$0")/.."
venv_python=.venv/bin/python
stamp=.venv/snn2circuit.stamp
torch=${SNN2CIRCUIT_TORCH:-}

fits() {
    "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

candidates=(python3 python3.11 python3.12 python3.13 python3.14)
[[ -z ${PYTHON:-} ]] || candidates=("$PYTHON")

find_python() {
    local candidate
    for candidate in "${candidates[@]}"; do
        if fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

venv_works() {
    [[ -x $venv_python ]] && fits "$venv_python" && "$venv_python" -m pip --version >/dev/null 2>&1
}

fingerprint() {
    # A virtual environment cannot be moved, hence the folder.
    pwd
    sha256sum requirements.lock pyproject.toml
    echo "torch: ${torch:-as locked}"
}

if [[ ${1:-} == --have-python ]]; then
    find_python >/dev/null
    exit
fi

wanted=$(fingerprint)
if [[ -r $stamp && $(<"$stamp") == "$wanted" ]] && fits "$venv_python"; then
    exit 0
fi

# Only a stamp of another folder proves a moved environment; one without a stamp may be the user's own.
if ! venv_works || [[ -r $stamp && $(head -n 1 "$stamp") != "$PWD" ]]; then
    python=$(find_python) || {
        echo "install_python: no Python 3.11 or newer with the venv module; looked for: ${candidates[*]}" >&2
        echo "install_python: install one (Debian: sudo apt-get install python3 python3-venv) or name one: make PYTHON=/path/to/python3" >&2
        exit 1
    }
    echo "install_python: making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi

echo "install_python: installing the packages of requirements.lock (most of the time goes into torch)"
pip=("$venv_python" -m pip --disable-pip-version-check --no-input)
lock=requirements.lock
if [[ -n $torch ]]; then
    echo "install_python: torch comes from $torch, as SNN2CIRCUIT_TORCH says; its hash is NOT checked" >&2
    lock=.venv/without-torch.lock
    sed '/^torch==/,/[^\\]$/d' requirements.lock >"$lock"
elif [[ -r $stamp && $(<"$stamp") == *"torch: "* && $(<"$stamp") != *"torch: as locked"* ]]; then
    # What is there was not checked, and pip would be content with its version.
    "${pip[@]}" uninstall --yes torch </dev/null
fi
"${pip[@]}" install --require-hashes --only-binary :all: --no-deps -r "$lock" </dev/null || {
    echo "install_python: not everything could be installed, see above. Hashes that differ mean that your index or folder of" >&2
    echo "install_python: wheels serves another file than requirements.lock names. For torch it is probably a CUDA build: let" >&2
    echo "install_python: PIP_EXTRA_INDEX_URL name PyTorch's index of CPU wheels, or SNN2CIRCUIT_TORCH a wheel of your own," >&2
    echo "install_python: which is installed unchecked. For any other package, find out why before you trust it" >&2
    exit 1
}
[[ -z $torch ]] || "${pip[@]}" install --no-deps --force-reinstall "$torch" </dev/null
"$venv_python" -c 'import torch; print("install_python: torch", torch.__version__)' || {
    echo "install_python: torch is installed but cannot be imported, see above. If it looks for a CUDA library, pip took a" >&2
    echo "install_python: CUDA build: let PIP_EXTRA_INDEX_URL name PyTorch's index of CPU wheels, remove .venv, run make again" >&2
    exit 1
}
"${pip[@]}" install --no-deps --no-build-isolation --editable . </dev/null
"${pip[@]}" check
echo "$wanted" >"$stamp"
