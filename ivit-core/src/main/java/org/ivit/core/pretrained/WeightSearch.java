package org.ivit.core.pretrained;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.NumberedNames;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.pretrained.names.TimmNames;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorContents;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.tensor.TensorFiles;

/**
 * Finds the weights of an architecture in a file, wherever they lie in it: under whatever keys a
 * training program nested them, and whatever its wrappers put before their names. It looks for what
 * the architecture needs, not for known keys: a place is the dotted path that all names of the
 * model share, and the one under which all of them stand, with their shapes, is taken.
 */
public final class WeightSearch {
  private static final int MOST_PLACES = 3;
  private static final String HEAD = "head";
  private static final String POOL_SCORES = "attn_pool.scores.weight";

  /**
   * First parts of names that stand for steps of some vision transformer's forward pass. A file
   * with one of them that the architecture does not have is of another model.
   */
  private static final Set<String> STEPS =
      Set.of(
          "absolute_pos_embed",
          "attn_pool",
          "blocks",
          "cls_embed",
          "cls_token",
          "dist_token",
          "fc_norm",
          "head",
          "head_dist",
          "layers",
          "ln_post",
          "ln_pre",
          "norm",
          "norm_pre",
          "patch_embed",
          "pos_embed",
          "pre_logits",
          "reg_token",
          "register_tokens",
          "rel_pos_bias",
          "rope",
          "rope_embed",
          "stages",
          "storage_tokens");

  /**
   * A path under which names of the model stand.
   *
   * @param path without the last dot; empty for the root
   * @param names path in the file by name below {@code path}
   * @param source who named them
   * @param missing parameters that are not there, by timm name
   * @param found how many are
   */
  private record Place(
      String path,
      Map<String, String> names,
      TimmNames.Source source,
      List<String> missing,
      int found) {
    /** Whether it is a backbone within another place, whose prefix the source's names know. */
    boolean within(Place outer) {
      return !path.equals(outer.path)
          && source == outer.source
          && (outer.path.isEmpty() || path.startsWith(outer.path + "."))
          && outer.names.values().containsAll(names.values());
    }

    boolean averaged() {
      return WeightPlace.AVERAGED.matcher(path).find();
    }

    long depth() {
      return path.isEmpty() ? 0 : 1 + path.chars().filter(c -> c == '.').count();
    }

    String said() {
      return path.isEmpty() ? "its root" : MessageText.quote(path);
    }
  }

  /**
   * @param file canonical parameters and what stands beside them
   * @param source who named them
   */
  private record Found(TensorFile file, TimmNames.Source source) {}

  private final Architecture architecture;
  private final Map<String, long[]> expected;
  private final Set<String> allowed;
  private final String key;
  private final Consumer<String> say;

  /**
   * @param architecture whose weights are wanted
   * @param key the path below which they lie, such as {@code model_ema} or {@code ema.module}; null
   *     to search everywhere
   * @param say hears a line where there was a choice, and one where tensors were left out
   */
  public WeightSearch(Architecture architecture, String key, Consumer<String> say) {
    this.architecture = architecture;
    this.expected = architecture.parameters();
    this.allowed = WeightCheck.names(architecture);
    this.key = key;
    this.say = say;
  }

  /**
   * Finds and reads the weights, in the form of {@link CanonicalWeights}. Shapes decide between
   * places, but are not required, so that {@link WeightAdaptation} can have its way and {@link
   * WeightCheck} the last word.
   *
   * @param file any form of {@link TensorFiles}
   * @return the parameters, frozen scales where there are any, and what else belongs to a step of a
   *     forward pass; other tensors beside the model's are left out
   * @throws InputException if the file cannot be read, or holds the weights nowhere: with the
   *     places that come nearest and what each lacks
   */
  public TensorFile find(Path file) {
    try (TensorContents contents = TensorFiles.contents(file)) {
      return find(contents);
    }
  }

  /** As {@link #find(Path)}, in a file that is open. */
  public TensorFile find(TensorContents contents) {
    return withoutExtras(findAll(contents).file);
  }

  /**
   * As {@link #find(Path)}, its positions and patches fitted to the architecture by the rule of
   * their source: see {@link WeightAdaptation#positions}.
   */
  public TensorFile findFitted(Path file) {
    try (TensorContents contents = TensorFiles.contents(file)) {
      return findFitted(contents);
    }
  }

  /** As {@link #findFitted(Path)}, in a file that is open. */
  public TensorFile findFitted(TensorContents contents) {
    Found found = findAll(contents);
    boolean registers = found.file.tensors().containsKey("reg_token");
    GridResampling rule = GridResampling.of(found.source, registers);
    return new WeightAdaptation(architecture, rule, say).positions(withoutExtras(found.file));
  }

