# How the C tests of the native kernels are built, for scripts that run them to source.
#
# The caller sets `root`; `compiler` and `arch`, what it compiles for; `flags` and `link_flags`, words; `build`,
# an existing empty folder. Where this machine's processor has no AMX or AVX-VNNI, these kernels run on an
# emulation of their instructions.

engine=$root/ivit-core/src/main/native
training=$root/ivit-train/src/main/native
engine_tests=$root/ivit-core/src/test/native
objects=$build

supports() {
  echo 'int main(void) { return 0; }' >"$build/probe.c"
  "$compiler" "$@" -c "$build/probe.c" -o "$build/probe.out" >/dev/null 2>&1
}
. "$engine/sets.sh"
sets_header

emulate=
emulated=
# emulation SET FLAG: where the processor does not have what /proc/cpuinfo calls FLAG
emulation() {
  if [ "$arch" = x86_64 ] && ! grep -qw "$2" /proc/cpuinfo 2>/dev/null; then
    emulate="$emulate -DIVIT_EMULATE_$(echo "$1" | tr '[:lower:]' '[:upper:]')"
    emulated=$emulated${emulated:+,}$1
  fi
}
emulation amx amx_int8
emulation avxvnni avx_vnni

# compile FILE OBJECT FLAG...
compile() {
  file=$1
  object=$2
  shift 2
  # shellcheck disable=SC2086
  "$compiler" $flags $emulate "-I$engine" "-I$engine_tests" "-I$build" "$@" -c "$file" -o "$build/$object.o"
}

set_of() {
  compile_set '' "$@"
}

# engine_test PROGRAM: makes the test of the engine's kernels
engine_test() {
  each_set shared set_of
  each_set engine set_of
  for part in $(common_files); do
    compile "$engine/$part.c" "$part"
  done
  compile "$engine_tests/kernels_test.c" kernels_test "-DIVIT_EMULATED=\"$emulated\""
  # shellcheck disable=SC2086
  "$compiler" $flags "$build"/*.o $link_flags -o "$1"
  rm "$build/kernels_test.o"
}

rows_of() {
  compile_rows "$training/kernels.c" "training_$1" "$@" "-I$training"
}

# training_test PROGRAM: makes that of training's, which bring the engine's with them, made before
training_test() {
  flags="$flags -fno-math-errno -fno-trapping-math -ffp-contract=off"
  each_set training rows_of
  for file in "$training/choose.c" "$training/product.c" "$root/ivit-train/src/test/native/kernels_test.c"; do
    compile "$file" "training_$(basename "$file" .c)" "-I$training"
  done
  # shellcheck disable=SC2086
  "$compiler" $flags "$build"/*.o -lm $link_flags -o "$1"
}
