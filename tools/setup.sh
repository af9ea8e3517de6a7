#!/bin/sh
# Makes the virtual environment that `make` works in, or finds that it is there and complete; called by the Makefile.
#
#   LINE=current|classic  GPU=1 or empty  PYTHON=an interpreter or empty  sh tools/setup.sh VENV CONSTRAINTS EXTRAS
#
# VENV/.ready is written last and says what was installed: without it, an earlier setup was interrupted and is made anew.
set -eu
venv=$1 constraints=$2 extras=$3
ready=$venv/.ready

fail() {
    echo "error: $*" >&2
    exit 2
}

case $LINE in
    current) fitting="3.13 3.12 3.11" named="Python 3.11, 3.12 or 3.13" ;;
    classic) fitting="3.11" named="Python 3.11" ;;
    *) fail "LINE=$LINE: choose current (TensorFlow 2.21) or classic (TensorFlow 2.15)" ;;
esac
needs="cosembed needs $named for the $LINE line of TensorFlow"
remedy="install one and its venv module (on Debian apt-get install python3 python3-venv), or run make PYTHON=/path/to/python"

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}

fits() {
    case " $fitting " in *" ${1:-none} "*) return 0 ;; *) return 1 ;; esac
}

# The newest fitting Python that can make virtual environments, into `python` and `version`.
choose() {
    without_venv=
    for python in ${PYTHON:-$(for v in $fitting; do echo "python$v"; done) python3}; do
        version=$(version_of "$python")
        if fits "$version"; then
            if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
                return
            fi
            without_venv=${without_venv:-$version}
        elif [ -n "${PYTHON:-}" ]; then
            fail "PYTHON=$PYTHON is ${version:+Python }${version:-not a Python}, $needs: name another one"
        fi
    done
    if [ -n "$without_venv" ]; then
        fail "Python $without_venv has no venv module: install it (on Debian apt-get install python$without_venv-venv)"
    fi
    fail "$needs, this machine has none: $remedy"
}

wanted="$LINE $(cat setup.py pyproject.toml "$constraints" | cksum)"
found=$(cat "$ready" 2>/dev/null || true)
# Once installed, TensorFlow's CUDA packages stay.
case $found in *" gpu") GPU=1 ;; esac
gpu=${GPU:+ gpu}
inside=$(version_of "$venv/bin/python")
# Who asks for another Python by name gets it.
if [ -n "${PYTHON:-}" ] && [ "$(version_of "$PYTHON")" != "$inside" ]; then
    inside=
fi
if fits "$inside" && [ "$found" = "$wanted$gpu" ]; then
    exit 0
fi

if [ -z "$found" ] || ! fits "$inside"; then
    choose
    if [ -e "$venv" ]; then
        echo "$venv is incomplete or of another Python: it is made anew"
    fi
    echo "Python $version ($(command -v "$python")) for the $LINE line of TensorFlow, into $venv"
    rm -rf "$venv"
    "$python" -m venv "$venv" || fail "$venv cannot be made: free space on the disk, or choose another Python with PYTHON="
fi
rm -f "$ready"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile --constraint "$constraints" \
    --editable ".[$extras${GPU:+,gpu}]" ||
    fail "the packages could not be installed: check the network and the disk, and run the same command again"
# pip would compile on one core only. Files that are not for this Python, such as templates, stay as they are.
"$venv/bin/python" -m compileall -q -j 0 "$venv/lib" >/dev/null 2>&1 || true
echo "$wanted$gpu" >"$ready"
