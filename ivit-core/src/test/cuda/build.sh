#!/bin/sh
# Compiles the CUDA kernels for the processor: build.sh KERNELS EMULATION OUTPUT
#
# Puts OUTPUT/libivit-cuda-emulator.so. Where there is no C++ compiler it says so and ends well: the
# tests that need it are skipped.
set -eu

kernels=$1
emulation=$2
output=$3
library=$output/libivit-cuda-emulator.so

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

mkdir -p "$output"
if [ -f "$library" ] && [ -z "$(find "$kernels" "$emulation" -newer "$library" -type f)" ]; then
  exit 0
fi

# Integers wrap as on a GPU. Warnings are errors in scripts/check-cuda only.
flags="-std=c++17 -O2 -fPIC -shared -fvisibility=hidden -fwrapv -Wall -Wextra -Wno-unknown-pragmas"
# shellcheck disable=SC2086
"$compiler" $flags -DIVIT_EMULATION -I"$emulation" -I"$kernels" -o "$library.$$" "$emulation"/*.cpp
mv "$library.$$" "$library"
echo "CUDA emulator: built by $compiler"
