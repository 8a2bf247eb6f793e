# What scripts that build or run this checkout share, for them to source with `root` set to its folder.

fail() {
  printf '%s\n' "$(basename "$0"): $1" >&2
  exit 1
}

case $root in
  *:*) fail "$root: a class path cannot hold a folder with a colon in its name: rename or move it" ;;
esac

# Java reads file names by the locale, and none beyond ASCII in that of POSIX, which containers have.
if [ "$(locale charmap 2>/dev/null)" = ANSI_X3.4-1968 ]; then
  for utf8 in C.UTF-8 en_US.UTF-8; do
    if [ "$(LC_ALL=$utf8 locale charmap 2>/dev/null)" = UTF-8 ]; then
      LC_ALL=$utf8
      export LC_ALL
      break
    fi
  done
fi

# java_command VERSIONS: sets `java`.
java_command() {
  if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/java" ]; then
    java=$JAVA_HOME/bin/java
  else
    java=$(command -v java) || fail "java is missing: install a JDK, $1, or set JAVA_HOME"
  fi
}

# maven ARG...: what it says goes to the error stream, without the escape codes that it prints everywhere.
maven() {
  command -v mvn >/dev/null || fail "mvn is missing: install Apache Maven, 3.8 or newer, to build"
  escape=$(printf '\033')
  ended=$({ {
    if (cd "$root" && mvn -q -B -ntp -Dstyle.color=never "$@" 2>&1 3>&-); then echo 0 >&3; else echo 1 >&3; fi
  } | sed "s/$escape\[[0-9;]*m//g" >&2; } 3>&1)
  [ "$ended" = 0 ] || fail "the build failed; its messages are above"
}

# newer STAMP PATH...: whether something in the checkout is newer.
newer() {
  stamp_file=$1
  shift
  [ -n "$(cd "$root" && find "$@" -newer "$stamp_file" 2>/dev/null | head -n 1)" ]
}

# build STAMP: builds all jars, of which the file STAMP then tells the time.
build() {
  folder=$(dirname "$1")
  mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ] \
    || fail "$folder cannot be written, and what is in it is missing or older than its sources: build as one who may write there"
  touch "$1.new"
  echo "$(basename "$0"): building (once; minutes the first time)" >&2
  maven ${profiles:+"$profiles"} -DskipTests -Dspotless.check.skip=true package
  mv "$1.new" "$1"
}

# own_jar MODULE: the jar that was built last; nothing where there is none.
own_jar() {
  newest=
  for jar in "$root/$1/target/$1"-*.jar; do
    case $jar in
      *-tests.jar | *-sources.jar | *-javadoc.jar) continue ;;
    esac
    if [ -e "$jar" ] && { [ -z "$newest" ] || [ "$jar" -nt "$newest" ]; }; then
      newest=$jar
    fi
  done
  printf '%s\n' "$newest"
}

# complete CLASSPATH: whether all of it is there.
complete() (
  set -f
  IFS=:
  for entry in $1; do
    [ -e "$entry" ] || exit 1
  done
)