  /** As {@link #find(Path)}, with all tensors that stand beside the parameters. */
  TensorFile findAll(Path file) {
    try (TensorContents contents = TensorFiles.contents(file)) {
      return findAll(contents).file;
    }
  }

  private Found findAll(TensorContents contents) {
    List<Place> places = places(contents);
    List<Place> all = places.stream().filter(p -> p.missing.isEmpty()).toList();
    List<Place> complete =
        all.stream().filter(place -> all.stream().noneMatch(place::within)).toList();
    if (complete.isEmpty()) {
      return nearest(contents, places);
    }
    if (complete.size() == 1) {
      return new Found(read(contents, complete.get(0)), complete.get(0).source);
    }
    Map<Place, TensorFile> read = new LinkedHashMap<>();
    Map<Place, Long> misfits = new LinkedHashMap<>();
    for (Place place : complete) {
      TensorFile file = read(contents, place);
      read.put(place, file);
      misfits.put(place, misfits(file));
    }
    long fewest = Collections.min(misfits.values());
    List<Place> fitting =
        complete.stream()
            .filter(place -> misfits.get(place) == fewest)
            .sorted(Comparator.comparing(Place::averaged).thenComparing(Place::depth))
            .toList();
    Place taken = fitting.get(0);
    if (fitting.size() > 1) {
      say.accept(
          "%s: weights of %s taken from %s; they are also under %s: weightsKey (--weights-key) chooses"
              .formatted(
                  contents.source(),
                  architecture.name(),
                  taken.said(),
                  MessageText.list(fitting.stream().skip(1).map(Place::said).toList())));
    }
    return new Found(read.get(taken), taken.source);
  }

