#!/bin/sh
# Compiles CUDA kernels for the processor: build.sh LIBRARY REGISTRY EMULATION KERNELS...
#
# Makes LIBRARY of the kernels that the file REGISTRY lists, whose sources lie in the folders KERNELS,
# and of the folder EMULATION, and a file with the compiler's name beside it. Where there is no C++
# compiler, or none that works, it says so and ends well: the tests that need it are skipped. One that
# fails on these sources ends the build.
set -eu

library=$1
registry=$2
emulation=$3
shift 3

mkdir -p "$(dirname "$library")"
probe=$(dirname "$library")/probe
echo '#include <cstdlib>' >"$probe.cpp"
compiler=
reason="no C++ compiler (g++, c++, clang++)"
for candidate in ${CXX:+"$CXX"} g++ c++ clang++; do
  command -v "$candidate" >/dev/null 2>&1 || continue
  if "$candidate" -fPIC -shared "$probe.cpp" -o "$probe.so" >/dev/null 2>&1; then
    compiler=$candidate
    break
  fi
  reason="the C++ compiler $candidate fails on a file of one line"
done
if [ -z "$compiler" ]; then
  echo "CUDA emulator: skipped, $reason"
  rm -f "$library" "$(dirname "$library")/compiler"
  exit 0
fi
printf %s "$compiler" >"$(dirname "$library")/compiler"

if [ -f "$library" ] && [ -z "$(find "$registry" "$emulation" "$@" -newer "$library" -type f)" ]; then
  exit 0
fi

folders=$#
for folder in "$@"; do
  set -- "$@" "-I$folder"
done
shift "$folders"
set -- "-I$emulation" "$@" "$registry"
for file in "$emulation"/*.cpp; do
  [ "$(basename "$file")" = registry.cpp ] || set -- "$@" "$file"
done

# Integers wrap and products of reals are rounded as on a GPU. Warnings are errors in
# scripts/check-cuda only.
flags="-std=c++17 -O2 -fPIC -shared -fvisibility=hidden -fwrapv -ffp-contract=off -Wall -Wextra -Wno-unknown-pragmas -Wno-psabi"
# shellcheck disable=SC2086 # flags are words
"$compiler" $flags -DIVIT_EMULATION "$@" -o "$library.$$"
mv "$library.$$" "$library"
echo "CUDA emulator: built by $compiler"
