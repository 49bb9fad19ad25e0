#!/usr/bin/env bash
# The conformance suite and two trainings on an accelerator, within eight minutes; the results lie in one folder.
#
#     benchmarks/gpu.sh results/gpu              # torch and JAX on the first GPU
#     DEVICE=cpu SELECT=reductions/ MINUTES=1 benchmarks/gpu.sh /tmp/results    # a trial on the CPU
#
# BACKENDS  which backends (default: torch,jax)
# DEVICE    where tensors are placed (default: gpu)
# MINUTES   how long the suite may take (default: 5); what it found until then is kept in suite.jsonl
# SELECT    only trials with this in their family/name
# WORKERS   processes of the suite (default: 6)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=${1:?the folder for the results}
python=${PYTHON:-.venv/bin/python}
backends=${BACKENDS:-torch,jax}
export UNIGRAD_DEVICE=${DEVICE:-gpu} MPLBACKEND=Agg TF_CPP_MIN_LOG_LEVEL=3
# JAX would take three quarters of the memory in each process.
export XLA_PYTHON_CLIENT_PREALLOCATE=false
mkdir -p "$out"

# run NAME SECONDS COMMAND...: its output in NAME.txt, and how it ended in summary.txt.
run() {
    local name=$1 seconds=$2 start=$SECONDS status=0
    shift 2
    timeout --signal=INT --kill-after=10 "$seconds" "$@" >"$out/$name.txt" 2>&1 </dev/null || status=$?
    printf '%-24s exit status %d after %d s\n' "$name" "$status" "$((SECONDS - start))" | tee -a "$out/summary.txt"
}

: >"$out/summary.txt"
nvidia-smi >"$out/devices.txt" 2>&1 || true
"$python" -m unigrad info --wait >>"$out/devices.txt" 2>&1

select=()
[[ -n ${SELECT:-} ]] && select=(-k "$SELECT")
run suite "$((${MINUTES:-5} * 60))" "$python" -m unigrad conformance --backend "$backends" --device "$UNIGRAD_DEVICE" \
    --level quick --workers "${WORKERS:-6}" --resume "$out/suite.jsonl" --report "$out/report.html" \
    --report "$out/report.md" --junit "$out/suite.xml" "${select[@]}"
for backend in ${backends//,/ }; do
    run "mlp-$backend" 40 "$python" examples/mnist_mlp.py --backend "$backend" --output "$out/mlp-$backend"
    run "g2p-$backend" 40 "$python" examples/g2p.py --backend "$backend" --steps 40 --test 64 --output "$out/g2p-$backend"
done
cat "$out/summary.txt"
