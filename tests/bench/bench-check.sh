#!/bin/bash
# SPDX-License-Identifier: MIT
# scripts/bench-check against a run that was altered figure by figure: each limit from both sides.
#
# usage: tests/bench/bench-check.sh
. "$(dirname "$0")/../scripts/lib.sh"

base=$scratch/base.json run=$scratch/run.json

# A benchmark of two programs; then one figure is multiplied: alter GROUP|PROGRAM ENGINE METRIC FACTOR
cat > "$base" <<'JSON'
{"programs": [
  {"name": "one", "native": {"cycles": 1000, "bytes": 100}, "thumb": {"cycles": 1100, "bytes": 110}, "interp": {"cycles": 16000, "bytes": 200}},
  {"name": "two", "native": {"cycles": 2000, "bytes": 200}, "thumb": {"cycles": 2200, "bytes": 220}, "interp": {"cycles": 32000, "bytes": 300}}],
 "geomean": {"thumb_cycles": 1.1, "thumb_bytes": 1.1, "interp_cycles": 16},
 "geomean_without_maps": {"thumb_cycles": 1.1, "thumb_bytes": 1.1, "interp_cycles": 16},
 "geomean_with_maps": {"thumb_cycles": 1.1, "thumb_bytes": 1.1, "interp_cycles": 16}}
JSON

alter() {
    python3 - "$base" "$run" "$@" <<'PY'
import json, sys
source, target, *change = sys.argv[1:]
data = json.load(open(source))
if change[0] == "gone":
    data["programs"] = [p for p in data["programs"] if p["name"] != change[1]]
elif change[0] == "new":
    data["programs"].append(dict(data["programs"][0], name=change[1]))
else:
    path, factor = change[:-1], float(change[-1])
    at = data if path[0].startswith("geomean") else {p["name"]: p for p in data["programs"]}
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] *= factor
json.dump(data, open(target, "w"))
PY
}

# gives STATUS PATTERN NAME: bench-check exits so and says so
gives() {
    expect "$3" "$1" "$2" "$top/scripts/bench-check" "$base" "$run"
}

alter one thumb cycles 1.0;  gives 0 'as good as' 'the same figures'
for figure in 'thumb cycles' 'thumb bytes' 'interp cycles' 'native cycles' 'native bytes'; do
    alter two $figure 1.049; gives 0 'as good as' "two $figure a little worse"
    alter two $figure 1.051; gives 1 "two: $figure .*\+5.1 %" "two $figure worse"
    alter two $figure 0.94;  gives 0 'make bench-baseline' "two $figure better"
done
for group in geomean geomean_without_maps geomean_with_maps; do
    for mean in thumb_cycles thumb_bytes interp_cycles; do
        alter $group $mean 1.019; gives 0 'as good as' "$group $mean a little worse"
        alter $group $mean 1.021; gives 1 "$group: $mean .*\+2.1 %" "$group $mean worse"
    done
done
alter gone two;              gives 1 'gone: two' 'a program has gone'
alter new three;             gives 0 'not compared\): three' 'a program is new'
alter one thumb cycles 0;    gives 2 'not the output' 'a figure that is 0'
echo '{"programs": []}' > "$run"; gives 2 'not the output' 'no means'
echo 'rubbish' > "$run";          gives 2 'not the output' 'not JSON'
alter one thumb cycles 2
expect 'JSON output' 1 '"ok": false, "worse": \[\{"figure": "one: thumb cycles", .*"percent": 100' \
    "$top/scripts/bench-check" --json "$base" "$run"
expect 'a file that is missing' 2 'not the output' "$top/scripts/bench-check" "$base" "$scratch/none"
finish