  /** Where names of the model stand; the root is among the places only if some are there. */
  private List<Place> places(TensorContents contents) {
    Map<String, List<String>> below = new LinkedHashMap<>();
    for (String name : contents.names()) {
      below.computeIfAbsent("", p -> new ArrayList<>()).add(name);
      for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
        below.computeIfAbsent(name.substring(0, dot), p -> new ArrayList<>()).add(name);
      }
    }
    if (key != null) {
      if (!below.containsKey(key)) {
        throw new InputException(
            "%s: found no tensors under %s, expected one of the keys %s"
                .formatted(
                    contents.source(),
                    MessageText.quote(key),
                    MessageText.list(topKeys(contents.names()))));
      }
      below.keySet().removeIf(path -> !path.equals(key) && !path.startsWith(key + "."));
    }
    List<Place> places = new ArrayList<>();
    below.forEach(
        (path, names) -> {
          Place place = place(path, names, contents.names());
          if (place.found > 0) {
            places.add(place);
          }
        });
    return places;
  }

  private static List<String> topKeys(Set<String> names) {
    return names.stream().map(WeightSearch::first).distinct().map(MessageText::quote).toList();
  }

  private Place place(String path, List<String> below, Set<String> all) {
    Map<String, String> names = new LinkedHashMap<>();
    for (String full : below) {
      names.put(path.isEmpty() ? full : full.substring(path.length() + 1), full);
    }
    TimmNames timm = TimmNames.from(names.keySet());
    List<String> missing = missing(names.keySet(), timm);
    int found = expected.size() - missing.size();
    if (missing.stream().allMatch(name -> name.startsWith(HEAD))) {
      takeHeadBeside(path, missing, names, all);
      missing = missing(names.keySet(), timm);
    }
    return new Place(path, names, timm.source(), missing, found);
  }

  private List<String> missing(Set<String> names, TimmNames timm) {
    Set<String> there =
        names.stream().map(timm::timm).filter(Objects::nonNull).collect(Collectors.toSet());
    if (hasRegisters() && there.contains("dist_token")) {
      there.add("reg_token");
    }
    Set<String> canonical = CanonicalWeights.names(there, isGated());
    return expected.keySet().stream().filter(name -> !canonical.contains(name)).toList();
  }

  private boolean isGated() {
    return architecture.blocks().stream().anyMatch(Block::gated);
  }

  /** Whether a distillation token can only be a register. */
  private boolean hasRegisters() {
    return expected.containsKey("reg_token") && !expected.containsKey("dist_token");
  }

  /** A classifier often stands beside the backbone, in one of the maps around it. */
  private static void takeHeadBeside(
      String path, List<String> missing, Map<String, String> names, Set<String> all) {
    Set<String> heads = new LinkedHashSet<>(missing);
    if (!missing.isEmpty()) {
      heads.addAll(WeightPlace.HEADS);
    }
    for (String around = path; !around.isEmpty(); ) {
      int dot = around.lastIndexOf('.');
      around = dot < 0 ? "" : around.substring(0, dot);
      String stem = around.isEmpty() ? "" : around + ".";
      for (String head : heads) {
        if (all.contains(stem + head)) {
          names.putIfAbsent(head, stem + head);
        }
      }
    }
  }

  private TensorFile read(TensorContents contents, Place place) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    place.names.forEach((name, full) -> tensors.put(name, contents.read(full)));
    TensorFile timm = TimmNames.of(new TensorFile(tensors, contents.metadata(), contents.source()));
    if (hasRegisters()) {
      timm = CanonicalWeights.withRegister(timm);
    }
    long[] pool = expected.get(POOL_SCORES);
    return CanonicalWeights.of(timm, pool == null ? 0 : (int) pool[0]);
  }

  /** Parameters of another shape, and steps that the architecture does not have. */
  private long misfits(TensorFile file) {
    long misshaped =
        expected.entrySet().stream()
            .filter(e -> !Arrays.equals(file.get(e.getKey()).shape(), e.getValue()))
            .count();
    return misshaped
        + file.tensors().entrySet().stream()
            .filter(e -> !allowed.contains(e.getKey()) && isStep(e.getKey(), e.getValue()))
            .count();
  }

  /** A classifier is no step of a model whose answer is a feature of tokens. */
  private boolean isStep(String name, Tensor tensor) {
    String first = first(name);
    boolean classifier = first.equals(HEAD) || first.equals("head_dist");
    return tensor.dtype().isFloating()
        && STEPS.contains(first)
        && !(classifier && architecture.head().classifiers().isEmpty());
  }

  /** The part of a name before its first dot. */
  private static String first(String name) {
    int dot = name.indexOf('.');
    return dot < 0 ? name : name.substring(0, dot);
  }

  /** What comes nearest to the weights, for {@link WeightCheck} to list where it is one place. */
  private Found nearest(TensorContents contents, List<Place> places) {
    int most = places.stream().mapToInt(Place::found).max().orElse(0);
    List<Place> best =
        places.stream()
            // Parts of a model have some names in common with the whole.
            .filter(place -> 2 * place.found >= most)
            .sorted(Comparator.comparingInt(place -> place.missing.size()))
            .limit(MOST_PLACES)
            .toList();
    if (best.isEmpty()) {
      throw new InputException(
          "%s: holds no weights of %s: %s"
              .formatted(
                  contents.source(), MessageText.quote(architecture.name()), instead(contents)));
    }
    List<String> unread = unread(contents, best.get(0));
    if (best.size() == 1 && unread.isEmpty()) {
      return new Found(read(contents, best.get(0)), best.get(0).source);
    }
    String lacks =
        best.stream()
            .map(
                place ->
                    "under %s %d are missing: %s"
                        .formatted(
                            place.said(), place.missing.size(), NumberedNames.list(place.missing)))
            .collect(Collectors.joining("; "));
    String types =
        unread.isEmpty() ? "" : "; of a type that is not read: " + MessageText.list(unread);
    throw new InputException(
        "%s: not the weights of %s: %s%s"
            .formatted(contents.source(), MessageText.quote(architecture.name()), lacks, types));
  }

  private static String instead(TensorContents contents) {
    if (!contents.names().isEmpty()) {
      List<String> names = contents.names().stream().map(MessageText::quote).toList();
      return "none of its %d tensors has a name of it, but %s"
          .formatted(names.size(), MessageText.list(names));
    }
    Set<String> types = new TreeSet<>(contents.others().values());
    return "it holds no tensors by name"
        + (types.isEmpty()
            ? ""
            : ", but objects of "
                + MessageText.list(types.stream().map(MessageText::quote).toList()));
  }

  /** Missing parameters that are there as something else, with what they are. */
  private static List<String> unread(TensorContents contents, Place place) {
    List<String> unread = new ArrayList<>();
    for (String name : place.missing) {
      String full = place.path.isEmpty() ? name : place.path + "." + name;
      String type = contents.others().get(full);
      if (type != null) {
        unread.add(full + " is " + MessageText.quote(type));
      }
    }
    return unread;
  }

  /**
   * Leaves out what no step of a forward pass needs: heads and metrics of the training, counters.
   * What belongs to a step stays, and is refused by {@link WeightCheck}: without it the model would
   * compute something else.
   */
  private TensorFile withoutExtras(TensorFile file) {
    if (!file.tensors().keySet().containsAll(expected.keySet())) {
      return file;
    }
    Map<String, Tensor> kept = new LinkedHashMap<>();
    List<String> left = new ArrayList<>();
    file.tensors()
        .forEach(
            (name, tensor) -> {
              if (allowed.contains(name) || isStep(name, tensor)) {
                kept.put(name, tensor);
              } else {
                left.add(MessageText.quote(name));
              }
            });
    if (!left.isEmpty()) {
      say.accept(
          "%s: %d tensors beside the weights of %s are left out: %s"
              .formatted(
                  file.source(), left.size(), architecture.name(), NumberedNames.list(left)));
    }
    return new TensorFile(kept, file.metadata(), file.source());
  }
}
