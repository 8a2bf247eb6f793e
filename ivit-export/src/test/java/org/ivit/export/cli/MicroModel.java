package org.ivit.export.cli;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.image.Preprocess;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.testing.GridWeights;
import org.ivit.core.testing.RandomGrids;
import org.ivit.core.weight.UniformGrid;

/** A tiny model with random weights, its files, and pictures for it. */
final class MicroModel {
  static final Architecture VIT = new Vit("micro", 16, 8, 16, 1, 2, 32, 3, 1e-6).architecture();
  static final String DESCRIPTION =
      "{\"kind\":\"vit\",\"name\":\"micro\",\"image\":16,\"patch\":8,\"dim\":16,\"depth\":1,"
          + "\"heads\":2,\"hidden\":32,\"classes\":3}";

  /** A projection makes a feature of 6 numbers. */
  static final String FEATURES =
      DESCRIPTION.replace("\"classes\":3}", "\"classes\":6,\"projection\":true}");

  static final List<String> CLASSES = List.of("ant", "bee", "cat");

  private MicroModel() {}

  /** Random parameters by timm name. */
  static Map<String, Tensor> parameters() {
    return parameters(VIT);
  }

  private static Map<String, Tensor> parameters(Architecture architecture) {
    Random random = new Random(3);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              long size = 1;
              for (long s : shape) {
                size *= s;
              }
              float[] values = new float[(int) size];
              boolean gamma = name.contains("norm") && name.endsWith("weight");
              for (int i = 0; i < values.length; i++) {
                values[i] = (gamma ? 1 : 0) + 0.2f * (float) random.nextGaussian();
              }
              tensors.put(name, Tensor.of(values, shape));
            });
    return tensors;
  }

  static Path weights(Path file) {
    Safetensors.write(file, parameters(), Map.of());
    return file;
  }

  /** Float weights of a model that answers with features. */
  static Path featureWeights(Path file) {
    Safetensors.write(file, parameters(Architectures.parse(FEATURES)), Map.of());
    return file;
  }

  /** An integer model of the same weights. */
  static Path featureCheckpoint(Path file) {
    return checkpoint(file, Architectures.parse(FEATURES), Scheme.EXACT, List.of());
  }

  /** The same weights with the buffers that the published training leaves beside them. */
  static Path published(Path file) {
    Map<String, Tensor> tensors = new LinkedHashMap<>(parameters());
    for (String name :
        List.of(
            "qact_input",
            "blocks.0.qact1",
            "blocks.0.attn.qact1",
            "blocks.0.attn.qact_attn1",
            "blocks.0.attn.qact2",
            "blocks.0.qact3",
            "blocks.0.mlp.qact_gelu",
            "blocks.0.mlp.qact1",
            "qact2")) {
      tensors.put(name + ".act_scaling_factor", Tensor.of(new float[] {4f / 127}));
    }
    for (String name :
        List.of(
            "patch_embed.qact",
            "qact1",
            "blocks.0.attn.qact3",
            "blocks.0.qact2",
            "blocks.0.mlp.qact2",
            "blocks.0.qact4")) {
      tensors.put(name + ".act_scaling_factor", Tensor.of(new float[] {4f / 32767}));
    }
    tensors.put("blocks.0.attn.int_softmax.act_scaling_factor", Tensor.of(new float[1], 1));
    tensors.put("head.weight_integer", Tensor.of(new float[48], 3, 16));
    Safetensors.write(file, tensors, Map.of());
    return file;
  }

  static Path checkpoint(Path file) {
    return checkpoint(file, Scheme.EXACT);
  }

  /** The same with outlier channels at two nodes. */
  static Path withOutliers(Path file) {
    return checkpoint(
        file,
        Scheme.EXACT.withOutliers(
            Map.of(
                "blocks.0.norm1",
                new OutlierChannels(new int[] {1, 7}, 2),
                "norm",
                new OutlierChannels(new int[] {4}, 1))));
  }

  /** An integer model whose blocks' weights lie on grids: of 4 bits, but the last layer's of 6. */
  static Path ofFewerBits(Path file) {
    return ofFewerBits(file, VIT, CLASSES);
  }

  /** The same of a model that answers with features. */
  static Path featuresOfFewerBits(Path file) {
    return ofFewerBits(file, Architectures.parse(FEATURES), List.of());
  }

  private static Path ofFewerBits(Path file, Architecture architecture, List<String> classes) {
    Random random = new Random(4);
    FloatWeights weights =
        GridWeights.of(
            architecture,
            FloatWeights.of(parameters(architecture)),
            layer -> {
              String name = layer.parameters();
              if (!name.startsWith("blocks.")) {
                return null;
              }
              return switch (name.substring(name.lastIndexOf('.') + 1)) {
                case "qkv" -> RandomGrids.table(random, 4, layer.outputs());
                case "proj" -> new UniformGrid(4);
                case "fc1" -> RandomGrids.group(random, 4, layer.outputs(), layer.inputs());
                default -> RandomGrids.group(random, 6, layer.outputs(), layer.inputs());
              };
            });
    return checkpoint(file, architecture, weights, Scheme.EXACT, classes);
  }

  private static Path checkpoint(Path file, Scheme scheme) {
    return checkpoint(file, VIT, scheme, CLASSES);
  }

  private static Path checkpoint(
      Path file, Architecture architecture, Scheme scheme, List<String> classes) {
    FloatWeights weights = FloatWeights.of(parameters(architecture));
    return checkpoint(file, architecture, weights, scheme, classes);
  }

  private static Path checkpoint(
      Path file,
      Architecture architecture,
      FloatWeights weights,
      Scheme scheme,
      List<String> classes) {
    Map<String, Range> ranges = new HashMap<>();
    architecture.nodes().keySet().forEach(node -> ranges.put(node, new Range(-4, 4)));
    IntegerGraph graph = GraphBuilder.build(architecture, weights, scheme, ranges);
    CheckpointFile.write(
        file, new IntegerCheckpoint(graph, Preprocess.half(16, 16), classes, Provenance.UNKNOWN));
    return file;
  }

  /** Folders of the classes with so many pictures each. */
  static Path pictures(Path folder, List<String> classes, int each) throws IOException {
    Random random = new Random(9);
    for (String name : classes) {
      Path into = Files.createDirectories(folder.resolve(name));
      for (int i = 0; i < each; i++) {
        BufferedImage image = new BufferedImage(20, 18, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < 20 * 18; p++) {
          image.setRGB(p % 20, p / 20, random.nextInt(1 << 24));
        }
        ImageIO.write(image, "png", into.resolve(i + ".png").toFile());
      }
    }
    return folder;
  }
}
