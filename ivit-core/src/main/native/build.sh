#!/bin/sh
# Compiles the native CPU kernels: build.sh SOURCES OUTPUT JAVA_HOME
#
# Puts OUTPUT/native/OS-ARCH/libivit.so and its SHA-256 beside it. Where there is no C compiler or
# no jni.h it says so and ends well: the jar is then portable Java.
set -eu

sources=$1
output=$2
java_home=$3

skip() {
  echo "native CPU kernels: skipped, $1; the CPU engine will be portable Java"
  rm -rf "$output/native"
  mkdir -p "$output/native"
  # NativeLibrary says it to who wonders why the engine is slow.
  echo "$1" >"$output/native/libivit.skipped"
  exit 0
}

compiler=
for candidate in ${CC:-} gcc cc clang; do
  if command -v "$candidate" >/dev/null 2>&1; then
    compiler=$candidate
    break
  fi
done
[ -n "$compiler" ] || skip "no C compiler (gcc, cc, clang)"

include=
for candidate in "$java_home/include" "$java_home/../include"; do
  if [ -f "$candidate/jni.h" ]; then
    include=$candidate
    break
  fi
done
[ -n "$include" ] || skip "no jni.h under $java_home"

# The names that NativeLibrary composes of os.name and os.arch.
os=$(uname -s | tr '[:upper:]' '[:lower:]')
arch=$(uname -m | sed -e 's/^amd64$/x86_64/' -e 's/^arm64$/aarch64/')
folder=$output/native/$os-$arch
objects=$output/../native-objects
library=$folder/libivit.so
mkdir -p "$folder" "$objects"
rm -f "$output/native/libivit.skipped"

if [ -f "$library.sha256" ] && [ -z "$(find "$sources" -newer "$library.sha256" -type f)" ]; then
  exit 0
fi

# Warnings are errors in scripts/check-native only: other compilers have others.
flags="-std=c11 -D_GNU_SOURCE -O3 -fPIC -fvisibility=hidden -Wall -Wextra -Wno-unknown-pragmas"
flags="$flags -I$sources -I$include -I$include/$os"

supports() {
  echo 'int main(void) { return 0; }' >"$objects/probe.c"
  "$compiler" "$@" -c "$objects/probe.c" -o "$objects/probe.o" >/dev/null 2>&1
}

compile() {
  file=$1
  shift
  # shellcheck disable=SC2086
  "$compiler" $flags "$@" -c "$sources/$file" -o "$objects/${file%.c}.o"
  linked="$linked $objects/${file%.c}.o"
}

avx2="-mavx2"
avx512="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vbmi"
vnni="$avx512 -mavx512vnni"
amx="$avx512 -mamx-tile -mamx-int8"

linked=
has=
# shellcheck disable=SC2086
if [ "$arch" = x86_64 ]; then
  if supports $avx2; then
    has="$has -DIVIT_HAS_AVX2"
    for file in gemm epilogue norm softmax; do
      compile ${file}_avx2.c $avx2
    done
  fi
  if supports $vnni; then
    has="$has -DIVIT_HAS_VNNI"
    compile gemm_vnni.c $vnni
    compile epilogue_avx512.c $avx512
    compile norm_avx512.c $avx512
    compile softmax_avx512.c $avx512
  fi
  if supports $amx; then
    has="$has -DIVIT_HAS_AMX"
    compile gemm_amx.c $amx
  fi
fi
for file in arena attention block cpu_features epilogue_c gemm_c jni kernels_c linear model \
    norm_c norm_statistics pack softmax_c; do
  # shellcheck disable=SC2086
  compile $file.c $has
done

# shellcheck disable=SC2086
"$compiler" -shared -o "$objects/libivit.so" $linked
if command -v sha256sum >/dev/null 2>&1; then
  sha256sum "$objects/libivit.so" | cut -c1-64 >"$objects/libivit.so.sha256"
else
  shasum -a 256 "$objects/libivit.so" | cut -c1-64 >"$objects/libivit.so.sha256"
fi
mv "$objects/libivit.so" "$library"
mv "$objects/libivit.so.sha256" "$library.sha256"
echo "native CPU kernels: built for $os-$arch by $compiler,$has"
