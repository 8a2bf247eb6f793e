# Reads kernel_sets, for the builds and scripts/check-native to source.
#
# The caller sets `engine`, the folder of kernel_sets; `arch`; `objects`, an existing folder; and has
# supports FLAG..., whether the compiler takes them, and compile FILE OBJECT FLAG....

# each_set KIND CALL: CALL NAME FLAG... for every set of this kind that the compiler can make here.
each_set() {
  wanted=$1
  call=$2
  while read -r kind name processor features set_flags; do
    [ "$kind" = "$wanted" ] || continue
    [ "$processor" = any ] || [ "$processor" = "$arch" ] || continue
    # shellcheck disable=SC2086
    if supports $set_flags </dev/null; then
      "$call" "$name" $set_flags </dev/null
    fi
  done <"$engine/kernel_sets"
}

# The sets of a kind as a macro of C, MACRO(SET) SET(name, "features") ...
sets_macro() {
  wanted=$1
  macro=$2
  printf '#define %s(SET)' "$macro"
  while read -r kind name processor features set_flags; do
    [ "$kind" = "$wanted" ] || continue
    [ "$processor" = any ] || [ "$processor" = "$arch" ] || continue
    # shellcheck disable=SC2086
    if supports $set_flags </dev/null; then
      printf ' \\\n  SET(%s, "%s")' "$name" "$features"
    fi
  done <"$engine/kernel_sets"
  printf '\n'
}

# What is compiled, as kernel_sets.h in `objects`.
sets_header() {
  {
    sets_macro engine IVIT_ENGINE_SETS
    sets_macro training IVIT_TRAINING_SETS
  } >"$objects/kernel_sets.h"
}

# The suffixes of files that belong to a set of any processor, as a pattern for grep -E.
suffixes() {
  while read -r kind name rest; do
    case $kind in
      engine | shared) printf '%s|' "$name" ;;
    esac
  done <"$engine/kernel_sets"
  printf 'none'
}

# Files of the engine that belong to no set, but `jni`, by name without ending.
common_files() {
  for file in "$engine"/*.c; do
    name=$(basename "$file" .c)
    if [ "$name" != jni ] && ! printf '%s' "$name" | grep -qE "_($(suffixes))\$"; then
      echo "$name"
    fi
  done
}

# compile_set PREFIX NAME FLAG...: every file of a set, to objects of this prefix.
compile_set() {
  prefix=$1
  name=$2
  shift 2
  for file in "$engine"/*_"$name".c; do
    compile "$file" "$prefix$(basename "$file" .c)" "$@"
  done
}

# compile_rows FILE OBJECT NAME FLAG...: the row kernels of training for an instruction set.
compile_rows() {
  file=$1
  object=$2
  name=$3
  shift 3
  compile "$file" "$object" "-DIVIT_SET=ivit_training_$name" "-DIVIT_SET_NAME=\"$name\"" "$@"
}
