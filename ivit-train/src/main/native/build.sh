#!/bin/sh
# Compiles the kernels of training: build.sh SOURCES ENGINE OUTPUT JAVA_HOME (absolute folders)
#
# ENGINE has the sources of the CPU engine's kernels, whose integer products serve here too.
#
# Puts OUTPUT/native/OS-ARCH/libivit-train.so (.dll for Windows) and its SHA-256 beside it, for this machine
# and the other platforms that compiler.sh finds compilers for. Where there is none, one that fails, or no
# jni.h, it says so and ends well: training is then portable Java.
set -eu

sources=$1
engine=$2
output=$3
java_home=$4
library=libivit-train
kernels="native training kernels"
instead="training will be portable Java"
. "$engine/compiler.sh"

# Sums may be taken in another order, and nothing else: no multiplication and addition become one.
flags="-std=c11 -D_GNU_SOURCE -O3 -fvisibility=hidden -Wall -Wextra -Wno-unknown-pragmas -fno-math-errno"
flags="$flags -fno-trapping-math -fno-signed-zeros -fassociative-math -ffp-contract=off"

. "$engine/sets.sh"

rows_of() {
  compile_rows "$sources/kernels.c" "kernels_$1" "$@"
  sets="$sets $1"
}

# The engine's kernels, under the names of its own build.
products_of() {
  compile_set engine_ "$@"
  built="$built $1"
}

build_training() {
  sets_header
  sets=
  each_set training rows_of
  for part in choose product jni; do
    compile "$sources/$part.c" "$part"
  done
  built=
  each_set shared products_of
  built=
  each_set engine products_of
  for part in $(common_files); do
    case $part in
      attention | block | linear | model) ;;
      *) compile "$engine/$part.c" "engine_$part" ;;
    esac
  done
  link_library -lm
  echo "$kernels: built for $target by $compiler:$sets; products$built"
}
each_target build_training
