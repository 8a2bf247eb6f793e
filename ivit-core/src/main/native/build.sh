#!/bin/sh
# Compiles the native CPU kernels: build.sh SOURCES OUTPUT JAVA_HOME (absolute folders)
#
# Puts OUTPUT/native/OS-ARCH/libivit.so and its SHA-256 beside it. Where there is no C compiler, one that
# fails, or no jni.h, it says so and ends well: the jar is then portable Java.
set -eu

sources=$1
engine=$1
output=$2
java_home=$3
library=libivit
kernels="native CPU kernels"
instead="the CPU engine will be portable Java"
. "$sources/compiler.sh"

digest=$output/native/$os-$arch/libivit.so.sha256
if [ -f "$digest" ] && [ -z "$(find "$sources" -newer "$digest" -type f)" ]; then
  exit 0
fi

# Warnings are errors in scripts/check-native only: other compilers have others.
flags="-std=c11 -D_GNU_SOURCE -O3 -fPIC -fvisibility=hidden -Wall -Wextra -Wno-unknown-pragmas"
avx2="-mavx2"
avx512="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vbmi"
vnni="$avx512 -mavx512vnni"
amx="$avx512 -mamx-tile -mamx-int8"

# own NAME FLAG...
own() {
  name=$1
  shift
  compile "$sources/$name.c" "$name" "$@"
}

has=
# shellcheck disable=SC2086
if [ "$arch" = x86_64 ]; then
  if supports $avx2; then
    has="$has -DIVIT_HAS_AVX2"
    for part in gemm epilogue norm softmax; do
      own ${part}_avx2 $avx2
    done
  fi
  if supports $vnni; then
    has="$has -DIVIT_HAS_VNNI"
    own gemm_vnni $vnni
    own epilogue_avx512 $avx512
    own norm_avx512 $avx512
    own softmax_avx512 $avx512
  fi
  if supports $amx; then
    has="$has -DIVIT_HAS_AMX"
    own gemm_amx $amx
  fi
fi
for part in arena attention block cpu_features epilogue_c gemm_c jni kernels_c linear model \
    norm_c norm_statistics pack softmax_c; do
  # shellcheck disable=SC2086
  own $part $has
done

link_library
echo "$kernels: built for $os-$arch by $compiler,$has"
