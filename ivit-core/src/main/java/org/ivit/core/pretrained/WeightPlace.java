package org.ivit.core.pretrained;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.NumberedNames;
import org.ivit.core.pretrained.names.TimmNames;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorContents;
import org.ivit.core.tensor.TensorFile;

/**
 * The path in a file under which the names of a vision transformer stand, found without knowing
 * which it is: {@code visual.trunk}, {@code module}, {@code vision_model}, or the root.
 *
 * @param path without the last dot; empty for the root
 * @param names path in the file by name below {@code path}; a head that stands beside is among them
 * @param timm timm's names of those
 */
record WeightPlace(String path, Map<String, String> names, TimmNames timm) {
  /** How paths to averaged copies of a model are called; the model itself is the one to take. */
  static final Pattern AVERAGED =
      Pattern.compile("(?i)(^|[._-])(ema|swa|averaged?|shadow|momentum|teacher)([._-]|$)");

  private static final String PATCHES = "patch_embed.proj.weight";
  private static final Pattern FIRST_BLOCK = Pattern.compile("(layers\\.0\\.)?blocks\\.0\\..*");

  /** Heads that stand beside a tower or backbone. */
  static final List<String> HEADS = List.of("head.weight", "head.bias", "visual_projection.weight");

  /** Of models of pictures and texts, what is of the texts or of both. */
  private static final Pattern TEXTS =
      Pattern.compile(
          "text_model\\..*|text\\..*|transformer\\..*|token_embedding\\..*|positional_embedding"
              + "|ln_final\\..*|text_projection(\\..*)?|logit_(scale|bias)|input_resolution"
              + "|context_length|vocab_size|params/(txt/.*|t|b)");

  /** Buffers that follow from sizes, and what stood for hidden patches in training. */
  private static final Pattern DERIVED =
      Pattern.compile(
          ".*(relative_position_index|attn_mask|position_ids)|(.*\\.)?mask_token"
              + "|(.*\\.)?rope_embed\\.periods|(.*\\.)?rope\\.freqs_(cos|sin)");

  /**
   * Finds the place.
   *
   * @param key the path below which it lies; null to search everywhere
   * @param say hears a line where there was a choice
   * @throws InputException if there is none
   */
  static WeightPlace find(TensorContents contents, String key, Consumer<String> say) {
    return look(contents, key, say)
        .orElseThrow(
            () ->
                new InputException(
                    "%s: holds no weights of a vision transformer%s: none of its %d tensors is the projection of patches"
                        .formatted(
                            contents.source(),
                            key == null ? "" : " under " + MessageText.quote(key),
                            contents.names().size())));
  }

  /** As {@link #find}; nothing where there is none. */
  static Optional<WeightPlace> look(TensorContents contents, String key, Consumer<String> say) {
    Map<String, List<String>> below = new LinkedHashMap<>();
    for (String name : contents.names()) {
      below.computeIfAbsent("", p -> new ArrayList<>()).add(name);
      for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
        below.computeIfAbsent(name.substring(0, dot), p -> new ArrayList<>()).add(name);
      }
    }
    if (key != null) {
      below.keySet().removeIf(path -> !path.equals(key) && !path.startsWith(key + "."));
    }
    List<WeightPlace> places = new ArrayList<>();
    below.forEach(
        (path, names) -> {
          WeightPlace place = of(path, names);
          // A head's prefix lets a backbone be found twice; the outer place has the head as well.
          boolean inner = places.stream().anyMatch(outer -> outer.contains(path));
          if (place != null && !inner) {
            places.add(place);
          }
        });
    if (places.isEmpty()) {
      return Optional.empty();
    }
    places.sort(
        Comparator.comparing((WeightPlace place) -> AVERAGED.matcher(place.path).find())
            .thenComparing(place -> place.path.chars().filter(c -> c == '.').count()));
    WeightPlace taken = places.get(0);
    if (places.size() > 1) {
      say.accept(
          "%s: weights taken from %s; they are also under %s: weightsKey (--weights-key) chooses"
              .formatted(
                  contents.source(),
                  taken.said(),
                  MessageText.list(places.stream().skip(1).map(WeightPlace::said).toList())));
    }
    return Optional.of(taken.withHead(contents.names()));
  }

  private static WeightPlace of(String path, List<String> full) {
    Map<String, String> names = new LinkedHashMap<>();
    for (String name : full) {
      names.put(path.isEmpty() ? name : name.substring(path.length() + 1), name);
    }
    TimmNames timm = TimmNames.from(names.keySet());
    Set<String> there = new LinkedHashSet<>();
    names.keySet().forEach(name -> there.add(String.valueOf(timm.timm(name))));
    boolean model =
        there.contains(PATCHES)
            && there.stream().anyMatch(name -> FIRST_BLOCK.matcher(name).matches());
    return model ? new WeightPlace(path, names, timm) : null;
  }

  private boolean contains(String inner) {
    return path.isEmpty() || inner.startsWith(path + ".");
  }

  private String said() {
    return path.isEmpty() ? "its root" : MessageText.quote(path);
  }

  private WeightPlace withHead(Set<String> all) {
    Map<String, String> found = new LinkedHashMap<>(names);
    for (String around = path; !around.isEmpty(); ) {
      int dot = around.lastIndexOf('.');
      around = dot < 0 ? "" : around.substring(0, dot);
      String stem = around.isEmpty() ? "" : around + ".";
      for (String head : HEADS) {
        if (all.contains(stem + head)) {
          found.putIfAbsent(head, stem + head);
        }
      }
    }
    return new WeightPlace(path, found, timm);
  }

  /** What timm calls the tensors that a model needs. */
  Set<String> timmNames() {
    return names.keySet().stream()
        .map(timm::timm)
        .filter(Objects::nonNull)
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** The tensors, under the names below the path. */
  TensorFile read(TensorContents contents) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    names.forEach((name, full) -> tensors.put(name, contents.read(full)));
    return new TensorFile(tensors, contents.metadata(), contents.source());
  }

  /** Says which tensors of the file are left out. */
  void sayLeftOut(TensorContents contents, Consumer<String> say) {
    Set<String> taken =
        names.entrySet().stream()
            .filter(name -> timm.timm(name.getKey()) != null)
            .map(Map.Entry::getValue)
            .collect(Collectors.toSet());
    List<String> others = new ArrayList<>();
    int texts = 0;
    for (String name : contents.names()) {
      if (taken.contains(name) || DERIVED.matcher(name).matches()) {
        continue;
      }
      if (TEXTS.matcher(name).matches()) {
        texts++;
      } else {
        others.add(MessageText.quote(name));
      }
    }
    if (texts > 0) {
      say.accept(
          "%s: the tower of texts, %d tensors, is left out".formatted(contents.source(), texts));
    }
    if (!others.isEmpty()) {
      say.accept(
          "%s: %d tensors beside the weights of the model are left out: %s"
              .formatted(contents.source(), others.size(), NumberedNames.list(others)));
    }
  }
}
