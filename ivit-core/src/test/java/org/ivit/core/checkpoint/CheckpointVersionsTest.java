package org.ivit.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.testing.RandomGrids;
import org.ivit.core.testing.RandomModel;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.UniformGrid;
import org.ivit.core.weight.WeightCoding;
import org.ivit.core.weight.WeightGrid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Small files of each version of the integer checkpoint, as they were written when it was made.
 * They and the logits beside them are never written again: {@link #main} made them.
 */
class CheckpointVersionsTest {
  private static final Path FOLDER = Path.of("src/test/resources/checkpoints");
  private static final int PICTURES = 2;

  @ParameterizedTest
  @CsvSource({
    "1,vit",
    "1,vit_paper",
    "1,distilled",
    "1,swin",
    "2,vit",
    "2,vit_paper",
    "2,distilled",
    "2,swin",
    "3,vit",
    "3,distilled",
    "3,swin"
  })
  void everyVersionIsReadForEver(int version, String name) {
    IntegerCheckpoint checkpoint = CheckpointFile.read(file(version, name));
    IntegerGraph graph = checkpoint.graph();
    int[] expected = Safetensors.read(logits(version, name)).get("logits").ints();
    byte[] codes = codes(graph);
    try (ReferenceEngine reference = new ReferenceEngine(graph);
        PortableEngine cpu = new PortableEngine(graph)) {
      assertThat(reference.logits(codes, PICTURES)).isEqualTo(expected);
      assertThat(cpu.logits(codes, PICTURES)).isEqualTo(expected);
    }
    assertThat(checkpoint.classes()).contains("class 0", "class 2").hasSize(3);
    assertThat(checkpoint.provenance().recipe()).isEqualTo("epochs: 0\n");
  }

  @ParameterizedTest
  @CsvSource({"vit,4,GROUP", "distilled,5,TABLE", "swin,6,UNIFORM"})
  void versionThreeHoldsWeightsOfFewerBits(String name, int bits, WeightCoding coding) {
    List<WeightGrid> grids =
        CheckpointFile.read(file(3, name)).graph().linears().stream()
            .map(linear -> linear.codes().grid())
            .toList();
    assertThat(grids).contains((WeightGrid) null);
    assertThat(grids)
        .filteredOn(Objects::nonNull)
        .isNotEmpty()
        .allMatch(grid -> grid.bits() == bits && grid.coding() == coding);
  }

  /** While it is the version that is written: to the same bytes. */
  @ParameterizedTest
  @ValueSource(strings = {"vit", "vit_paper", "distilled", "swin"})
  void versionTwoIsWrittenToTheSameBytes(String name, @TempDir Path folder) {
    Path again = folder.resolve("again.safetensors");
    CheckpointFile.write(again, CheckpointFile.read(file(2, name)));
    assertThat(again).hasSameBinaryContentAs(file(2, name));
  }

  /** The tensors are the same; the description differs. */
  @ParameterizedTest
  @ValueSource(strings = {"vit", "vit_paper", "distilled", "swin"})
  void versionOneIsWrittenAsVersionTwo(String name, @TempDir Path folder) {
    Path again = folder.resolve("again.safetensors");
    CheckpointFile.write(again, CheckpointFile.read(file(1, name)));
    assertThat(again).hasSameBinaryContentAs(file(2, name));
  }

  @Test
  void fixturesAreOfTheVersionThatIsWritten() {
    assertThat(CheckpointFile.VERSION).isEqualTo("2");
    assertThat(CheckpointFile.PACKED_VERSION).isEqualTo("3");
  }

  private static Path file(int version, String name) {
    return FOLDER.resolve("v" + version).resolve(name + ".ivit.safetensors");
  }

  private static Path logits(int version, String name) {
    return FOLDER.resolve("v" + version).resolve(name + ".logits.safetensors");
  }

  private static byte[] codes(IntegerGraph graph) {
    int image = graph.architecture().image().side();
    byte[] codes = new byte[PICTURES * 3 * image * image];
    new Random(1).nextBytes(codes);
    return codes;
  }

  private static Map<String, IntegerGraph> graphs(int version) {
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    outliers.put("blocks.0.norm1", new OutlierChannels(new int[] {1}, 2));
    outliers.put("blocks.1.mlp.fc1", new OutlierChannels(new int[] {5}, 3));
    outliers.put("blocks.1.mlp.act", new OutlierChannels(new int[] {5}, 4));
    outliers.put("norm", new OutlierChannels(new int[] {0}, 1));
    Scheme full = new Scheme(GeluForm.ASYMMETRIC, SoftmaxForm.EXACT, 16, outliers);
    Scheme paper = new Scheme(GeluForm.ROW, SoftmaxForm.SHIFT, 16, new TreeMap<>());
    Scheme narrow = new Scheme(GeluForm.EXACT, SoftmaxForm.EXACT, 8, new TreeMap<>());
    Architecture vit = new Vit("fixture", 4, 2, 6, 2, 2, 8, 3, 1e-6).architecture();
    Architecture distilled = new Vit("fixture", 4, 2, 6, 2, 2, 8, 3, 1e-6, true).architecture();
    Architecture swin =
        new Swin("fixture", 8, 2, 2, 4, List.of(2, 1), List.of(2, 4), 3, 1e-5).architecture();
    Map<String, IntegerGraph> graphs = new LinkedHashMap<>();
    if (version == 3) {
      Random random = new Random(9);
      Function<LinearSpec, WeightGrid> groups =
          layer -> inBlock(layer) ? groups(random, layer.outputs(), layer.inputs()) : null;
      Function<LinearSpec, WeightGrid> tables =
          layer -> inBlock(layer) ? RandomGrids.table(random, 5, layer.outputs()) : null;
      Function<LinearSpec, WeightGrid> mixed =
          layer -> layer.parameters().contains(".mlp.") ? new UniformGrid(6) : null;
      graphs.put("vit", RandomModel.graph(vit, full, 1, groups));
      graphs.put("distilled", RandomModel.graph(distilled, full, 3, tables));
      graphs.put("swin", RandomModel.graph(swin, narrow, 4, mixed));
      return graphs;
    }
    graphs.put("vit", RandomModel.graph(vit, full, 1));
    graphs.put("vit_paper", RandomModel.graph(vit, paper, 2));
    graphs.put("distilled", RandomModel.graph(distilled, full, 3));
    graphs.put("swin", RandomModel.graph(swin, narrow, 4));
    return graphs;
  }

  private static boolean inBlock(LinearSpec layer) {
    return layer.parameters().startsWith("blocks.");
  }

  /** Groups of 4, so that a channel has several, the last one shorter where it has 6 inputs. */
  private static GroupGrid groups(Random random, int outputs, int inputs) {
    byte[] multiplier = new byte[outputs * ((inputs + 3) / 4)];
    for (int i = 0; i < multiplier.length; i++) {
      multiplier[i] = (byte) (1 + random.nextInt(GroupGrid.most(4, 0)));
    }
    return new GroupGrid(4, inputs, 4, 0, multiplier);
  }

  /**
   * Writes the files of a new version, its number the argument, for {@code java} from the folder of
   * this module.
   */
  public static void main(String[] arguments) throws IOException {
    int version = Integer.parseInt(arguments[0]);
    Provenance provenance =
        new Provenance(
            "weights.safetensors",
            "ab".repeat(32),
            "epochs: 0\n",
            "2026-11-24T00:00:00Z",
            "0.1",
            "");
    for (Map.Entry<String, IntegerGraph> entry : graphs(version).entrySet()) {
      Path file = file(version, entry.getKey());
      if (Files.exists(file)) {
        throw new IllegalStateException(file + " is never written again");
      }
      Files.createDirectories(file.getParent());
      IntegerGraph graph = entry.getValue();
      List<String> classes = IntStream.range(0, 3).mapToObj(i -> "class " + i).toList();
      int image = graph.architecture().image().side();
      CheckpointFile.write(
          file,
          new IntegerCheckpoint(graph, Preprocess.half(image + 3, image), classes, provenance));
      try (ReferenceEngine reference = new ReferenceEngine(graph)) {
        int[] logits = reference.logits(codes(graph), PICTURES);
        Safetensors.write(
            logits(version, entry.getKey()),
            Map.of("logits", Tensor.of(logits, PICTURES, 3)),
            Map.of());
      }
    }
  }
}
