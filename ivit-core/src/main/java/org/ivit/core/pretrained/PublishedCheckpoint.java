package org.ivit.core.pretrained;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.WeightCheck;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.GraphBuilder;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Scheme;
import org.ivit.core.image.Preprocess;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/**
 * A checkpoint of the quantization-aware training that Li and Gu published with <i>I-ViT</i>: float
 * weights, and the scale of each node in a buffer {@code …act_scaling_factor}. Its ranges are not
 * in the file, its scales are, and they are all that integers need.
 *
 * @param architecture sizes
 * @param weights parameters by timm name
 * @param scales of every node of {@link NodeNames#ranged}, by its name there
 */
public record PublishedCheckpoint(
    Architecture architecture, FloatWeights weights, Map<String, Float> scales) {
  private static final String SCALE = ".act_scaling_factor";

  /** Buffers that the published code computes anew in each forward pass. */
  private static final List<String> DERIVED =
      List.of(
          SCALE,
          ".fc_scaling_factor",
          ".conv_scaling_factor",
          ".norm_scaling_factor",
          ".weight_integer",
          ".bias_integer");

  private static final Map<String, String> IN_BLOCK =
      Map.ofEntries(
          Map.entry("norm1", "qact1"),
          Map.entry("attn.qkv", "attn.qact1"),
          Map.entry("attn.scores", "attn.qact_attn1"),
          Map.entry("attn.context", "attn.qact2"),
          Map.entry("attn.proj", "attn.qact3"),
          Map.entry("residual1", "qact2"),
          Map.entry("norm2", "qact3"),
          Map.entry("mlp.fc1", "mlp.qact_gelu"),
          Map.entry("mlp.act", "mlp.qact1"),
          Map.entry("mlp.fc2", "mlp.qact2"),
          Map.entry("residual2", "qact4"));

  /** Where a Swin's names differ. */
  private static final Map<String, String> IN_SWIN_BLOCK =
      Map.of("attn.biased", "attn.qact2", "attn.context", "attn.qact3", "attn.proj", "attn.qact4");

  /** Copies. */
  public PublishedCheckpoint {
    scales = Map.copyOf(scales);
  }

  /**
   * Reads and checks a checkpoint.
   *
   * @param file what the published {@code quant_train.py} saved
   * @param architecture what it was trained as; the file does not say
   * @param weightsKey the path in the file below which it lies; null to search for it
   * @param say hears where there was a choice
   * @throws InputException naming all tensors and scales that are missing, of a wrong shape, or
   *     zero because no picture ever went through the model
   */
  public static PublishedCheckpoint read(
      Path file, Architecture architecture, String weightsKey, Consumer<String> say) {
    TensorFile all = new WeightSearch(architecture, weightsKey, say).findAll(file);
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    all.tensors()
        .forEach(
            (name, tensor) -> {
              if (DERIVED.stream().noneMatch(name::endsWith)) {
                parameters.put(name, tensor);
              }
            });
    if (parameters.size() == all.tensors().size()) {
      throw new InputException(
          all.source()
              + ": holds no scale, *"
              + SCALE
              + ", expected a checkpoint of the published quantization-aware training");
    }
    WeightCheck.check(new TensorFile(parameters, all.metadata(), all.source()), architecture);
    return new PublishedCheckpoint(
        architecture, FloatWeights.of(parameters), scales(all, architecture));
  }

  private static Map<String, Float> scales(TensorFile file, Architecture architecture) {
    Map<String, Float> scales = new LinkedHashMap<>();
    List<String> bad = new ArrayList<>();
    for (String node : NodeNames.ranged(architecture)) {
      String name = published(node, architecture) + SCALE;
      Tensor tensor = file.tensors().get(name);
      if (tensor == null) {
        bad.add(MessageText.quote(name) + " is missing");
      } else if (tensor.size() != 1) {
        bad.add("%s has %d elements".formatted(MessageText.quote(name), tensor.size()));
      } else {
        float scale = tensor.floats()[0];
        if (scale > 0 && Float.isFinite(scale)) {
          scales.put(node, scale);
        } else {
          bad.add("%s is %s".formatted(MessageText.quote(name), scale));
        }
      }
    }
    if (!bad.isEmpty()) {
      throw new InputException(
          "%s: %d scales are not usable, expected one positive number each: %s"
              .formatted(file.source(), bad.size(), MessageText.list(bad)));
    }
    return scales;
  }

  /** The module whose output a node is. */
  static String published(String node, Architecture architecture) {
    return switch (node) {
      case NodeNames.INPUT -> "qact_input";
      case NodeNames.PATCH_EMBED -> "patch_embed.qact";
      case NodeNames.PATCH_PROJECTION -> "patch_embed.qact_before_norm";
      case NodeNames.PATCH_NORM, NodeNames.EMBED -> "qact1";
      case NodeNames.NORM -> "qact2";
      case NodeNames.POOL -> "qact3";
      default -> inBlockOrMerging(node, architecture instanceof Swin);
    };
  }

  private static String inBlockOrMerging(String node, boolean swin) {
    String local = NodeNames.local(node);
    String place = node.substring(0, node.length() - local.length());
    if (place.endsWith("downsample.")) {
      return place + (local.equals("norm") ? "qact1" : "qact2");
    }
    String name = swin ? IN_SWIN_BLOCK.get(local) : null;
    return place + (name == null ? IN_BLOCK.get(local) : name);
  }

  /**
   * The integers: ShiftGELU by row and Shiftmax, as the published code trains; probabilities of 16
   * bits in a ViT and 8 in a Swin.
   *
   * @return the graph, its bounds proved
   * @throws InputException naming the node whose bound does not hold
   */
  public IntegerGraph graph() {
    Scheme scheme =
        new Scheme(
            GeluForm.ROW,
            SoftmaxForm.SHIFT,
            architecture instanceof Swin ? 8 : 16,
            new TreeMap<>());
    return GraphBuilder.build(architecture, weights, scheme, scales::get);
  }

  /**
   * How the published code evaluates, whatever the model: resize to 256/224 of the picture size,
   * bicubic, ImageNet's mean and deviation; pictures up to 32 pixels as they are.
   */
  public Preprocess preprocess() {
    int image = architecture.image();
    return Preprocess.imagenet(image > 32 ? 256 * image / 224 : image, image);
  }
}
