# What the builds of native kernels share, for build.sh to source.
#
# The caller sets `kernels`, what is built, in words; `library`, its name without its ending; `instead`,
# what there is without; `output`, where classes lie; `java_home`; `sources` and `engine`, the folders of
# headers. It gets `os` and `arch`, as NativeLibrary composes them of os.name and os.arch, and `objects`,
# an existing folder. Where nothing can be compiled, the build says so in a line and ends well: the jar is
# then portable Java, with a note of the reason.
#
# Folders may have any name; `flags` are words.

objects=$output/../native-objects
mkdir -p "$objects"
rm -f "$objects/failed"

skip() {
  echo "$kernels: skipped, $1; $instead"
  rm -rf "$output/native"
  mkdir -p "$output/native"
  # NativeLibrary says it to who wonders why it is slow.
  printf '%s\n' "$1" >"$output/native/$library.skipped"
  exit 0
}

# Whether a compiler makes a shared library here at all.
works() {
  printf '%s\n' '#include <stdlib.h>' '#include <string.h>' 'int probe(void) { return abs(-1); }' \
    >"$objects/probe.c"
  "$1" -fPIC -shared "$objects/probe.c" -o "$objects/probe.so" >/dev/null 2>&1
}

compiler=
reason="no C compiler (gcc, cc, clang)"
for candidate in ${CC:+"$CC"} gcc cc clang; do
  command -v "$candidate" >/dev/null 2>&1 || continue
  if works "$candidate"; then
    compiler=$candidate
    break
  fi
  reason="the C compiler $candidate fails on a file of three lines"
done
[ -n "$compiler" ] || skip "$reason"

include=
for candidate in "$java_home/include" "$java_home/../include"; do
  if [ -f "$candidate/jni.h" ]; then
    include=$candidate
    break
  fi
done
[ -n "$include" ] || skip "no jni.h under $java_home"

os=$(uname -s | tr '[:upper:]' '[:lower:]')
arch=$(uname -m | sed -e 's/^amd64$/x86_64/' -e 's/^arm64$/aarch64/')

# supports FLAG...
supports() {
  echo 'int main(void) { return 0; }' >"$objects/probe.c"
  "$compiler" "$@" -c "$objects/probe.c" -o "$objects/probe.o" >/dev/null 2>&1
}

# The compiler, whose failure is a line. `failed` lets a test find it out.
call() {
  task=$1
  shift
  if ! "$compiler" "$@" 2>"$objects/messages"; then
    reason="$compiler fails on $task: $(grep -i -m 1 error "$objects/messages" || head -n 1 "$objects/messages")"
    echo "$reason" >"$objects/failed"
    skip "$reason"
  fi
  cat "$objects/messages" >&2
}

linked=

# compile FILE OBJECT FLAG...
compile() {
  file=$1
  object=$2
  shift 2
  # shellcheck disable=SC2086
  call "$(basename "$file")" $flags "-I$sources" "-I$engine" "-I$objects" "-I$include" "-I$include/$os" "$@" \
    -c "$file" -o "$objects/$object.o"
  linked="$linked $object.o"
}

# link_library FLAG...: OUTPUT/native/OS-ARCH/LIBRARY.so of what was compiled, and its SHA-256.
link_library() {
  name=$library.so
  folder=$output/native/$os-$arch
  cd "$objects"
  # shellcheck disable=SC2086
  call "$name" -shared -o "$name" $linked "$@"
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$name" | cut -c1-64 >"$name.sha256"
  else
    shasum -a 256 "$name" | cut -c1-64 >"$name.sha256"
  fi
  mkdir -p "$folder"
  rm -f "$output/native/$library.skipped"
  mv "$name" "$name.sha256" "$folder"
}
