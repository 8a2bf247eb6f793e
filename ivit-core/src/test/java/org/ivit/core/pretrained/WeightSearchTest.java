package org.ivit.core.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.Mutations;
import org.ivit.core.testing.TorchCheckpoint;
import org.ivit.core.testing.TorchCheckpoint.Foreign;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The forms in which training programs leave a model. */
class WeightSearchTest {
  private static final Architecture VIT = vit(4, 1, 3);

  private static final int MUTATIONS = 1000;

  /** Heap beyond the file's size that reading may take. */
  private static final long MOST_ALLOCATED = 20 << 20;

  @TempDir Path folder;

  private final List<String> said = new ArrayList<>();

  private static Architecture vit(int dim, int depth, int classes) {
    return new Vit("tiny", 4, 2, dim, depth, 2, 8, classes, 1e-6, false).architecture();
  }

  private static Map<String, Tensor> weights(Architecture architecture, long seed) {
    Random random = new Random(seed);
    Map<String, Tensor> weights = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
              for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
              }
              weights.put(name, Tensor.of(values, shape));
            });
    return weights;
  }

  private static Map<String, Tensor> prefixed(String prefix, Map<String, Tensor> weights) {
    return renamed(weights, name -> prefix + name);
  }

  private static Map<String, Tensor> renamed(
      Map<String, Tensor> weights, UnaryOperator<String> name) {
    Map<String, Tensor> renamed = new LinkedHashMap<>();
    weights.forEach((key, tensor) -> renamed.put(name.apply(key), tensor));
    return renamed;
  }

  private Path torch(Object tree) throws Exception {
    return Files.write(folder.resolve("model.pth"), TorchCheckpoint.zip(tree));
  }

  private Path safetensors(Map<String, Tensor> tensors) {
    Path file = folder.resolve("model.safetensors");
    Safetensors.write(file, tensors, Map.of());
    return file;
  }

  private TensorFile find(Path file, String key) {
    said.clear();
    TensorFile found = new WeightSearch(VIT, key, said::add).find(file);
    WeightCheck.check(found, VIT);
    return found;
  }

  private void assertFound(Path file, String key, long seed) {
    assertThat(find(file, key).tensors()).isEqualTo(weights(VIT, seed));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model",
        "state_dict",
        "model_state_dict",
        "state_dict_ema",
        "model_ema",
        "ema",
        "ema_state_dict",
        "params",
        "params_ema",
        "teacher",
        "student",
        "net",
        "network",
        "weights",
        "model_weights",
        "checkpoint",
        "backbone",
        "base_model",
        "whatever they call it"
      })
  void underAnyKeyAloneOrBesideAnOptimizersState(String key) throws Exception {
    Map<String, Tensor> weights = weights(VIT, 1);
    assertFound(torch(Map.of(key, weights)), null, 1);
    assertThat(said).isEmpty();
    Map<String, Object> optimizer = new LinkedHashMap<>();
    Map<Integer, Object> state = new LinkedHashMap<>();
    weights.values().forEach(w -> state.put(state.size(), Map.of("step", w, "exp_avg", w)));
    optimizer.put("state", state);
    optimizer.put("param_groups", List.of(Map.of("params", List.of(0, 1, 2))));
    Map<String, Object> checkpoint = new LinkedHashMap<>();
    checkpoint.put("epoch", 3);
    checkpoint.put("optimizer", optimizer);
    checkpoint.put(key, weights);
    assertFound(torch(checkpoint), null, 1);
    assertThat(said).isEmpty();
  }

  @Test
  void nestedDeeperAndInLists() throws Exception {
    Map<String, Tensor> weights = weights(VIT, 2);
    assertFound(torch(Map.of("ema", Map.of("module", weights))), null, 2);
    assertFound(torch(Map.of("ema_state", Map.of("shadow", Map.of("net", weights)))), null, 2);
    assertFound(torch(List.of(weights, Map.of("lr", 1))), null, 2);
    assertFound(torch(List.of("a text", Map.of("model", weights))), null, 2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "module.",
        "_orig_mod.",
        "module._orig_mod.",
        "_orig_mod.module.",
        "model.",
        "net.",
        "network.",
        "backbone.",
        "encoder.",
        "base_model.",
        "teacher.",
        "ema_model.",
        "a.b.c.d."
      })
  void behindAnyPrefix(String prefix) throws Exception {
    Map<String, Tensor> named = prefixed(prefix, weights(VIT, 3));
    assertFound(torch(Map.of("state_dict", named)), null, 3);
    assertFound(torch(named), null, 3);
    assertFound(safetensors(named), null, 3);
    assertThat(said).isEmpty();
  }

  /** A Lightning module with the model under a prefix, its metrics and its teacher beside it. */
  @Test
  void whatTheFileHasBesideTheModelIsLeftAloneOrNamed() throws Exception {
    Map<String, Tensor> file = new LinkedHashMap<>(prefixed("model.", weights(VIT, 4)));
    file.put("accuracy.correct", Tensor.of(new float[] {1}, 1));
    file.put("loss.weight", Tensor.of(new float[3], 3));
    assertFound(safetensors(file), null, 4);
    assertThat(said).isEmpty();
    file.put("model.aux_head.weight", Tensor.of(new float[12], 3, 4));
    file.put("model.num_batches", Tensor.of(new long[] {7}));
    assertFound(safetensors(file), null, 4);
    assertThat(said)
        .singleElement()
        .asString()
        .contains("2 tensors beside the weights of tiny are left out")
        .contains("aux_head.weight", "num_batches");
  }

  /** A trained classifier becomes a feature extractor: its head is left aside, and that is said. */
  @Test
  void theHeadIsLeftAsideWhereTheAnswerIsAFeature() {
    Map<String, Tensor> classifier = weights(vit(4, 1, 3), 5);
    Path file = folder.resolve("classifier.safetensors");
    Safetensors.write(file, classifier, Map.of());
    Architecture headless = vit(4, 1, 0);
    TensorFile found = new WeightSearch(headless, null, said::add).find(file);
    WeightCheck.check(found, headless);
    assertThat(found.tensors()).containsOnlyKeys(headless.parameters().keySet());
    assertThat(said).singleElement().asString().contains("left out: head.weight, head.bias");
  }

  @Test
  void aCounterAtTheRootOfASafetensorsFileDoesNotRefuseIt() {
    Map<String, Tensor> file = new LinkedHashMap<>(weights(VIT, 5));
    file.put("num_batches", Tensor.of(new long[] {9}));
    file.put("blocks.0.num_batches_tracked", Tensor.of(new long[] {9}));
    assertFound(safetensors(file), null, 5);
    assertThat(said).hasSize(1);
  }

  /** What would change the answers may not be left out. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "blocks.1.norm1.weight",
        "blocks.0.attn.k_norm.bias",
        "blocks.0.attn.q_norm.weight",
        "norm_pre.weight",
        "fc_norm.weight",
        "reg_token",
        "pre_logits.fc.weight",
        "dist_token",
        "head.extra.weight",
        "rope.periods"
      })
  void aStepThatTheArchitectureLacksRefusesTheFile(String name) {
    Map<String, Tensor> file = new LinkedHashMap<>(weights(VIT, 6));
    file.put(name, Tensor.of(new float[4], 4));
    assertThatThrownBy(() -> find(safetensors(file), null))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("1 unexpected: " + name);
  }

  static Stream<List<String>> copies() {
    return Stream.of(
        List.of("model", "model_ema"),
        List.of("state_dict", "state_dict_ema"),
        List.of("params", "params_ema"),
        List.of("student", "teacher"),
        List.of("net", "ema.module"),
        List.of("state_dict.model", "state_dict.ema_model"));
  }

  @ParameterizedTest
  @MethodSource("copies")
  void ofModelAndAverageTheModelIsTakenAndTheKeyChooses(List<String> paths) throws Exception {
    String plain = paths.get(0);
    String averaged = paths.get(1);
    for (boolean averageFirst : new boolean[] {false, true}) {
      Map<String, Tensor> file = new LinkedHashMap<>();
      if (averageFirst) {
        file.putAll(prefixed(averaged + ".", weights(VIT, 8)));
      }
      file.putAll(prefixed(plain + ".", weights(VIT, 7)));
      if (!averageFirst) {
        file.putAll(prefixed(averaged + ".", weights(VIT, 8)));
      }
      for (Path path : List.of(torch(file), safetensors(file))) {
        assertFound(path, null, 7);
        assertThat(said)
            .singleElement()
            .asString()
            .contains("taken from " + plain, "also under " + averaged, "weightsKey");
        assertFound(path, averaged, 8);
        assertThat(said).isEmpty();
        assertFound(path, plain, 7);
      }
    }
    String top =
        averaged.substring(
            0, averaged.indexOf('.') < 0 ? averaged.length() : averaged.indexOf('.'));
    if (!plain.startsWith(top)) {
      assertFound(torch(Map.of(top, weights(VIT, 8), plain, weights(VIT, 7))), top, 8);
    }
  }

  /** A larger teacher of the same depth has the same names; the shapes tell. */
  @Test
  void shapesDecideBetweenModels() throws Exception {
    Map<String, Object> file = new LinkedHashMap<>();
    file.put("wide", weights(vit(8, 1, 3), 9));
    file.put("a.long.path.to.it", weights(VIT, 10));
    file.put("deep", weights(vit(4, 2, 3), 11));
    assertFound(torch(file), null, 10);
    assertThat(said).isEmpty();
  }

  @Test
  void aKeyThatIsNotThereIsRefusedWithThoseThatAre() throws Exception {
    Path file = torch(Map.of("model", weights(VIT, 12)));
    assertThatThrownBy(() -> find(file, "ema"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("found no tensors under ema, expected one of the keys model");
  }

  @Test
  void aHeadBesideTheBackboneIsFound() throws Exception {
    Map<String, Tensor> file =
        renamed(weights(VIT, 13), n -> n.startsWith("head") ? "net." + n : "net.backbone." + n);
    assertFound(torch(Map.of("state_dict", file)), null, 13);
    assertFound(safetensors(file), null, 13);
  }

  /** The mergings of a Swin have a norm each, as the whole model has: they are no model. */
  @Test
  void aPartOfAModelIsNoPlace() throws Exception {
    Architecture swin =
        new Swin("swin", 16, 2, 2, 4, List.of(1, 1), List.of(1, 2), 3, 1e-5).architecture();
    for (String prefix : List.of("", "model.")) {
      Path file = torch(prefixed(prefix, weights(swin, 20)));
      TensorFile found = new WeightSearch(swin, null, said::add).find(file);
      assertThat(found.tensors()).isEqualTo(weights(swin, 20));
    }
    assertThat(said).isEmpty();
  }

  @Test
  void theNearestPlacesAreListedWithWhatTheyLack() throws Exception {
    Map<String, Map<String, Tensor>> file = new LinkedHashMap<>();
    for (String place : List.of("a", "b", "c", "d")) {
      Map<String, Tensor> weights = weights(VIT, 14);
      weights.remove("norm.weight");
      file.put(place, weights);
    }
    file.get("b").remove("head.bias");
    file.get("c").keySet().removeIf(name -> name.startsWith("norm") || name.startsWith("head"));
    assertThatThrownBy(() -> find(torch(file), null))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(
            "not the weights of tiny: under a 1 are missing: norm.weight; under d 1 are missing:"
                + " norm.weight; under b 2 are missing: norm.weight, head.bias");
    assertThatThrownBy(
            () -> find(torch(Map.of("x", Map.of("y", Tensor.of(new float[1], 1)))), null))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(
            "holds no weights of tiny: none of its 1 tensors has a name of it, but x.y");
  }

  /** Objects of unknown classes stand around the tensors, and never in the way. */
  @Test
  void foreignObjectsAroundTheWeightsDoNoHarm() throws Exception {
    Map<String, Object> state = new LinkedHashMap<>();
    state.put("model", weights(VIT, 15));
    state.put(
        "config",
        new Foreign(
            "omegaconf.dictconfig", "DictConfig", List.of(), Map.of("_content", Map.of("lr", 1))));
    state.put(
        "hyper_parameters",
        new Foreign("pytorch_lightning.utilities.parsing", "AttributeDict", List.of(), null));
    state.put(
        "rng",
        new Foreign("numpy.core.multiarray", "_reconstruct", List.of("ndarray", 0), List.of(1, 2)));
    state.put("partial", new Foreign("functools", "partial", List.of("f"), Map.of("eps", 1)));
    assertFound(torch(state), null, 15);
    assertThat(said).isEmpty();
    assertFound(torch(new Foreign("somebody.trainer", "Checkpoint", List.of(), state)), null, 15);
  }

  /** {@code torch.save(model)}: what a module holds has the names of its state dict. */
  @Test
  void aWholeModuleHasTheNamesOfItsStateDict() throws Exception {
    Foreign model = module("", weights(VIT, 16));
    assertFound(torch(model), null, 16);
    assertFound(torch(Map.of("model", model, "epoch", 2)), null, 16);
  }

  private static Foreign module(String prefix, Map<String, Tensor> weights) {
    Map<String, Object> parameters = new LinkedHashMap<>();
    Map<String, Object> modules = new LinkedHashMap<>();
    weights.forEach(
        (name, tensor) -> {
          if (name.startsWith(prefix)) {
            String rest = name.substring(prefix.length());
            int dot = rest.indexOf('.');
            if (dot < 0) {
              parameters.put(rest, tensor);
            } else {
              String child = rest.substring(0, dot);
              modules.computeIfAbsent(child, c -> module(prefix + c + ".", weights));
            }
          }
        });
    Map<String, Object> state = new LinkedHashMap<>();
    state.put("training", 0);
    state.put("_parameters", parameters);
    state.put("_buffers", Map.of());
    state.put("_modules", modules);
    return new Foreign("torch.nn.modules.module", "Module", List.of(), state);
  }

  /** What PyTorch itself wrote: checkpoints/torch/make.py. */
  @ParameterizedTest
  @ValueSource(strings = {"beside.pth", "beside_legacy.pth", "module_legacy.pth", "script.pt"})
  void filesOfPyTorchAreRead(String name) throws Exception {
    Architecture made = new Vit("made", 4, 2, 4, 1, 2, 8, 3, 1e-6, false).architecture();
    TensorFile found = new WeightSearch(made, null, said::add).find(resource(name));
    WeightCheck.check(found, made);
    float next = 0;
    for (String parameter : made.parameters().keySet()) {
      for (float value : found.get(parameter).floats()) {
        assertThat(value).as(parameter).isEqualTo(next++);
      }
    }
    assertThat(said).isEmpty();
  }

  private static Path resource(String name) throws Exception {
    return Path.of(WeightSearchTest.class.getResource("/checkpoints/torch/" + name).toURI());
  }

  /** Whatever is damaged: weights that fit, or one line. */
  @ParameterizedTest
  @ValueSource(strings = {"beside.pth", "beside_legacy.pth", "module_legacy.pth", "script.pt"})
  void mutatedFilesAreReadOrRefused(String name) throws Exception {
    byte[] whole = Files.readAllBytes(resource(name));
    Random random = new Random(20261128);
    Path file = folder.resolve("mutated");
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      Files.write(file, Mutations.mutated(whole, random));
      long before = Mutations.allocated();
      try {
        find(file, i % 2 == 0 ? null : "model");
      } catch (InputException e) {
        refused++;
        assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(4000);
      } catch (RuntimeException | Error e) {
        throw new AssertionError(name + ", mutation " + i, e);
      }
      assertThat(Mutations.allocated() - before)
          .as("%s, mutation %d", name, i)
          .isLessThan(whole.length + MOST_ALLOCATED);
    }
    assertThat(refused).isBetween(MUTATIONS / 20, MUTATIONS);
  }

  /** A needed tensor that a foreign class makes is not there, and said to be of that class. */
  @Test
  void aNeededTensorOfAForeignClassIsNamed() throws Exception {
    Map<String, Object> weights = new LinkedHashMap<>(weights(VIT, 17));
    weights.put("norm.weight", new Foreign("torch._utils", "_rebuild_qtensor", List.of(1), null));
    assertThatThrownBy(() -> find(torch(Map.of("model", weights)), null))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("under model 1 are missing: norm.weight")
        .hasMessageContaining("model.norm.weight is torch._utils._rebuild_qtensor");
  }

  @Test
  void aValueThatIsNotFiniteIsNamedWhenItIsRead() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      Map<String, Tensor> weights = weights(VIT, 18);
      float[] values = weights.get("blocks.0.mlp.fc1.weight").floats();
      values[5] = bad;
      weights.put("blocks.0.mlp.fc1.weight", Tensor.of(values, 8, 4));
      assertThatThrownBy(() -> find(safetensors(weights), null))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("tensor blocks.0.mlp.fc1.weight: element 5 of 32 is " + bad);
    }
  }

  /** Types of the format that are not read harm only where they are needed. */
  @Test
  void typesThatAreNotReadHarmOnlyWhereTheyAreNeeded() throws IOException {
    Path file = safetensors(weights(VIT, 19));
    byte[] plain = Files.readAllBytes(file);
    int header = java.nio.ByteBuffer.wrap(plain).order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt();
    String json = new String(plain, 8, header, java.nio.charset.StandardCharsets.UTF_8).strip();
    int data = plain.length - 8 - header;
    String with =
        json.substring(0, json.length() - 1)
            + ",\"steps\":{\"dtype\":\"U32\",\"shape\":[1],\"data_offsets\":[%d,%d]}}"
                .formatted(data, data + 4);
    byte[] text = with.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    java.nio.ByteBuffer bytes =
        java.nio.ByteBuffer.allocate(8 + text.length + data + 4)
            .order(java.nio.ByteOrder.LITTLE_ENDIAN)
            .putLong(text.length)
            .put(text)
            .put(plain, 8 + header, data);
    Files.write(file, bytes.array());
    assertFound(file, null, 19);
    assertThatThrownBy(() -> Safetensors.read(file))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("tensor steps: dtype is U32");
  }
}
