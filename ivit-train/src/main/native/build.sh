#!/bin/sh
# Compiles the kernels of training: build.sh SOURCES ENGINE OUTPUT JAVA_HOME (absolute folders)
#
# ENGINE has the sources of the CPU engine's kernels, whose integer products serve here too.
#
# Puts OUTPUT/native/OS-ARCH/libivit-train.so and its SHA-256 beside it. Where there is no C compiler, one
# that fails, or no jni.h, it says so and ends well: training is then portable Java.
set -eu

sources=$1
engine=$2
output=$3
java_home=$4
library=libivit-train
kernels="native training kernels"
instead="training will be portable Java"
. "$engine/compiler.sh"

digest=$output/native/$os-$arch/libivit-train.so.sha256
if [ -f "$digest" ] && [ -z "$(find "$sources" "$engine" -newer "$digest" -type f)" ]; then
  exit 0
fi

# Sums may be taken in another order, and nothing else: no multiplication and addition become one.
flags="-std=c11 -D_GNU_SOURCE -O3 -fPIC -fvisibility=hidden -Wall -Wextra -Wno-unknown-pragmas -fno-math-errno"
flags="$flags -fno-trapping-math -fno-signed-zeros -fassociative-math -ffp-contract=off"

# set_of NAME FLAG...: the row kernels of an instruction set
set_of() {
  name=$1
  shift
  compile "$sources/kernels.c" "kernels_$name" "-DIVIT_SET=ivit_training_$name" \
    "-DIVIT_SET_NAME=\"$name\"" "$@"
}

# shared NAME FLAG...: one of the engine's, under the name of its own build
shared() {
  name=$1
  shift
  compile "$engine/$name.c" "engine_$name" "$@"
}

avx2="-mavx2 -mfma"
avx512="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mprefer-vector-width=512"
sets=
# shellcheck disable=SC2086
if [ "$arch" = x86_64 ]; then
  if supports $avx2; then
    sets="$sets -DIVIT_HAS_AVX2"
    set_of avx2 $avx2
  fi
  if supports $avx512; then
    sets="$sets -DIVIT_HAS_AVX512"
    set_of avx512 $avx512
  fi
fi
set_of c
# shellcheck disable=SC2086
compile "$sources/choose.c" choose $sets
compile "$sources/product.c" product
compile "$sources/jni.c" jni

engine_avx512="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vbmi"
engine_vnni="$engine_avx512 -mavx512vnni"
engine_amx="$engine_avx512 -mamx-tile -mamx-int8"
has=
# shellcheck disable=SC2086
if [ "$arch" = x86_64 ]; then
  if supports $engine_vnni; then
    has="$has -DIVIT_HAS_VNNI"
    shared gemm_vnni $engine_vnni
    for part in epilogue norm softmax; do
      shared ${part}_avx512 $engine_avx512
    done
    if supports $engine_amx; then
      has="$has -DIVIT_HAS_AMX"
      shared gemm_amx $engine_amx
    fi
  fi
fi
for part in arena cpu_features epilogue_c gemm_c kernels_c norm_c norm_statistics pack softmax_c; do
  # shellcheck disable=SC2086
  shared $part $has
done

link_library -lm
echo "$kernels: built for $os-$arch by $compiler,$sets$has"
