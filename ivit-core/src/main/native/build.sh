#!/bin/sh
# Compiles the native CPU kernels: build.sh SOURCES OUTPUT JAVA_HOME (absolute folders)
#
# Puts OUTPUT/native/OS-ARCH/libivit.so (.dll for Windows) and its SHA-256 beside it, for this machine and
# the other platforms that compiler.sh finds compilers for. Where there is none, one that fails, or no jni.h,
# it says so and ends well: the jar is then portable Java.
set -eu

sources=$1
engine=$1
output=$2
java_home=$3
library=libivit
kernels="native CPU kernels"
instead="the CPU engine will be portable Java"
. "$sources/compiler.sh"

# Warnings are errors in scripts/check-native only: other compilers have others.
flags="-std=c11 -D_GNU_SOURCE -O3 -fvisibility=hidden -Wall -Wextra -Wno-unknown-pragmas"
. "$engine/sets.sh"

set_of() {
  compile_set '' "$@"
  built="$built $1"
}

build_engine() {
  sets_header
  built=
  each_set shared set_of
  built=
  each_set engine set_of
  for part in $(common_files) jni; do
    compile "$sources/$part.c" "$part"
  done
  link_library
  echo "$kernels: built for $target by $compiler:$built"
}
each_target build_engine
