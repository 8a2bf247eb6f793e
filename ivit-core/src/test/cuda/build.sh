#!/bin/sh
# Compiles CUDA kernels for the processor: build.sh LIBRARY REGISTRY EMULATION KERNELS...
#
# Makes LIBRARY of the kernels that the file REGISTRY lists, whose sources lie in the folders KERNELS,
# and of the folder EMULATION. Where there is no C++ compiler it says so and ends well: the tests that
# need it are skipped.
set -eu

library=$1
registry=$2
emulation=$3
shift 3

compiler=
for candidate in ${CXX:-} g++ c++ clang++; do
  if command -v "$candidate" >/dev/null 2>&1; then
    compiler=$candidate
    break
  fi
done
if [ -z "$compiler" ]; then
  echo "CUDA emulator: skipped, no C++ compiler (g++, c++, clang++)"
  rm -f "$library"
  exit 0
fi

mkdir -p "$(dirname "$library")"
if [ -f "$library" ] && [ -z "$(find "$registry" "$emulation" "$@" -newer "$library" -type f)" ]; then
  exit 0
fi

includes=-I$emulation
for folder in "$@"; do
  includes="$includes -I$folder"
done
sources=$registry
for file in "$emulation"/*.cpp; do
  [ "$(basename "$file")" = registry.cpp ] || sources="$sources $file"
done

# Integers wrap and products of reals are rounded as on a GPU. Warnings are errors in
# scripts/check-cuda only.
flags="-std=c++17 -O2 -fPIC -shared -fvisibility=hidden -fwrapv -ffp-contract=off -Wall -Wextra -Wno-unknown-pragmas"
# shellcheck disable=SC2086
"$compiler" $flags -DIVIT_EMULATION $includes -o "$library.$$" $sources
mv "$library.$$" "$library"
echo "CUDA emulator: built by $compiler"
