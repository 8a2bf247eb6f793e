#!/bin/sh
# Compiles the kernels of training: build.sh SOURCES ENGINE OUTPUT JAVA_HOME
#
# ENGINE has the sources of the CPU engine's kernels, whose integer products serve here too.
#
# Puts OUTPUT/native/OS-ARCH/libivit-train.so and its SHA-256 beside it. Where there is no C
# compiler or no jni.h it says so and ends well: training is then portable Java.
set -eu

sources=$1
engine=$2
output=$3
java_home=$4

skip() {
  echo "native training kernels: skipped, $1; training will be portable Java"
  rm -rf "$output/native"
  mkdir -p "$output/native"
  # NativeLibrary says it to who wonders why training is slow.
  echo "$1" >"$output/native/libivit-train.skipped"
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
library=$folder/libivit-train.so
mkdir -p "$folder" "$objects"
rm -f "$output/native/libivit-train.skipped"

if [ -f "$library.sha256" ] && [ -z "$(find "$sources" "$engine" -newer "$library.sha256" -type f)" ]; then
  exit 0
fi

# Sums may be taken in another order, and nothing else: no multiplication and addition become one.
flags="-std=c11 -D_GNU_SOURCE -O3 -fPIC -fvisibility=hidden -Wall -Wextra -Wno-unknown-pragmas -fno-math-errno"
flags="$flags -fno-trapping-math -fno-signed-zeros -fassociative-math -ffp-contract=off"
flags="$flags -I$sources -I$engine -I$include -I$include/$os"

supports() {
  echo 'int main(void) { return 0; }' >"$objects/probe.c"
  "$compiler" "$@" -c "$objects/probe.c" -o "$objects/probe.o" >/dev/null 2>&1
}

linked=
compile() {
  file=$1
  object=$objects/$2.o
  shift 2
  # shellcheck disable=SC2086
  "$compiler" $flags "$@" -c "$file" -o "$object"
  linked="$linked $object"
}

kernels() {
  set_name=$1
  shift
  compile "$sources/kernels.c" "kernels_$set_name" "-DIVIT_SET=ivit_training_$set_name" \
    "-DIVIT_SET_NAME=\"$set_name\"" "$@"
}

avx2="-mavx2 -mfma"
avx512="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mprefer-vector-width=512"
has=
# shellcheck disable=SC2086
if [ "$arch" = x86_64 ]; then
  if supports $avx2; then
    has="$has -DIVIT_HAS_AVX2"
    kernels avx2 $avx2
  fi
  if supports $avx512; then
    has="$has -DIVIT_HAS_AVX512"
    kernels avx512 $avx512
  fi
fi
kernels c
# shellcheck disable=SC2086
compile "$sources/choose.c" choose $has
compile "$sources/product.c" product
compile "$sources/jni.c" jni

# The engine's, under the names of its own build.
engine_avx512="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vbmi"
engine_vnni="$engine_avx512 -mavx512vnni"
engine_amx="$engine_avx512 -mamx-tile -mamx-int8"
has=
# shellcheck disable=SC2086
if [ "$arch" = x86_64 ]; then
  if supports $engine_vnni; then
    has="$has -DIVIT_HAS_VNNI"
    compile "$engine/gemm_vnni.c" engine_gemm_vnni $engine_vnni
    for file in epilogue norm softmax; do
      compile "$engine/${file}_avx512.c" engine_${file}_avx512 $engine_avx512
    done
    if supports $engine_amx; then
      has="$has -DIVIT_HAS_AMX"
      compile "$engine/gemm_amx.c" engine_gemm_amx $engine_amx
    fi
  fi
fi
for file in arena cpu_features epilogue_c gemm_c kernels_c norm_c norm_statistics pack softmax_c; do
  # shellcheck disable=SC2086
  compile "$engine/$file.c" engine_$file $has
done

# shellcheck disable=SC2086
"$compiler" -shared -o "$objects/libivit-train.so" $linked -lm
if command -v sha256sum >/dev/null 2>&1; then
  sha256sum "$objects/libivit-train.so" | cut -c1-64 >"$objects/libivit-train.so.sha256"
else
  shasum -a 256 "$objects/libivit-train.so" | cut -c1-64 >"$objects/libivit-train.so.sha256"
fi
mv "$objects/libivit-train.so" "$library"
mv "$objects/libivit-train.so.sha256" "$library.sha256"
echo "native training kernels: built for $os-$arch by $compiler,$has"
