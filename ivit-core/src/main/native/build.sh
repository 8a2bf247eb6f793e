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
. "$engine/sets.sh"
sets_header
built=

# set_of NAME FLAG...: every file of a set
set_of() {
  name=$1
  shift
  for file in "$sources"/*_"$name".c; do
    compile "$file" "$(basename "$file" .c)" "$@"
  done
  built="$built $name"
}
each_set shared set_of
built=
each_set engine set_of

for part in $(common_files) jni; do
  compile "$sources/$part.c" "$part"
done

link_library
echo "$kernels: built for $os-$arch by $compiler:$built"
