# What scripts that measure the CPU engine share, for them to source behind checkout.sh.

# test_classpath: builds what is older than its sources and sets `classpath`, tests included.
test_classpath() {
  target=$root/ivit-export/target
  libraries=$target/bench.classpath
  stamp=$target/bench.stamp
  if ! [ -f "$stamp" ] || ! [ -f "$libraries" ] || ! complete "$(cat "$libraries")" \
    || newer "$stamp" pom.xml ivit-*/pom.xml ivit-core/src ivit-train/src ivit-export/src; then
    mkdir -p "$target"
    touch "$stamp.new"
    echo "$(basename "$0"): building" >&2
    maven -DskipTests -Dspotless.check.skip=true -Dmdep.outputFile="$libraries" \
      -Dmdep.includeScope=test -pl ivit-export -am package dependency:build-classpath
    mv "$stamp.new" "$stamp"
  fi
  classpath=$target/test-classes:$target/classes:$(cat "$libraries")
}

# architecture_of WORD: what options call it, or a name as it is; @SIZE asks for pictures of another size.
architecture_of() {
  case $1 in
    tiny) echo vit_tiny_patch16_224 ;;
    small) echo deit_small_patch16_224 ;;
    base) echo deit_base_patch16_224 ;;
    swin) echo swin_tiny_patch4_window7_224 ;;
    dinov2) echo vit_small_patch14_dinov2@224 ;;
    dinov2-518) echo vit_small_patch14_dinov2 ;;
    dinov3) echo vit_small_patch16_dinov3 ;;
    clip) echo vit_base_patch32_clip_quickgelu_224 ;;
    siglip) echo vit_base_patch16_siglip_224 ;;
    *) echo "$1" ;;
  esac
}

# checkpoint ARCHITECTURE [plain]: sets `model`, made once and kept under target/bench: real weights where
# ../shared has them, with outlier channels unless `plain` is asked for, else generated ones, without.
checkpoint() {
  shared=$root/../shared
  weights=$shared/weights/$1.safetensors
  folder=$root/target/bench
  model=$folder/$1.generated.ivit.safetensors
  real=
  if [ -e "$weights" ] && [ -d "$shared/data/imagenet-sample" ]; then
    real=1
    model=$folder/$1${2:+.$2}.ivit.safetensors
  fi
  if [ -e "$model" ]; then
    return
  fi
  mkdir -p "$folder"
  echo "$(basename "$0"): making $model, once" >&2
  if [ -z "$real" ]; then
    "$java" -cp "$classpath" org.ivit.core.testing.GeneratedCheckpoint "$1" "$model"
  else
    set -- --weights "$weights" --architecture "$1" --data "$shared/data/imagenet-sample" \
      --output "$model" ${2:+--set quantization.outliers=none}
    "$java" -cp "$classpath" org.ivit.export.cli.Main quantize "$@" >"$model.log" \
      || fail "quantize failed; $model.log has what it said"
  fi
}
