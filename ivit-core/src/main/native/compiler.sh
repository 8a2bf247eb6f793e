# What the builds of native kernels share, for build.sh to source.
#
# The caller sets `kernels`, what is built, in words; `library`, its name without its ending; `instead`,
# what there is without; `output`, where classes lie; `java_home`; `sources` and `engine`, the folders of
# headers. Then each_target CALL builds for this machine, with CC or any C compiler, and for the other
# platforms of the jar, with the cross compilers that are found: those of CC_LINUX_X86_64, CC_LINUX_AARCH64
# and CC_WINDOWS_X86_64, or the usual ones; `none` leaves a platform out.
#
# CALL compiles and links for one target, in a shell of its own. It has `target`, as NativeLibrary composes
# it, `os` and `arch`, its halves, and `objects`, an existing folder. Where nothing can be compiled, the build
# says so in a line and ends well, as do the others: the jar is then portable Java on that platform, with a
# note of the reason.
#
# Folders may have any name; `flags` are words.

host_os=$(uname -s | tr '[:upper:]' '[:lower:]')
host=$host_os-$(uname -m | sed -e 's/^amd64$/x86_64/' -e 's/^arm64$/aarch64/')

each_target() {
  make_library=$1
  (build_for "$host" ${CC:+"$CC"} gcc cc clang)
  (cross linux-x86_64 x86_64-linux-gnu-gcc "${CC_LINUX_X86_64:-}")
  (cross linux-aarch64 aarch64-linux-gnu-gcc "${CC_LINUX_AARCH64:-}")
  (cross windows-x86_64 x86_64-w64-mingw32-gcc "${CC_WINDOWS_X86_64:-}")
}

# cross TARGET USUAL NAMED: NAMED may be empty
cross() {
  [ "$1" != "$host" ] || return 0
  set_target "$1"
  if [ "$3" = none ]; then
    without "it was left out"
  elif [ -n "$3" ]; then
    build_for "$1" "$3"
  elif command -v "$2" >/dev/null 2>&1; then
    build_for "$1" "$2"
  else
    without "no compiler $2"
  fi
}

set_target() {
  target=$1
  os=${target%-*}
  arch=${target#*-}
  folder=$output/native/$target
  case $os in
    windows) ending=dll pic= ;;
    *) ending=so pic=-fPIC ;;
  esac
}

# The library of this target is not there, and NativeLibrary says why to who wonders why it is slow.
without() {
  mkdir -p "$folder"
  rm -f "$folder/$library.$ending" "$folder/$library.$ending.sha256"
  printf '%s\n' "$1" >"$folder/$library.skipped"
}

# Ends the build for this target.
skip() {
  if [ "$target" = "$host" ]; then
    echo "$kernels: skipped, $1; $instead"
  else
    echo "$kernels: skipped for $target, $1"
  fi
  without "$1"
  exit 0
}

# build_for TARGET COMPILER...: with the first that works
build_for() {
  set_target "$1"
  shift
  digest=$folder/$library.$ending.sha256
  if [ -f "$digest" ] && [ -z "$(find "$sources" "$engine" -newer "$digest" -type f)" ]; then
    return
  fi
  objects=$output/../native-objects/$target
  mkdir -p "$objects"
  rm -f "$objects/failed"

  compiler=
  reason="no C compiler ($(printf '%s, ' "$@" | sed 's/, $//'))"
  for candidate in "$@"; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    if works "$candidate"; then
      compiler=$candidate
      break
    fi
    reason="the C compiler $candidate fails on a file of three lines"
  done
  [ -n "$compiler" ] || skip "$reason"
  find_headers
  set_flags_of_target
  linked=
  "$make_library"
}

# Whether a compiler makes a shared library here at all.
works() {
  printf '%s\n' '#include <stdlib.h>' '#include <string.h>' 'int probe(void) { return abs(-1); }' \
    >"$objects/probe.c"
  # shellcheck disable=SC2086
  "$1" -shared $pic "$objects/probe.c" -o "$objects/probe.so" >/dev/null 2>&1
}

# Sets `include` and `platform_include`: the JDK's headers, of which only jni_md.h differs, on Windows.
find_headers() {
  include=
  for candidate in "$java_home/include" "$java_home/../include"; do
    if [ -f "$candidate/jni.h" ]; then
      include=$candidate
      break
    fi
  done
  [ -n "$include" ] || skip "no jni.h under $java_home"
  case $os in
    windows) platform_include=$engine/windows ;;
    *) platform_include=$include/$host_os ;;
  esac
}

# Sets `target_flags` and `link_flags`. Functions that nobody calls by name lose their names, but on the
# host, where a profiler wants them.
set_flags_of_target() {
  target_flags=$pic
  case $os in
    windows)
      # The stack is aligned to 16 bytes there, which GCC forgets where it keeps wider vectors (its bug 54412).
      target_flags=-Wa,-muse-unaligned-vector-move
      if ! supports $target_flags; then
        "$compiler" --version 2>/dev/null | grep -q clang \
          || skip "the assembler of $compiler has no -muse-unaligned-vector-move, which binutils have from 2.38 on"
        target_flags=
      fi
      link_flags="-static-libgcc -s -Wl,--no-insert-timestamp"
      ;;
    darwin) link_flags= ;;
    *) if [ "$target" = "$host" ]; then link_flags=; else link_flags=-s; fi ;;
  esac
}

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

# compile FILE OBJECT FLAG...
compile() {
  file=$1
  object=$2
  shift 2
  # shellcheck disable=SC2086
  call "$(basename "$file")" $flags $target_flags "-I$sources" "-I$engine" "-I$objects" "-I$include" \
    "-I$platform_include" "$@" -c "$file" -o "$objects/$object.o"
  linked="$linked $object.o"
}

# link_library FLAG...: the library of what was compiled, and its SHA-256.
link_library() {
  name=$library.$ending
  cd "$objects"
  # shellcheck disable=SC2086
  call "$name" -shared -o "$name" $linked $link_flags "$@"
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$name" | cut -c1-64 >"$name.sha256"
  else
    shasum -a 256 "$name" | cut -c1-64 >"$name.sha256"
  fi
  mkdir -p "$folder"
  rm -f "$folder/$library.skipped"
  mv "$name" "$name.sha256" "$folder"
}
