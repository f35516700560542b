#!/usr/bin/env bash
# Installs the Debian packages that `demo` or `test` lacks here. Looks for the libraries and commands themselves, so apt
# is called only when one is missing.
#
#     scripts/install_system.sh demo|test
set -euo pipefail

purpose=${1:?usage: install_system.sh demo|test}
PATH=$PATH:/usr/sbin:/sbin # where Debian keeps ldconfig, outside a normal user's path
fashion=/usr/share/datasets/fashion-mnist
missing=()

have() {
    local command
    for command in "$@"; do
        command -v "$command" >/dev/null 2>&1 && return
    done
    return 1
}

have_ngspice_library() {
    [[ -n ${NGSPICE_LIBRARY_PATH:-} ]] || { have ldconfig && [[ $(ldconfig -p) == *libngspice.so* ]]; }
}

look() {
    missing=()
    have_ngspice_library || missing+=(libngspice0)
    have ngspice || missing+=(ngspice) # to run a deck by hand
    bash "$(dirname "$0")/install_python.sh" --have-python || missing+=(python3 python3-venv)
    if [[ $purpose == test ]]; then
        have chromium chromium-browser google-chrome || missing+=(chromium)
        have node || missing+=(nodejs)
        have npm || missing+=(npm)
        [[ -d $fashion ]] || missing+=(dataset-fashion-mnist)
    fi
}

give_up() {
    echo "install_system: $1" >&2
    echo "install_system: needed for 'make $purpose' and not found here: ${missing[*]}" >&2
    echo "install_system: install these Debian packages (or what your system calls them), then run make again" >&2
    exit 1
}

[[ $purpose == demo || $purpose == test ]] || { echo "install_system: '$purpose' is neither demo nor test" >&2; exit 2; }
look
((${#missing[@]} == 0)) && exit 0

have apt-get || give_up "there is no apt-get on this system"
as_root=()
if [[ $(id -u) != 0 ]]; then
    have sudo || give_up "installing packages needs root, and there is no sudo"
    as_root=(sudo)
    [[ -t 0 ]] || as_root+=(--non-interactive)
fi

echo "install_system: installing ${missing[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --yes --quiet -o Dpkg::Use-Pty=0)
"${apt[@]}" update </dev/null || give_up "apt-get update failed, see above"
"${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null || give_up "apt-get install failed, see above"
look
((${#missing[@]} == 0)) || give_up "apt-get reports success, but something is still missing"
