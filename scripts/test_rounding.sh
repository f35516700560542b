#!/usr/bin/env bash
# Runs the tests as machines with another processor would round: the variables make the libraries use other kernels,
# which add in another order. No test may notice.
#
#     scripts/test_rounding.sh                      every setting, one after the other; ends with a list
#     scripts/test_rounding.sh other [ARGUMENTS]    one of them; arguments are pytest's, e.g. tests/training
set -euo pipefail

cd "$(dirname "$0")/.."
settings="aten_default ATEN_CPU_CAPABILITY=default
aten_avx2 ATEN_CPU_CAPABILITY=avx2
mkl_compatible MKL_CBWR=COMPATIBLE
mkl_avx2 MKL_CBWR=AVX2
mkl_avx512 MKL_CBWR=AVX512
openblas_prescott OPENBLAS_CORETYPE=Prescott
openblas_haswell OPENBLAS_CORETYPE=Haswell
openblas_zen OPENBLAS_CORETYPE=Zen
numba_generic NUMBA_CPU_NAME=generic NUMBA_CACHE_DIR=.cache/numba-generic
one_thread OMP_NUM_THREADS=1
two_threads OMP_NUM_THREADS=2
other ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE OPENBLAS_CORETYPE=Prescott NUMBA_CPU_NAME=generic \
NUMBA_CACHE_DIR=.cache/numba-generic OMP_NUM_THREADS=1"

if (($# > 0)); then
    line=$(grep "^$1 " <<<"$settings") || {
        echo "test_rounding: '$1' is none of: $(cut -d' ' -f1 <<<"$settings" | paste -sd' ')" >&2
        exit 2
    }
    read -ra variables <<<"${line#* }"
    echo "test_rounding: ${variables[*]}"
    # A relative folder would be another one for every test that starts a process somewhere else.
    exec env "${variables[@]/#NUMBA_CACHE_DIR=/NUMBA_CACHE_DIR=$PWD/}" .venv/bin/python -m pytest -n 2 --dist loadfile "${@:2}"
fi

failed=()
while read -r name _; do
    bash scripts/test_rounding.sh "$name" </dev/null || failed+=("$name")
done <<<"$settings"
((${#failed[@]} == 0)) || { echo "test_rounding: failed under ${failed[*]}" >&2; exit 1; }
echo "test_rounding: passed under every setting"
